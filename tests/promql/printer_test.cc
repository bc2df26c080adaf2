// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>

#include "promql/script_reader.h"
#include "support/files.h"
#include "support/same_tree.h"

namespace tocsin::promql {
namespace {

namespace fs = std::filesystem;

// The tree of what is printed is the tree that was printed, and prints as the same text.
void check_read_back(const std::string& query) {
  CAPTURE(query);
  const auto tree = parse(query);
  if (!tree) return;  // The script expects just that.
  const std::string text = print(**tree);
  CAPTURE(text);
  const auto again = parse(text);
  if (!again) {
    FAIL_CHECK(again.error().message);
    return;
  }
  CHECK(same_tree(**tree, **again));
  CHECK(print(**again) == text);
}

// How many queries the scripts of a folder hold.
int check_scripts(const fs::path& folder) {
  int queries = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".test") continue;
    CAPTURE(entry.path().string());
    for (const Command& command : read_script(bytes_of(entry.path()))) {
      const auto* eval = std::get_if<EvalCommand>(&command.what);
      if (!eval) continue;
      check_read_back(eval->query);
      ++queries;
    }
  }
  return queries;
}

TEST_CASE("what is printed reads back as the same tree, in every query of our scripts") {
  CHECK(check_scripts(TOCSIN_SOURCE_DIR "/tests/promql") > 0);
}

TEST_CASE("what is printed reads back as the same tree, in every query of Prometheus' scripts") {
  if (const auto folder = shared("promqltest")) CHECK(check_scripts(*folder) > 900);
}

TEST_CASE("what is printed reads back as the same tree, where that is not easy") {
  for (const char* query : {"--1",
                            "-(-1)",
                            "- -x",
                            "-x ^ 2",
                            "(-x) ^ 2",
                            "-(x ^ 2)",
                            "2 ^ 3 ^ 2",
                            "(2 ^ 3) ^ 2",
                            "1 - (2 - 3)",
                            "1 - 2 - 3",
                            "-1 ^ 2",
                            "(-1) ^ 2",
                            "2 ^ -x",
                            "a ^ - b ^ c",
                            "x offset -5m",
                            "x @ -1.5",
                            "x @ 0.0005",
                            "x @ 9e12",
                            "x @ start() offset 1y",
                            "x[0.001]",
                            "x[1e3]",
                            "x[100y]",
                            "-5m",
                            "5m - -1h",
                            "-0",
                            "1 / -0s",
                            "1e999 ^ 2",
                            "-1e999 ^ 2",
                            "2 ^ 1e999",
                            "0x7fffffffffffffff",
                            "1e308 * 10",
                            "-Inf",
                            "NaN",
                            "5e-324",
                            "1.7976931348623157e308",
                            "0.1 + 0.2",
                            "123456789012345678",
                            "{__name__=\"x\"}",
                            "{\"x\"}",
                            "{\"x\",__name__!=\"y\"}",
                            "{\"a b\"}",
                            "x{__name__!=\"\"}",
                            "{\"__name__\"=\"x\"}",
                            "{\"x y\"=\"z\"}",
                            "inf{}",
                            "{\"inf\"}",
                            "{\"NaN\"}",
                            "{\"sum\"}",
                            "sum{}",
                            "by",
                            "{\"and\"}",
                            "and{}",
                            "{\"bool\"}",
                            "{\"offset\"}",
                            "start",
                            "end + start",
                            "x{on=\"ignoring\"}",
                            "sum by (by, without, on, bool) (x)",
                            "sum by (\"a b\") (x)",
                            "sum by () (x)",
                            "sum without () (x)",
                            "a and on () b",
                            "a + ignoring () b",
                            "a / on (a) group_right () b",
                            "a > bool ignoring (x) group_left () b",
                            "'\\xff'",
                            "\"\\u00e9\\n\\t\\\"\"",
                            "`a\\b\n`",
                            "\"\\000\"",
                            "\"\\U0001f514\\u200b\"",
                            "x{a=\"\\n\\\\\"}",
                            "x{a=~`\\d+\"`}",
                            "count_values(\"a\\\"b\", x)",
                            "(((x)))",
                            "x[5m:] @ end() offset -1ms",
                            "x[1w2d3h4m5s6ms:7ms]",
                            "(1 + x)[1h:1m][5m:10s]",
                            "sum(sum_over_time(x[5m])[1h:])",
                            "label_join(x, \"a\", \"\", \"b\", \"c\")"}) {
    check_read_back(query);
  }
}

}  // namespace
}  // namespace tocsin::promql
