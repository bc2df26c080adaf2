// SPDX-License-Identifier: Apache-2.0
//
// Rule unit tests in promtool's format: series in, alerts and values expected at moments of a
// virtual timeline. What `tocsin test` runs. No clock, no thread: time is what the test says.
#pragma once

#include <string>
#include <vector>

namespace tocsin::daemon {

struct RuleTestReport {
  int passed = 0;  // Expectations that held.
  int failed = 0;
  std::string text;  // What was wrong, for people; empty when nothing was.
};

// Runs every test of the file. Rule files that it names are found beside it. A file that cannot be
// read, or rules with errors, count as one failure.
RuleTestReport run_rule_tests(const std::string& path);

}  // namespace tocsin::daemon
