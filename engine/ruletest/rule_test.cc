// SPDX-License-Identifier: Apache-2.0
#include "ruletest/rule_test.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "daemon/rule_files.h"

namespace tocsin::ruletest {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTestEndings[] = {".test.yaml", ".test.yml",  "_test.yaml",
                                             "_test.yml",  "-test.yaml", "-test.yml"};

bool is_test_file(const std::string& path) {
  return std::any_of(std::begin(kTestEndings), std::end(kTestEndings),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

std::string indented(const std::string& lines) {
  std::string out;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    out += "    " + lines.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

double seconds_of(const Clock* clock) {
  return clock ? std::chrono::duration<double>(clock->ticks()).count() : 0;
}

}  // namespace

int FileResult::passed() const {
  int out = 0;
  for (const CaseResult& one : cases) out += one.passed;
  return out;
}

int FileResult::failed() const {
  std::size_t out = problem.empty() ? 0 : 1;
  for (const CaseResult& one : cases) out += one.failures.size();
  return static_cast<int>(out);
}

std::string FileResult::text() const {
  std::string out = problem;
  for (const CaseResult& one : cases) {
    for (const Failure& failure : one.failures) {
      out += path + ":" + std::to_string(failure.line) + ": " + one.name + ": " + failure.what +
             "\n" + indented(failure.detail);
    }
  }
  return out;
}

const rule::Loaded& TestRunner::rules_of(const Patterns& patterns) {
  const auto known = loaded_.find(patterns);
  if (known != loaded_.end()) return known->second;
  auto loaded = daemon::load_rules(patterns, rule::Memory::Recorded);
  return loaded_.emplace(patterns, std::move(loaded)).first->second;
}

FileResult TestRunner::run(const std::string& path) {
  FileResult out;
  out.path = path;
  const auto bytes = tocsin::read_file(path);
  if (!bytes) {
    out.problem = bytes.error().message + "\n";
    return out;
  }
  Diagnostics diagnostics;
  const TestFile file = read_test_file(path, *bytes, diagnostics);
  const rule::Loaded& loaded = rules_of(file.rule_files);
  diagnostics.append(loaded.diagnostics);
  if (diagnostics.has_errors()) {
    out.problem = diagnostics.text();
    return out;
  }
  if (options_.coverage) options_.coverage->add(loaded.rules);
  for (const TestCase& test : file.tests) {
    if (options_.wanted && !options_.wanted(test.name)) continue;
    const double began = seconds_of(options_.clock);
    out.cases.push_back(run_case(file, test, loaded.rules, options_.coverage));
    out.cases.back().seconds = seconds_of(options_.clock) - began;
  }
  return out;
}

std::vector<std::string> find_test_files(const std::vector<std::string>& patterns) {
  std::vector<std::string> out;
  const auto add = [&](std::string path) {
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  };
  for (const std::string& pattern : patterns) {
    std::error_code ignored;
    if (fs::is_directory(pattern, ignored)) {
      for (std::string& path : glob_files((fs::path(pattern) / "**/*").string())) {
        if (is_test_file(path)) add(std::move(path));
      }
      continue;
    }
    for (std::string& path : glob_files(pattern)) add(std::move(path));
  }
  return out;
}

}  // namespace tocsin::ruletest
