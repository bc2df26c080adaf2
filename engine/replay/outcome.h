// SPDX-License-Identifier: Apache-2.0
//
// What a replay found. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/rule_set.h"

namespace tocsin::replay {

// One alert, from its beginning to its end.
struct Episode {
  std::size_t rule = 0;  // In Outcome::rules.
  Labels labels;
  Timestamp pending_at;
  Timestamp fired_at;
  std::optional<Timestamp> ended_at;  // Nothing: it fires at the end of the replay.
  double peak = 0;                    // The value that was furthest beyond the threshold.
  std::string summary;                // As of when it fired.
};

// An alert in a message, with the labels of its episode.
struct ToldAlert {
  std::size_t rule = 0;  // In Outcome::rules.
  Labels labels;

  auto operator<=>(const ToldAlert&) const = default;
};

// A message that would have been sent to a receiver.
struct Page {
  Timestamp at;
  std::string receiver;
  std::vector<ToldAlert> firing;
  std::vector<ToldAlert> resolved;
};

struct ReplayedRule {
  std::string group;
  rule::Rule rule;
  std::size_t pending_only = 0;  // Alerts that were over before they fired.
  std::size_t failures = 0;      // Evaluations that failed, and why the last did.
  std::string failure;
};

struct Outcome {
  Timestamp from;
  Timestamp to;
  std::vector<ReplayedRule> rules;  // Alerting ones.
  std::vector<Episode> episodes;    // By fired_at.
  std::vector<Page> pages;
  std::vector<std::string> complaints;  // What is wrong with the data.
};

}  // namespace tocsin::replay
