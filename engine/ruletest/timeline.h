// SPDX-License-Identifier: Apache-2.0
//
// One test, run: its series are fed, its rules evaluated at every step of a virtual timeline, and
// what is expected is compared with what is there. Rules live in the very state machine of the
// daemon (alert/rule_life.h). No clock, no thread: time is what the test says.
#pragma once

#include <string>
#include <vector>

#include "ruletest/coverage.h"
#include "ruletest/test_file.h"
#include "tocsin/rule_set.h"

namespace tocsin::ruletest {

struct Failure {
  int line = 0;        // Of the test file.
  std::string what;    // "alert SuccessRateLow at 5m"
  std::string detail;  // Lines; what differs and the values that led there.
};

struct CaseResult {
  std::string name;
  int line = 0;
  int passed = 0;  // Expectations that held.
  std::vector<Failure> failures;
  double seconds = 0;  // Of the processor; 0 where nobody measured.
};

// Notes in `coverage`, which may be null, what of the rules was put to the test.
CaseResult run_case(const TestFile& file, const TestCase& test, const rule::RuleSet& rules,
                    Coverage* coverage);

}  // namespace tocsin::ruletest
