// SPDX-License-Identifier: Apache-2.0
//
// Runs Prometheus' PromQL test scripts (promql/script_reader.h). What `tocsin promqltest` does.
//
// As Prometheus' own harness does, every instant case is evaluated again at other times with `@`
// written into its selectors, and each of these also as a range query; it passes when all of them
// give what it expects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::promql {

struct ScriptReport {
  struct Failure {
    int line = 0;
    std::string query;     // As it was evaluated: perhaps with `@`.
    std::string expected;  // Both in the language of the scripts.
    std::string actual;
  };
  int passed = 0;
  std::vector<Failure> failures;  // One for each case that failed, and for each line unread.
  std::vector<Failure> skipped;   // `actual` says why.
};

// Runs every case of the script; one that fails does not stop the rest.
ScriptReport run_script(std::string_view text);

}  // namespace tocsin::promql
