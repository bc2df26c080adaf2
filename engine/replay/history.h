// SPDX-License-Identifier: Apache-2.0
//
// A History is where the samples of the past come from: an archive that a daemon recorded, or
// captured pages. It fills its store as time goes on. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/target.h"
#include "tocsin/promql.h"
#include "tocsin/result.h"
#include "tocsin/store.h"

namespace tocsin::replay {

class History {
 public:
  virtual ~History() = default;

  struct Extent {
    Timestamp oldest;
    Timestamp newest;
  };
  virtual Extent extent() const = 0;

  // Where samples are, and where rules write theirs.
  virtual store::Store& store() = 0;

  // Nothing older is needed. Before advance().
  virtual void skip_to(Timestamp /*from*/) {}

  // Everything until `upto` is in the store, unless the process that saw it was replaced by another
  // before: then what the old one saw is, up to `last`, and the next call goes on with the other.
  struct Advance {
    Timestamp last;
    std::optional<Timestamp> other_begins_at;
  };
  virtual Advance advance(Timestamp upto) = 0;

  // Prepares what the next advance() until `upto` takes, if there is something to prepare. On any
  // thread, while others read the store, and nobody calls anything else.
  virtual void fetch(Timestamp /*upto*/) {}

  // The metrics that a target ever had, by the labels of its `up`; null: nothing is known.
  virtual std::shared_ptr<const source::MetricNames> metrics_of(const Labels& up) const = 0;

  // Why it does not go on after the last advance(); what that loaded is not all there was.
  virtual std::optional<Error> failure() const { return std::nullopt; }

  // What is wrong with the data, as sentences.
  virtual std::vector<std::string> complaints() const { return {}; }
};

// How much of the past is loaded and evaluated at once, at most.
inline constexpr Duration kStretch = std::chrono::minutes(40);
// How much longer samples are kept than anybody looks back.
inline constexpr Duration kSlack = kStretch + std::chrono::minutes(10);

struct HistoryOptions {
  // What rules read, and how far back.
  std::vector<promql::Need> needs;
  // On how many threads advance() works.
  std::size_t threads = 2;
};

// Archives (folders or files of them), or captured pages with timestamps.
Result<std::unique_ptr<History>> open_history(const std::vector<std::string>& data,
                                              const HistoryOptions& options);

}  // namespace tocsin::replay
