// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_test.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>

namespace tocsin::daemon {
namespace {

namespace fs = std::filesystem;

TEST_CASE("every shipped rule passes the tests beside it") {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(TOCSIN_SOURCE_DIR "/rules")) {
    if (!entry.path().string().ends_with(".test.yaml")) continue;
    ++files;
    const RuleTestReport report = run_rule_tests(entry.path().string());
    if (report.failed > 0) FAIL_CHECK(report.text);
    CHECK(report.passed > 0);
  }
  CHECK(files > 0);
}

TEST_CASE("every shipped rule file has its tests beside it") {
  for (const auto& entry : fs::recursive_directory_iterator(TOCSIN_SOURCE_DIR "/rules")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".yaml") || path.ends_with(".test.yaml")) continue;
    CAPTURE(path);
    CHECK(fs::exists(path.substr(0, path.size() - 5) + ".test.yaml"));
  }
}

TEST_CASE("promtool's own test files get promtool's verdict") {
  const fs::path folder = fs::path(TOCSIN_SHARED_DIR) / "promtool";
  if (!fs::exists(folder)) {
    std::cout << "skipped: not at hand: promtool's test files\n";
    return;
  }
  const struct {
    const char* file;
    bool passes;
  } cases[] = {
      {"unittest.yml", true},
      {"long-period.yml", true},
      {"bad-input-series.yml", false},
      {"bad-promql.yml", false},
      {"bad-rules-syntax-test.yml", false},
      {"bad-rules-error-test.yml", false},
      {"failing.yml", false},
      {"at-modifier-test.yml", true},
      {"negative-offset-test.yml", true},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.file));
    const RuleTestReport report = run_rule_tests((folder / c.file).string());
    CAPTURE(report.text);
    CHECK((report.failed == 0) == c.passes);
  }
}

}  // namespace
}  // namespace tocsin::daemon
