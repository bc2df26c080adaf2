// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "ruletest/rule_test.h"
#include "tocsin/clock.h"
#include "tocsin/matcher.h"

namespace tocsin::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string run;    // A regular expression for the names of tests.
  std::string junit;  // Where to write the report.
  bool coverage = false;
};

int report(const Options& options, const std::vector<ruletest::FileResult>& results) {
  int passed = 0;
  int failed = 0;
  std::size_t tests = 0;
  for (const ruletest::FileResult& result : results) {
    std::cout << result.text();
    passed += result.passed();
    failed += result.failed();
    tests += result.cases.size();
  }
  std::cout << passed << " passed, " << failed << " failed\n";
  if (tests == 0 && failed == 0) {
    std::cerr << "no test was run" << (options.run.empty() ? "" : ": --run names none of them")
              << '\n';
    return kFailed;
  }
  return failed > 0 ? kFailed : kOk;
}

int run_tests(const Options& options) {
  const auto valid = Regex::search(options.run, "");
  if (!valid) {
    std::cerr << "--run: " << valid.error().message << '\n';
    return kUsage;
  }
  ruletest::Coverage coverage;
  const SystemClock clock;
  ruletest::RunOptions run;
  run.coverage = options.coverage ? &coverage : nullptr;
  run.clock = &clock;
  run.wanted = [&](const std::string& test) {
    return Regex::search(options.run, test).value_or(false);
  };
  ruletest::TestRunner runner(std::move(run));
  std::vector<ruletest::FileResult> results;
  for (const std::string& path : ruletest::find_test_files(options.files)) {
    results.push_back(runner.run(path));
  }
  if (!options.junit.empty()) {
    const auto written = write_file(options.junit, ruletest::junit_xml(results));
    if (!written) {
      std::cerr << written.error().message << '\n';
      return kFailed;
    }
  }
  if (options.coverage) std::cout << coverage.text();
  return report(options, results);
}

}  // namespace

Run add_test(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "test", "Run rule unit tests: promtool's format, and meshes, restarts and notifications");
  command
      ->add_option("FILE", options->files,
                   "Test files, patterns, and folders with *.test.yaml or *_test.yml below them")
      ->required();
  command->add_option("--run", options->run, "Only tests whose name matches this expression");
  command->add_option("--junit", options->junit, "Write a JUnit report to this file");
  command->add_flag("--coverage", options->coverage,
                    "Say what of the rules no test has seen: alerts that never fired, sides of "
                    "and/or/unless, conditions of templates");
  return [options] { return run_tests(*options); };
}

}  // namespace tocsin::cli
