// SPDX-License-Identifier: Apache-2.0
#include "rule/explain_expr.h"

#include <doctest/doctest.h>

namespace tocsin::rule {
namespace {

std::string explained(const char* text) {
  std::string out;
  for (const auto& [heading, line] : expression_lines(*promql::parse(text).value())) {
    out += heading + ": " + line + "\n";
  }
  return out;
}

TEST_CASE("an expression in words says what is computed over which series") {
  const struct {
    const char* expr;
    const char* words;
  } cases[] = {
      {"up", "up"},
      {R"(up{job="a",pod!="b",x=~"c.*",y!~"d",z="",w!=""})",
       "up (job is a, pod is not b, x fits c.*, y does not fit d, no z, any w)"},
      {R"({job="a"})", "every series (job is a)"},
      {"x offset 5m", "x, as it was 5m before"},
      {"sum by (ns) (rate(x[5m]))", "the sum by (ns) of the change per second over 5m of x"},
      {"count(x)", "the number of x"},
      {"topk(3, x)", "the largest 3 of x"},
      {"a / b", "a, divided by b"},
      {"a + 2", "a + 2"},
      {"a > 2", "a where it is more than 2"},
      {"absent(x)", "the absence of x"},
      {"quantile_over_time(0.9, x[1h])", "the quantile 0.9 over 1h of x"},
      {"max_over_time(sum(x)[1h:1m])", "the most over 1h of the sum of x"},
      {"x - time()", "x - the time now"},
      {R"(label_replace(x, "a", "$1", "b", ".*"))", "x"},
      {"histogram_quantile(0.99, x)", "the quantile 0.99 of x"},
      {"clamp(x, 1, 2)", "clamp(x, 1, 2)"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.expr));
    CHECK(in_words(*promql::parse(c.expr).value()) == c.words);
  }
}

TEST_CASE("an alert's expression says what it fires on, and where that counts") {
  CHECK(explained("sum by (ns) (rate(bad[5m])) / sum by (ns) (rate(all[5m])) > 0.05 "
                  "and on (ns) sum by (ns) (increase(all[5m])) >= 100 unless on (ns) down == 1") ==
        "watches: the sum by (ns) of the change per second over 5m of bad, divided by the sum by "
        "(ns) of the change per second over 5m of all\n"
        "fires on: more than 0.05\n"
        "only where there is: the sum by (ns) of the increase over 5m of all where it is at least "
        "100, for the same ns\n"
        "not where there is: down where it is exactly 1, for the same ns\n");
  CHECK(explained("x < 1 > 0") == "watches: x\nfires on: less than 1\nfires on: more than 0\n");
  CHECK(explained("5 < x") == "watches: x\nfires on: more than 5\n");
  CHECK(explained("a > b") == "watches: a\nfires on: more than b\n");
  CHECK(explained("absent(x) or y > 1") ==
        "watches: the absence of x\nor: \nwatches: y\nfires on: more than 1\n");
}

}  // namespace
}  // namespace tocsin::rule
