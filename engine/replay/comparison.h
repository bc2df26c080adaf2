// SPDX-License-Identifier: Apache-2.0
//
// What two versions of rules made of the same past: which alerts only one of them gives, and which
// begin or end at another time. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replay/outcome.h"

namespace tocsin::replay {

struct AlertChange {
  std::string rule;
  std::string subject;  // Its labels but those that the rule says.
  std::optional<Episode> before;
  std::optional<Episode> after;
};

struct Comparison {
  Timestamp from;
  Timestamp to;
  std::size_t alerts_before = 0;
  std::size_t alerts_after = 0;
  std::size_t pages_before = 0;
  std::size_t pages_after = 0;
  std::vector<AlertChange> gained;
  std::vector<AlertChange> lost;
  std::vector<AlertChange> moved;  // By more than an evaluation or two.
};

// Alerts are the same when their rule's name and what they are about are, and they fire at the same
// time, for a moment at least.
Comparison compare(const Outcome& before, const Outcome& after);

// "over 7d: 14 alerts gained, 2 lost, 1 moved; 20 -> 44 notifications"
std::string verdict(const Comparison& comparison);
std::string comparison_text(const Comparison& comparison);
// For a comment on a pull request: the table is folded when it is long.
std::string comparison_markdown(const Comparison& comparison);

}  // namespace tocsin::replay
