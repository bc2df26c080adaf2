// SPDX-License-Identifier: Apache-2.0
//
// Prometheus' PromQL test scripts: `load`, `clear`, `eval instant`, `eval range`, with their
// `expect` lines. What `tocsin promqltest` runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::promql {

struct ScriptReport {
  struct Failure {
    int line = 0;
    std::string query;
    std::string expected;
    std::string actual;
  };
  int passed = 0;
  std::vector<Failure> failures;
  std::vector<Failure> skipped;  // `actual` says why.
};

// Runs every case of the script; one that fails does not stop the rest.
ScriptReport run_script(std::string_view text);

}  // namespace tocsin::promql
