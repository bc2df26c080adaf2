// SPDX-License-Identifier: Apache-2.0
//
// Conditions over literal series: each case is a script of Prometheus' PromQL tests around the
// compiled expression. Samples are 10 s apart and the question is asked at 10m, unless a case says
// otherwise.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "promql/script.h"
#include "rule/rule_files.h"

namespace tocsin::rule {

struct Case {
  const char* name;
  const char* condition;
  const char* series;
  const char* expected;  // Nothing: the alert does not fire.
};

inline std::string script_of(const std::string& expr, const std::string& series,
                             const std::string& expected, const std::string& at) {
  // An empty line ends the series.
  const std::size_t begin = std::min(series.find_first_not_of('\n'), series.size());
  return "load 10s\n" + series.substr(begin) + "\neval instant at " + at + " " + expr + "\n" +
         expected + "\n";
}

inline void check(const Case& c, const std::string& at = "10m") {
  const std::string name = c.name;
  CAPTURE(name);
  const Loaded loaded = load_alert(c.condition, {.memory = Memory::Subquery});
  REQUIRE(loaded.diagnostics.text() == "");
  const Rule rule = last_rule(loaded);
  const promql::ScriptReport report =
      promql::run_script(script_of(rule.expr_text, c.series, c.expected, at));
  CHECK(report.skipped.empty());
  for (const auto& failure : report.failures) {
    const std::string what = "expected " + failure.expected + ", got " + failure.actual;
    FAIL_CHECK(what);
  }
  CHECK(report.passed == 1);
}

}  // namespace tocsin::rule
