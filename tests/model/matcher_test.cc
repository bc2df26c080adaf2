// SPDX-License-Identifier: Apache-2.0
#include "tocsin/matcher.h"

#include <doctest/doctest.h>

namespace tocsin {
namespace {

TEST_CASE("regular expressions match the whole value, newlines included") {
  const auto m = Matcher::make(Matcher::Op::Regex, "a", "x.*|y");
  REQUIRE(m.has_value());
  CHECK(m->matches("x\n1"));
  CHECK(m->matches("y"));
  CHECK_FALSE(m->matches("zy"));
  CHECK(m->text() == R"(a=~"x.*|y")");
}

TEST_CASE("an absent label is an empty one") {
  const Labels labels{{"a", "1"}};
  CHECK(Matcher::equal("b", "").matches(labels));
  CHECK(Matcher::not_equal("b", "x").matches(labels));
  CHECK_FALSE(Matcher::not_equal("a", "1").matches(labels));
}

TEST_CASE("only an equal sign names a metric") {
  const Matcher other = Matcher::equal("a", "up");
  const auto like_up = Matcher::make(Matcher::Op::Regex, "__name__", "up");
  CHECK(metric_name_of({other, Matcher::equal("__name__", "up")}) == "up");
  CHECK_FALSE(metric_name_of({other, Matcher::not_equal("__name__", "up"), *like_up}));
  CHECK_FALSE(metric_name_of({}));
}

TEST_CASE("a bad expression is an error that names it") {
  const auto m = Matcher::make(Matcher::Op::NotRegex, "a", "(");
  REQUIRE_FALSE(m.has_value());
  CHECK(m.error().message.find("\"(\"") != std::string::npos);
}

TEST_CASE("replacements expand groups as Go does") {
  const auto re = Regex::compile("(.*):(?P<port>\\d+)");
  REQUIRE(re.has_value());
  CHECK(*re->expand("host:80", "$1-${port}-$2x-$$") == "host-80--$");
  CHECK_FALSE(re->expand("host", "$1").has_value());
  CHECK(*Regex::replace_all("a+", "caat", "<$0>") == "c<aa>t");
  CHECK(*Regex::replace_all("", "ab", "-") == "-a-b-");
}

}  // namespace
}  // namespace tocsin
