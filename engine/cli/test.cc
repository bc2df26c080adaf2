// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "cli/command.h"
#include "daemon/rule_test.h"

namespace tocsin::cli {
namespace {

int run_tests(const std::vector<std::string>& files) {
  int passed = 0;
  int failed = 0;
  for (const std::string& path : files) {
    const auto report = daemon::run_rule_tests(path);
    std::cout << report.text;
    passed += report.passed;
    failed += report.failed;
  }
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed > 0 ? kFailed : kOk;
}

}  // namespace

Run add_test(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("test", "Run rule unit tests, in promtool's format");
  command->add_option("FILE", *files, "Test files")->required();
  return [files] { return run_tests(*files); };
}

}  // namespace tocsin::cli
