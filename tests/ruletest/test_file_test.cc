// SPDX-License-Identifier: Apache-2.0
#include "ruletest/test_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace tocsin::ruletest {
namespace {

const std::string kPath = TOCSIN_SOURCE_DIR "/tests/ruletest/a.test.yaml";

// What is wrong with a file, its inputs included: "LINE:COLUMN MESSAGE" each, without its folder.
std::vector<std::string> problems_of(const std::string& text) {
  Diagnostics found;
  found.append(check_inputs(read_test_file(kPath, text, found)));
  std::vector<std::string> out;
  for (const Diagnostic& d : found.all()) {
    out.push_back(std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " " +
                  d.message);
  }
  return out;
}

// The only one; the empty text where there is none.
std::string problem_of(const std::string& text) {
  const auto all = problems_of(text);
  CHECK(all.size() <= 1);
  return all.empty() ? "" : all.front();
}

TEST_CASE("series, values and expressions that do not parse are errors at their place") {
  CHECK(problem_of("tests: [{input_series: [{series: 'up{a=\"b\"', values: '1'}]}]") ==
        "1:34 'up{a=\"b\"' is no series: labels are not closed with }");
  CHECK(problem_of("tests: [{input_series: [{series: 'up', values: '0xx'}]}]") ==
        "1:48 bad repetition in '0xx'");
  CHECK(problem_of("tests: [{promql_expr_test: [{expr: 'sum(rat(up[5m]))', eval_time: 1m}]}]") ==
        "1:41 unknown function with name \"rat\"");
  CHECK(problem_of("tests: [{promql_expr_test: [{expr: 'up ==', eval_time: 1m}]}]") ==
        "1:42 unexpected end of input");
  CHECK(problem_of("tests: [{input_series: [{series: 'up{a=\"b\"}', values: '1 _ stale 0+1x5'}],"
                   " promql_expr_test: [{expr: up == 1, eval_time: 1m}]}]")
            .empty());
}

TEST_CASE("what a test file names is looked for") {
  const auto ends = [](const std::string& text, std::string_view ending) {
    const std::string problem = problem_of(text);
    INFO(problem);
    return problem.ends_with(ending);
  };
  CHECK(ends("rule_files: [nowhere.yaml]", "tests/ruletest/nowhere.yaml'"));
  CHECK(ends("rule_files: ['nowhere-*.yaml']", "tests/ruletest/nowhere-*.yaml'"));
  CHECK(problem_of("rule_files: ['native_*.yaml', native_histogram.yaml]").empty());
  CHECK(ends("tests: [{input_pages: {files: [nowhere.txt]}}]", "tests/ruletest/nowhere.txt'"));
  CHECK(ends("tests: [{input_pages: {files: ['pages/x*.txt']}}]",
             "no captured page matches 'input_pages'"));
  CHECK(problem_of("tests:\n- mesh: {fault: earthquake}").starts_with("2:1 there is no fault"));
  CHECK(problem_of("tests:\n- mesh: {fault: slow, workload: wbe}")
            .starts_with("2:1 there is no workload 'wbe'"));
  CHECK(problem_of("tests:\n- mesh: {fault: slow, workload: web}").empty());
}

TEST_CASE("a series that is given twice is warned of") {
  CHECK(problem_of("tests: [{input_series: [{series: 'a{b=\"c\",d=\"e\"}', values: 1}, {series: "
                   "'a{d=\"e\",b=\"c\"}', values: 2}, {series: 'a{b=\"c\"}', values: 3}]}]") ==
        "1:73 'a{d=\"e\",b=\"c\"}' is given twice: only these values count");
}

TEST_CASE("every mistake of a file is found at once") {
  CHECK(problems_of("rule_files: [nowhere.yaml]\n"
                    "tests:\n"
                    "- mesh: {fault: earthquake}\n"
                    "  input_series: [{series: 'up{', values: 'x'}]\n"
                    "  promql_expr_test: [{expr: 'up ==', eval_time: 1m}]\n")
            .size() == 5);
}

TEST_CASE("the value of a sample is a number as YAML writes it") {
  const auto value_of = [](const std::string& text) {
    Diagnostics found;
    const TestFile file = read_test_file(
        kPath,
        "tests: [{promql_expr_test: [{expr: up, exp_samples: [{labels: up, value: " + text +
            "}]}]}]",
        found);
    return found.has_errors() ? std::nullopt
                              : std::optional(file.tests.at(0).exprs.at(0).samples.at(0).value);
  };
  CHECK(value_of(".Inf") == std::numeric_limits<double>::infinity());
  CHECK(value_of("-.inf") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(value_of(".NaN").value_or(0)));
  CHECK(value_of("0x1f") == 31);
  CHECK(value_of("-0b11") == -3);
  CHECK(value_of("017") == 15);
  CHECK(value_of("08") == 8);
  CHECK(value_of("0") == 0);
  CHECK(value_of("1_000.5") == 1000.5);
  CHECK(value_of("+1.5e3") == 1500);
  for (const char* none : {"'1'", "Inf", "NaN", "_1", "0x", "1m", "+.nan", "--1", "+-1", "[1]"}) {
    CAPTURE(std::string(none));
    CHECK_FALSE(value_of(none));
  }
}

}  // namespace
}  // namespace tocsin::ruletest
