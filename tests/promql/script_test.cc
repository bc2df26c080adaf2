// SPDX-License-Identifier: Apache-2.0
//
// Runs the scripts of tests/promql, and those of Prometheus 3.5 where they are at hand.
#include "promql/script.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

#include "support/files.h"

namespace tocsin::promql {
namespace {

namespace fs = std::filesystem;

std::string describe(const fs::path& path, const ScriptReport::Failure& f) {
  return path.filename().string() + ":" + std::to_string(f.line) + ": " + f.query +
         "\n expected: " + f.expected + "\n actual: " + f.actual;
}

TEST_CASE("our own scripts pass") {
  int passed = 0;
  for (const auto& entry : fs::directory_iterator(TOCSIN_SOURCE_DIR "/tests/promql")) {
    if (entry.path().extension() != ".test") continue;
    const ScriptReport report = run_script(bytes_of(entry.path()));
    for (const auto& f : report.failures) FAIL_CHECK(describe(entry.path(), f));
    for (const auto& f : report.skipped) FAIL_CHECK(describe(entry.path(), f));
    passed += report.passed;
  }
  CHECK(passed >= 10);
}

TEST_CASE("a wrong expectation fails") {
  const ScriptReport report = run_script(
      "load 1m\n  a 1 2\n\neval instant at 1m a\n  a 3\n\neval instant at 1m a\n  a 2\n");
  CHECK(report.passed == 1);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].line == 4);
}

// The cases of Prometheus' scripts and their classes, by file and line.
using Classes = std::map<std::string, std::map<int, std::string>>;

Classes read_classes(const fs::path& folder) {
  Classes out;
  std::stringstream in(bytes_of(folder / "cases.tsv"));
  std::string line;
  std::getline(in, line);  // The names of the columns.
  while (std::getline(in, line)) {
    std::stringstream fields(line);
    std::string file, number, mode, kind;
    std::getline(fields, file, '\t');
    std::getline(fields, number, '\t');
    std::getline(fields, mode, '\t');
    std::getline(fields, kind, '\t');
    out[file][std::stoi(number)] = kind;
  }
  return out;
}

struct Count {
  std::size_t cases = 0;
  std::size_t failed = 0;
};

TEST_CASE("Prometheus' own scripts pass, every class of them") {
  const auto folder = shared("promqltest");
  if (!folder) return;
  std::map<std::string, Count> counts;
  for (const auto& [file, classes] : read_classes(*folder)) {
    for (const auto& [line, kind] : classes) ++counts[kind].cases;
    const ScriptReport report = run_script(bytes_of(*folder / file));
    for (const auto* list : {&report.failures, &report.skipped}) {
      for (const auto& f : *list) {
        const auto it = classes.find(f.line);
        ++counts[it == classes.end() ? "not a case" : it->second].failed;
        MESSAGE(describe(*folder / file, f));
      }
    }
  }
  for (const auto& [kind, count] : counts) {
    std::cout << "promqltest: " << count.cases - count.failed << " of " << count.cases << " "
              << kind << "\n";
  }
  CHECK(counts["core"].cases == 820);
  for (const auto& [kind, count] : counts) {
    INFO(kind);
    CHECK(count.failed == 0);
  }
}

}  // namespace
}  // namespace tocsin::promql
