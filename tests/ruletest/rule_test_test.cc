// SPDX-License-Identifier: Apache-2.0
#include "ruletest/rule_test.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "support/files.h"

namespace tocsin::ruletest {
namespace {

namespace fs = std::filesystem;

void run_all_below(const fs::path& folder) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.path().string().ends_with(".test.yaml")) continue;
    ++files;
    const FileResult report = TestRunner().run(entry.path().string());
    if (report.failed() > 0) FAIL_CHECK(report.text());
    CHECK(report.passed() > 0);
  }
  CHECK(files > 0);
}

TEST_CASE("every shipped rule passes the tests beside it") {
  run_all_below(TOCSIN_SOURCE_DIR "/rules");
}

TEST_CASE("all shipped rules together make one page of one fault") {
  run_all_below(TOCSIN_SOURCE_DIR "/tests/scenario");
}

TEST_CASE("every shipped rule file has its tests beside it") {
  for (const auto& entry : fs::recursive_directory_iterator(TOCSIN_SOURCE_DIR "/rules")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".yaml") || path.ends_with(".test.yaml")) continue;
    CAPTURE(path);
    CHECK(fs::exists(path.substr(0, path.size() - 5) + ".test.yaml"));
  }
}

TEST_CASE("rules make native histograms, and tests expect them") {
  const FileResult report =
      TestRunner().run(TOCSIN_SOURCE_DIR "/tests/ruletest/native_histogram.test.yaml");
  if (report.failed() > 0) FAIL_CHECK(report.text());
  CHECK(report.passed() > 0);
}

TEST_CASE("promtool's own test files get promtool's verdict") {
  const auto folder = shared("promtool");
  if (!folder) return;
  const struct {
    const char* file;
    int failures;
  } cases[] = {
      // Four expectations count a sample on the left edge of a window, which Prometheus 3 leaves
      // out; these files are those of 2.42.
      {"unittest.yml", 4},   {"long-period.yml", 0},           {"bad-input-series.yml", 1},
      {"bad-promql.yml", 1}, {"bad-rules-syntax-test.yml", 1}, {"bad-rules-error-test.yml", 1},
      {"failing.yml", 1},    {"at-modifier-test.yml", 0},      {"negative-offset-test.yml", 0},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.file));
    const FileResult report = TestRunner().run((*folder / c.file).string());
    CAPTURE(report.text());
    CHECK((report.failed() > 0) == (c.failures > 0));
    if (c.failures > 1) CHECK(report.failed() == c.failures);
  }
}

}  // namespace
}  // namespace tocsin::ruletest
