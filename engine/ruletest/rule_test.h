// SPDX-License-Identifier: Apache-2.0
//
// Files of rule tests, run: what `tocsin test` does. promtool's format and verdicts; what Tocsin
// adds is in test_file.h. Reads the files; no clock but the processor's, no thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ruletest/coverage.h"
#include "ruletest/timeline.h"

namespace tocsin::ruletest {

struct FileResult {
  std::string path;
  std::string problem;  // The file or its rules cannot be read: diagnostics. Empty: they can.
  std::vector<CaseResult> cases;

  int passed() const;
  int failed() const;  // A problem is one.
  // What failed, for people; empty when nothing did.
  std::string text() const;
};

struct RunOptions {
  // Whether a test of that name is to be run; null: all.
  std::function<bool(const std::string& name)> wanted;
  Coverage* coverage = nullptr;
  const Clock* clock = nullptr;  // Says how long tests take; null: nobody asks.
};

// Runs files. Rules that several of them name are read once.
class TestRunner {
 public:
  explicit TestRunner(RunOptions options = {}) : options_(std::move(options)) {}

  // Rule files that the file names are found beside it.
  FileResult run(const std::string& path);

 private:
  using Patterns = std::vector<std::string>;
  const rule::Loaded& rules_of(const Patterns& patterns);

  const RunOptions options_;
  std::map<Patterns, rule::Loaded> loaded_;
};

// The files below folders, `**` and other patterns that are rule tests (*.test.yaml, *_test.yml,
// and any file that is named itself), each once, in order.
std::vector<std::string> find_test_files(const std::vector<std::string>& patterns);

// JUnit's XML, as CI systems read it: a suite for each file, a case for each test.
std::string junit_xml(const std::vector<FileResult>& results);

}  // namespace tocsin::ruletest
