// SPDX-License-Identifier: Apache-2.0
#include "tocsin/sample.h"

#include <doctest/doctest.h>

#include <cmath>

namespace tocsin {
namespace {

TEST_CASE("numbers are read in every notation of the text format") {
  CHECK(*parse_number("3.1535317467745613e+07") == 31535317.467745613);
  CHECK(*parse_number("0x1f") == 31);
  CHECK(std::isinf(*parse_number("+Inf")));
  CHECK(*parse_number("-inf") < 0);
  CHECK(std::isnan(*parse_number("NaN")));
  CHECK(*parse_number(".5") == 0.5);
  CHECK(*parse_number("1e999") > 1e308);
  for (const std::string text : {"", "-", "abc", "1x", "1 ", "nan(1)", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text).has_value());
  }
}

TEST_CASE("numbers are printed as Prometheus prints them") {
  CHECK(format_value(1e6) == "1000000");
  CHECK(format_value(0.1) == "0.1");
  CHECK(format_value(1e-7) == "0.0000001");
  CHECK(format_value(1e23) == "1" + std::string(23, '0'));
  CHECK(format_value(-1.5e300) == "-15" + std::string(299, '0'));
  CHECK(format_value(9007199254740993.0) == "9007199254740992");
  CHECK(format_value(1.7976931348623157e308).size() == 309);
  CHECK(format_number(123456789012345678.0) == "123456789012345680");
  CHECK(format_number(1e-7) == "1e-07");
  CHECK(format_number(1e21) == "1e+21");
  CHECK(format_exponent(20) == "2e+01");
  CHECK(format_value(-HUGE_VAL) == "-Inf");
}

TEST_CASE("the stale marker is a NaN apart from others") {
  CHECK(is_stale_nan(stale_nan()));
  CHECK_FALSE(is_stale_nan(normal_nan()));
  CHECK(std::isnan(stale_nan()));
}

}  // namespace
}  // namespace tocsin
