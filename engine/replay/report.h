// SPDX-License-Identifier: Apache-2.0
//
// A replay in words and numbers: every alert, and what all of a rule's come to. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "replay/outcome.h"

namespace tocsin::replay {

struct Totals {
  std::size_t alerts = 0;
  std::size_t pages = 0;  // Messages that tell of one that fires.
  Duration shortest{0};
  Duration median{0};
  Duration longest{0};
  std::size_t flaps = 0;  // Alerts that fired again within a quarter of an hour of their end.
  // Of other rules, how many alerts fired at the same time as one of this rule, about nothing else.
  std::map<std::size_t, std::size_t> overlaps;
};

// By rule, as in Outcome::rules.
std::vector<Totals> totals_of(const Outcome& outcome);

// A message, as far as it is about one alert.
struct Telling {
  Timestamp at;
  std::string receiver;
  bool resolved = false;
};
// Of each episode, as in Outcome::episodes: what told of it, in its order.
std::vector<std::vector<Telling>> tellings_of(const Outcome& outcome);

// How long the alert fired; until the end of the replay where that is before its own.
Duration length_of(const Episode& episode, const Outcome& outcome);
// Its labels without alertname and those that the rule says.
std::string subject_of(const Episode& episode, const Outcome& outcome);

std::string report_text(const Outcome& outcome);
std::string report_json(const Outcome& outcome);

// To the second.
std::string moment_text(Timestamp at);
// "7m30s", to the second.
std::string length_text(Duration d);
// Columns that are as wide as their widest cell.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace tocsin::replay
