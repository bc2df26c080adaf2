// SPDX-License-Identifier: Apache-2.0
//
// Loadout is a configuration with the rules it names: what a start or a reload swaps in whole.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

struct Loadout {
  Config config;
  rule::RuleSet rules;
  Diagnostics rule_problems;  // With errors if rules were left out, else empty.
};

enum class Strictness { LeaveBrokenRulesOut, RefuseBrokenRules };

// Reads the configuration and its rule files. Fails with the diagnostics' text; warnings are
// logged. `had_files` as load_rules() has it.
Result<Loadout> load_all(const std::function<Result<Config>(Diagnostics&)>& load_config,
                         Strictness strictness, const std::vector<std::string>& had_files);

// The same for a loadout that was loaded before anybody knew which patterns `had_files`: broken
// rules are left out of it already.
void note_lost_files(Loadout& loadout, const std::vector<std::string>& had_files);

// Logs which changes of a reload take effect only at the next start.
void say_what_waits(const Config& running, const Config& loaded);

// Logs how much there is to do. An alerter without rules, data or anybody to tell is a mistake that
// nobody notices.
void say_what_runs(const Config& config, const rule::RuleSet& rules);

}  // namespace tocsin::daemon
