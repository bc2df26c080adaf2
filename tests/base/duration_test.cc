// SPDX-License-Identifier: Apache-2.0
#include "tocsin/duration.h"

#include <doctest/doctest.h>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

TEST_CASE("durations are read in Prometheus' notation and printed back canonically") {
  const struct {
    const char* text;
    Duration value;
    const char* printed;
  } cases[] = {
      {"0", 0ms, "0s"},          {"5m", 5min, "5m"},
      {"1h30m", 90min, "1h30m"}, {"1500ms", 1500ms, "1s500ms"},
      {"7d", 168h, "1w"},        {"8d", 192h, "8d"},
      {"1w1d", 192h, "8d"},      {"365d", 8760h, "1y"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.text));
    REQUIRE(parse_duration(c.text).has_value());
    CHECK(*parse_duration(c.text) == c.value);
    CHECK(format_duration(c.value) == c.printed);
  }
}

TEST_CASE("what is not a duration is nothing") {
  for (const std::string text :
       {"", "5", "m", "5x", "1m1h", "-5m", "5m5m", "1.5h", "999999999999y"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("instants are read as RFC 3339 or as Unix seconds") {
  CHECK(*parse_time("1970-01-01T00:00:01Z") == from_millis(1000));
  CHECK(*parse_time("2026-11-22T18:42:00.5+01:00") == *parse_time("2026-11-22T17:42:00.5Z"));
  CHECK(*parse_time("1435781451.781") == from_millis(1435781451781));
  CHECK_FALSE(parse_time("yesterday").has_value());
  CHECK_FALSE(parse_time("2026-13-01T00:00:00Z").has_value());
  CHECK(format_rfc3339(from_millis(1435781451781)) == "2015-07-01T20:10:51.781Z");
}

TEST_CASE("durations for people have two units at most") {
  CHECK(humanize_duration(45s) == "45s");
  CHECK(humanize_duration(2h + 5min + 7s) == "2h 5m");
  CHECK(humanize_duration(76h) == "3d 4h");
  CHECK(humanize_duration(24h + 5s) == "1d");
}

}  // namespace
}  // namespace tocsin
