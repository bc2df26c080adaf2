// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "promql/script.h"

namespace tocsin::cli {
namespace {

int run_scripts(const std::vector<std::string>& files) {
  int passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  for (const std::string& path : files) {
    const auto text = read_file(path);
    if (!text) {
      std::cerr << text.error().message << '\n';
      return kFailed;
    }
    const auto report = promql::run_script(*text);
    for (const auto& f : report.failures) {
      std::cout << path << ":" << f.line << ": " << f.query << "\n  expected: " << f.expected
                << "\n  actual: " << f.actual << '\n';
    }
    for (const auto& s : report.skipped) {
      std::cout << path << ":" << s.line << ": skipped: " << s.actual << '\n';
    }
    passed += report.passed;
    failed += report.failures.size();
    skipped += report.skipped.size();
  }
  std::cout << passed << " passed, " << failed << " failed, " << skipped << " skipped\n";
  return failed > 0 ? kFailed : kOk;
}

}  // namespace

Run add_promqltest(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("promqltest", "Run Prometheus' PromQL test scripts");
  command->add_option("FILE", *files, "Scripts (.test)")->required();
  return [files] { return run_scripts(*files); };
}

}  // namespace tocsin::cli
