// SPDX-License-Identifier: Apache-2.0
#include "rule/sweep.h"

#include <doctest/doctest.h>

namespace tocsin::rule {
namespace {

using Values = std::vector<std::string>;

TEST_CASE("values lie evenly between two ends, in their unit") {
  const struct {
    const char* text;
    Values values;
  } cases[] = {
      {"below=98%..100%", {"98%", "98.5%", "99%", "99.5%", "100%"}},
      {"above=200ms..1s/2", {"200ms", "600ms", "1s"}},
      {"above=2x baseline..4x baseline/2", {"2x baseline", "3x baseline", "4x baseline"}},
      {"above=10/s..20/s/1", {"10/s", "20/s"}},
      {"expr=0.1..0.3/2", {"0.1", "0.2", "0.3"}},
      {"more_than=1..3/4", {"1", "1.5", "2", "2.5", "3"}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    const auto sweep = parse_sweep(c.text);
    REQUIRE(sweep);
    CHECK(sweep->values == c.values);
    CHECK(sweep->rule.empty());
  }
  CHECK(parse_sweep("CheckoutFails.below=98%..99%")->rule == "CheckoutFails");
}

TEST_CASE("what is no sweep is answered with what one looks like") {
  for (const char* text : {"below", "below=98%", "=1..2", "below=98%..1s", "below=a..b",
                           "below=1..2/0", "below=1..2/1000"}) {
    CAPTURE(std::string(text));
    CHECK_FALSE(parse_sweep(text));
  }
}

const std::vector<SourceFile> kFiles{{"a.yaml", R"(groups:
  - name: g
    rules:
      - alert: Fails
        success_rate: {below: "99%", over: 5m}   # a comment
      - alert: Slow
        latency: {above: 500ms}
      - alert: Errors
        expr: |
          sum(rate(errors_total[5m]))
            > 0.5
)"}};

// The line of the changed file, or the error.
std::string changed(const std::string& sweep, const std::string& value, int line) {
  const auto parsed = parse_sweep(sweep + "=1..2");
  REQUIRE(parsed);
  const auto files = with_value(kFiles, *parsed, value);
  if (!files) return files.error().message;
  std::size_t at = 0;
  for (int i = 1; i < line; ++i) at = files->front().bytes.find('\n', at) + 1;
  return files->front().bytes.substr(at, files->front().bytes.find('\n', at) - at);
}

TEST_CASE("only the value changes, wherever it stands") {
  CHECK(changed("below", "98%", 5) == "        success_rate: {below: 98%, over: 5m}   # a comment");
  CHECK(changed("Slow.above", "1s", 7) == "        latency: {above: 1s}");
  CHECK(changed("expr", "0.75", 11) == "            > 0.75");
}

TEST_CASE("a threshold that there is not, or that several rules have, is an error that says so") {
  CHECK(changed("quantile", "1", 1) == "no rule has a threshold 'quantile'");
  CHECK(changed("Fast.above", "1", 1) == "no rule has a threshold 'above' and is called Fast");
  auto twice = kFiles;
  twice.push_back(kFiles.front());
  const auto files = with_value(twice, *parse_sweep("below=1..2"), "1");
  REQUIRE_FALSE(files);
  CHECK(files.error().message ==
        "'below' is a threshold of Fails, Fails: write which one, like Fails.below=…");
}

}  // namespace
}  // namespace tocsin::rule
