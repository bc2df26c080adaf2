// SPDX-License-Identifier: Apache-2.0
//
// What follows from a rule group alone, before it is evaluated: when that happens, what its rules
// write and who of them reads it. The running daemon and a replay go by the same answers. Pure.
#pragma once

#include <string>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

// The group's first slot after that moment: slots lie the group's own offset after the multiples of
// its interval, so that groups spread over time and a restart keeps the phase.
Timestamp next_slot(const rule::Group& group, Duration interval, Timestamp after);

// How long what a rule writes is kept, unless a rule asks for more: the lookback and some slack.
inline constexpr Duration kLeastHistory = std::chrono::minutes(6);
// What other rules of the group ask of the series `name` that one of them records.
Duration history_of(const rule::Group& group, const std::string& name);

// The metrics that the rule writes: its recording, or ALERTS and its sister.
std::vector<std::string> names_written(const rule::Rule& rule);
bool reads_any(const rule::Rule& rule, const std::vector<std::string>& names);

}  // namespace tocsin::daemon
