// SPDX-License-Identifier: Apache-2.0
//
// Where the series of a test come from: the notation of promtool (`0+10x20`), captured pages, or a
// simulated mesh. Pages go into the store on the very path of the daemon, so a target that is gone
// is as gone as there.
//
// Pure but for reading the files that a test names, which happens in open_feed(). One thread.
#pragma once

#include <memory>
#include <vector>

#include "ruletest/test_file.h"
#include "source/target.h"
#include "tocsin/promql.h"
#include "tocsin/result.h"
#include "tocsin/store.h"

namespace tocsin::ruletest {

class Feed {
 public:
  virtual ~Feed() = default;

  // From now on samples go to `store`, beginning with those of `from`: what a process that was
  // started then could have seen. `store` must outlive the feed, or the next call.
  virtual Result<void> begin(store::Store& store, Timestamp from) = 0;

  // Everything that has happened until `now`, that moment included, is in the store. Time does not
  // go back.
  virtual void advance(Timestamp now) = 0;

  // What is scraped, and how that went; empty where nothing is.
  virtual std::vector<source::TargetStatus> targets() const { return {}; }
};

using Feeds = std::vector<std::unique_ptr<Feed>>;

// All that the test names. `needs` says what of the pages is worth keeping. Fails with what is
// wrong and the line of the test file where it stands.
struct FeedError {
  int line = 0;
  std::string message;
};
tl::expected<Feeds, FeedError> open_feeds(const TestFile& file, const TestCase& test,
                                          const std::vector<promql::Need>& needs);

// How long tests keep samples: for ever.
inline constexpr Duration kTestHistory = std::chrono::hours(24 * 365 * 200);

}  // namespace tocsin::ruletest
