// SPDX-License-Identifier: Apache-2.0
//
// What `replay` and `diff` have in common: where the past comes from, how rules are evaluated over
// it, and a bar that says how far they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "replay/replayer.h"
#include "tocsin/result.h"
#include "tocsin/rule_set.h"

namespace CLI {
class App;
}

namespace tocsin::cli {

struct PastOptions {
  std::vector<std::string> data;
  std::string prometheus;  // Or its URL.
  std::string cache;       // A folder for what it answered.
  std::string from;
  std::string to;
  std::string config;  // Its routes, intervals and external labels count.
  std::string interval;

  bool is_given() const { return !data.empty() || !prometheus.empty(); }
};

void add_past_options(CLI::App& command, PastOptions& options);

// Lets the rules live through it. Complaints about the data go to standard error.
Result<replay::Outcome> live_through(const rule::RuleSet& rules, const PastOptions& options);

}  // namespace tocsin::cli
