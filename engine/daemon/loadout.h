// SPDX-License-Identifier: Apache-2.0
//
// Loadout is a configuration with the rules it names: what a start or a reload swaps in whole.
#pragma once

#include <functional>
#include <string>

#include "daemon/config.h"
#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

struct Loadout {
  Config config;
  rule::RuleSet rules;
  std::string rule_problems;  // Of rules that were left out; may be empty.
};

enum class Strictness { LeaveBrokenRulesOut, RefuseBrokenRules };

// Reads the configuration and its rule files. Fails with the diagnostics' text; warnings are
// logged.
Result<Loadout> load_all(const std::function<Result<Config>(Diagnostics&)>& load_config,
                         Strictness strictness);

// Logs which changes of a reload take effect only at the next start.
void say_what_waits(const Config& running, const Config& loaded);

// Logs how much there is to do. An alerter without rules, data or anybody to tell is a mistake that
// nobody notices.
void say_what_runs(const Config& config, const rule::RuleSet& rules);

}  // namespace tocsin::daemon
