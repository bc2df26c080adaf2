// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tocsin/promql.h"

namespace tocsin::promql {
namespace {

TEST_CASE("expressions are printed as Prometheus prints them, and read back") {
  const struct {
    const char* text;
    const char* printed;
  } cases[] = {
      {"1+2*3", "1 + 2 * 3"},
      {"-2^2", "-2 ^ 2"},
      {"2 ^ -3", "2 ^ -3"},
      {"a and b or c unless d", "a and b or c unless d"},
      {"sum(rate(x[5m]))by(job,le)", "sum by (job, le) (rate(x[5m]))"},
      {"topk without(pod) (3, x)", "topk without (pod) (3, x)"},
      {"x{a='b',c!~\"d.*\"}", R"(x{a="b",c!~"d.*"})"},
      {"{__name__=~\"a|b\"}", R"({__name__=~"a|b"})"},
      {"{\"my.metric\", \"a.b\"=\"c\"}", R"({"my.metric","a.b"="c"})"},
      {"x offset 1h30m @ 10", "x @ 10.000 offset 1h30m"},
      {"x[5m] offset -1m", "x[5m] offset -1m"},
      {"x[90s]", "x[1m30s]"},
      {"x[300]", "x[5m]"},
      {"rate(x[5m])[1h:]", "rate(x[5m])[1h:]"},
      {"max_over_time(x[1h:30s] @ end())", "max_over_time(x[1h:30s] @ end())"},
      {"a / on(x) group_left(y) b", "a / on (x) group_left (y) b"},
      {"a == bool on() b", "a == bool on () b"},
      {"a * ignoring(x) group_right b", "a * ignoring (x) group_right () b"},
      {"(a)", "(a)"},
      {"sum(sum)", "sum(sum)"},
      {"by", "by"},
      {"1e3 + 0x1f + .5 + Inf", "1000 + 31 + 0.5 + +Inf"},
      {"5m + time()", "5m + time()"},
      {"a # remark\n + b", "a + b"},
      {"`x\\y`", R"("x\\y")"},
      {"A OR b", "A or b"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    const auto expr = parse(c.text);
    if (!expr) FAIL_CHECK(expr.error().message);
    if (!expr) continue;
    CHECK(print(**expr) == c.printed);
    const auto again = parse(print(**expr));
    REQUIRE(again.has_value());
    CHECK(print(**again) == c.printed);
  }
}

TEST_CASE("what is wrong is said, where it is") {
  const struct {
    const char* text;
    const char* wrong;
    const char* message;
  } cases[] = {
      {"", "", "no expression found in input"},
      {"rat(x[5m])", "rat", "unknown function with name \"rat\""},
      {"rate(x)", "x",
       "expected type range vector in call to function \"rate\", got instant vector"},
      {"sum(x[5m])", "x[5m]",
       "expected type instant vector in aggregation expression, got range vector"},
      {"a +", "", "unexpected end of input"},
      {"(a", "", "unexpected end of input in parentheses, expected \")\""},
      {"x[5m", "", "unexpected end of input in range, expected \"]\""},
      {"x[0s]", "0s", "duration must be greater than 0"},
      {"{}", "{}", "vector selector must contain at least one non-empty matcher"},
      {"x{a=~\"(\"}", "\"(\"", nullptr},
      {"1 == 2", "1 == 2", "comparisons between scalars must use BOOL modifier"},
      {"a and 1", "a and 1", "set operator \"and\" not allowed in binary scalar expression"},
      {"x{a=\"b}", "\"b}", "unterminated quoted string"},
      {"a b", "b", "unexpected identifier \"b\""},
      {"time() offset 5m", "offset", nullptr},
      {"x offset 1m offset 2m", "offset", "offset may not be set multiple times"},
      {"a * on(x) group_left(x) b", "group_left",
       "label \"x\" must not occur in ON and GROUP clause at once"},
      {"round()", "round()", "expected at least 1 argument(s) in call to \"round\", got 0"},
      {"a @ foo", "foo", nullptr},
      {"~", "~", "unexpected character: '~'"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    const auto expr = parse(c.text);
    REQUIRE_FALSE(expr.has_value());
    const Problem& problem = expr.error();
    const std::string_view text = c.text;
    if (c.message) CHECK(problem.message == c.message);
    CHECK(text.substr(std::min(problem.begin, text.size()), problem.end - problem.begin) ==
          c.wrong);
  }
  CHECK(parse("histogram_quantille(1, x)").error().hint == "did you mean 'histogram_quantile'?");
  CHECK(parse("rat(x[5m])").error().hint == "did you mean 'rate'?");
  CHECK(parse("smu(x)").error().hint == "did you mean 'sum'?");
  for (const char* old : {"holt_winters(x[5m], 0.5, 0.5)", "holt_winter(x[5m], 0.5, 0.5)"}) {
    CHECK(parse(old).error().hint == "did you mean 'double_exponential_smoothing'?");
  }
}

TEST_CASE("an expression nested beyond reason is refused, not a crash") {
  CHECK_FALSE(parse(std::string(100'000, '(')).has_value());
  CHECK_FALSE(parse(std::string(100'000, '-') + "1").has_value());
}

TEST_CASE("an expression says which series it needs and for how long") {
  const auto expr = parse("max_over_time(rate(a{b=\"c\"}[5m])[1h:] offset 10m) > d");
  REQUIRE(expr.has_value());
  const auto needs = needs_of(**expr);
  REQUIRE(needs.size() == 2);
  CHECK(needs[0].history == std::chrono::minutes(75));
  CHECK(needs[0].matchers.size() == 2);
  CHECK(needs[1].history == std::chrono::minutes(5));
}

}  // namespace
}  // namespace tocsin::promql
