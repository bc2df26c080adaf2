// SPDX-License-Identifier: Apache-2.0
//
// A silence is what a person says: of alerts with these labels, from then until then, I do not want
// to hear. SilenceBook keeps them, with the rules by which Alertmanager takes changes: what has
// begun is not rewritten, it ends and a new one takes its place. Pure; one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/matcher.h"
#include "tocsin/result.h"

namespace tocsin::notify {

enum class SilenceState { Pending, Active, Expired };
std::string_view name_of(SilenceState state);  // "pending", "active", "expired"

struct Silence {
  std::string id;
  Matchers matchers;
  Timestamp starts_at{};
  Timestamp ends_at{};
  Timestamp updated_at{};
  std::string created_by;
  std::string comment;

  SilenceState state_at(Timestamp now) const;
};

class SilenceBook {
 public:
  static constexpr std::size_t kMost = 10'000;
  static constexpr Duration kKeptAfterEnd = std::chrono::hours(24 * 5);  // Alertmanager's default.

  // What was written down.
  void restore(Silence silence);

  // Takes a new one (without an id), or a change; returns those that are to be written down, the
  // one that was asked for last. Fails with NotFound, InvalidArgument and Limit.
  Result<std::vector<Silence>> put(Silence silence, Timestamp now,
                                   const std::function<std::string()>& new_id);
  // Ends one; returns it as it is then. Fails with NotFound, and with InvalidArgument where it has
  // ended already.
  Result<Silence> expire(const std::string& id, Timestamp now);
  // Forgets those that ended long ago, and returns their ids.
  std::vector<std::string> prune(Timestamp now);

  // Null if there is none.
  const Silence* find(const std::string& id) const;
  // Those that hold first, then those to come, then the past.
  std::vector<Silence> all(Timestamp now) const;
  bool any_active(Timestamp now) const;
  // The one that holds longest over an alert with these labels; null if none does.
  const Silence* silence_for(const Labels& labels, Timestamp now) const;

 private:
  Result<void> check(const Silence& silence, Timestamp now) const;

  std::map<std::string, Silence> silences_;  // By id.
};

// {"id":…,"status":{"state":"active"},"matchers":[…],…}: a silence as Alertmanager's API shows it,
// and as it is written down.
std::string silence_json(const Silence& silence, Timestamp now);
// What a client posts, and what silence_json() wrote. Fails with InvalidArgument.
Result<Silence> parse_silence(std::string_view json);

}  // namespace tocsin::notify
