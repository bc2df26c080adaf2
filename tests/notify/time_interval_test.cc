// SPDX-License-Identifier: Apache-2.0
#include "notify/time_interval.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "tocsin/duration.h"

namespace tocsin::notify {
namespace {

Timestamp at(const char* text) { return *parse_time(text); }

// A file of version 2 that has one kind of time, no changes, and a rule.
std::string zone_file(const std::string& rule, char offset_hours) {
  const auto block = [&](std::string types) {
    std::string out = "TZif2" + std::string(15, '\0') + std::string(16, '\0');
    out += std::string("\0\0\0\1\0\0\0\4", 8);  // One type, four letters.
    return out + types + std::string("UTC\0", 4);
  };
  const int seconds = offset_hours * 3600;
  std::string type(6, '\0');
  type[2] = static_cast<char>(seconds >> 8 & 0xff);
  type[3] = static_cast<char>(seconds & 0xff);
  return block(type) + block(type) + "\n" + rule + "\n";
}

std::shared_ptr<const TimeZone> berlin() {
  const auto zone = TimeZone::parse(zone_file("CET-1CEST,M3.5.0,M10.5.0/3", 1));
  REQUIRE(zone.has_value());
  return std::make_shared<const TimeZone>(*zone);
}

TEST_CASE("an interval holds where each of its parts does") {
  TimeInterval office;
  office.weekdays = {*parse_weekdays("monday:friday")};
  office.times = {{9 * 60, 17 * 60}};
  CHECK(office.contains(at("2026-11-23T09:00:00Z")));  // A Monday.
  CHECK(office.contains(at("2026-11-27T16:59:59.999Z")));
  CHECK_FALSE(office.contains(at("2026-11-23T08:59:59Z")));
  CHECK_FALSE(office.contains(at("2026-11-27T17:00:00Z")));
  CHECK_FALSE(office.contains(at("2026-11-22T12:00:00Z")));
  CHECK(TimeInterval{}.contains(at("2026-11-22T12:00:00Z")));
}

TEST_CASE("days count from the end of the month, too, however long it is") {
  struct Case {
    const char* range;
    const char* at;
    bool holds;
  };
  for (const Case& c : {Case{"1:5", "2026-11-05T23:59:00Z", true},
                        {"1:5", "2026-11-06T00:00:00Z", false},
                        {"-1", "2026-02-28T12:00:00Z", true},
                        {"-1", "2028-02-28T12:00:00Z", false},
                        {"-1", "2028-02-29T12:00:00Z", true},
                        {"-3:-1", "2026-11-28T12:00:00Z", true},
                        {"-3:-1", "2026-11-27T12:00:00Z", false},
                        {"25:31", "2026-02-28T12:00:00Z", true},
                        {"31", "2026-11-30T12:00:00Z", false},
                        {"-31:-1", "2026-02-01T12:00:00Z", true},
                        {"28:-1", "2026-12-30T12:00:00Z", true}}) {
    CAPTURE(c.range);
    CAPTURE(c.at);
    TimeInterval interval;
    interval.days_of_month = {*parse_days_of_month(c.range)};
    CHECK(interval.contains(at(c.at)) == c.holds);
  }
}

TEST_CASE("months and years are numbers or names") {
  TimeInterval interval;
  interval.months = {*parse_months("june:August"), *parse_months("12")};
  interval.years = {*parse_years("2026:2027")};
  CHECK(interval.contains(at("2026-07-01T00:00:00Z")));
  CHECK(interval.contains(at("2027-12-31T23:59:59Z")));
  CHECK_FALSE(interval.contains(at("2026-05-31T23:59:59Z")));
  CHECK_FALSE(interval.contains(at("2028-07-01T00:00:00Z")));
}

TEST_CASE("what makes no sense is refused, with what was perhaps meant") {
  CHECK(parse_weekdays("monday:fryday").error().message ==
        "not a day of the week: fryday; did you mean 'friday'?");
  CHECK(parse_weekdays("friday:monday").error().message == "ends before it begins: friday:monday");
  for (const char* bad : {"", "1", "mon", "monday:", "monday:friday:sunday"}) {
    CHECK_FALSE(parse_weekdays(bad).has_value());
  }
  for (const char* bad : {"", "0", "32", "-32", "5:1", "-1:-3", "-3:5", "1.5", "one"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_days_of_month(bad).has_value());
  }
  for (const char* bad : {"0", "13", "march:january", "juni"}) {
    CHECK_FALSE(parse_months(bad).has_value());
  }
  for (const char* bad : {"24:01", "25:00", "12:60", "9:00", "0900", "ab:cd", "-1:00", "12:-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_minute(bad).has_value());
  }
  CHECK(*parse_minute("24:00") == 24 * 60);
}

TEST_CASE("a location's clocks decide, in summer and in winter") {
  TimeInterval evening;
  evening.times = {{18 * 60, 20 * 60}};
  evening.location = berlin();
  CHECK(evening.contains(at("2026-07-01T16:00:00Z")));
  CHECK_FALSE(evening.contains(at("2026-07-01T18:00:00Z")));
  CHECK(evening.contains(at("2026-12-01T17:00:00Z")));
  CHECK_FALSE(evening.contains(at("2026-12-01T16:59:00Z")));
}

TEST_CASE("the rule of a zone changes its clocks at the second that it says") {
  struct Case {
    const char* rule;
    const char* at;
    int offset;
  };
  for (const Case& c : {Case{"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 3600},
                        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7200},
                        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", 7200},
                        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 3600},
                        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -5 * 3600},
                        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -4 * 3600},
                        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-01-01T00:00:00Z", 39600},
                        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-07-01T00:00:00Z", 37800},
                        {"IST-5:30", "2026-07-01T00:00:00Z", 19800},
                        {"XXX0YYY,J60,J300", "2028-03-01T02:00:00Z", 3600},
                        {"XXX0YYY,J60,J300", "2028-03-01T01:59:59Z", 0},
                        {"XXX0YYY,59,300/-1", "2026-03-01T02:00:00Z", 3600}}) {
    CAPTURE(c.rule);
    CAPTURE(c.at);
    const auto rule = parse_zone_rule(c.rule);
    REQUIRE(rule.has_value());
    CHECK(rule->offset_at(to_millis(at(c.at)) / 1000) == c.offset);
  }
  for (const char* bad : {"", "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,J1",
                          "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_zone_rule(bad).has_value());
  }
}

TEST_CASE("a file that is cut short or damaged anywhere is an error or another zone, no crash") {
  const std::string file = zone_file("CET-1CEST,M3.5.0,M10.5.0/3", 1);
  for (std::size_t length = 0; length < file.size(); ++length) {
    (void)TimeZone::parse(std::string_view(file).substr(0, length));
    std::string damaged = file;
    damaged[length] = static_cast<char>(damaged[length] ^ 0xff);
    const auto zone = TimeZone::parse(damaged);
    if (zone) (void)zone->offset_at(at("2026-07-01T00:00:00Z"));
  }
  CHECK_FALSE(TimeZone::parse("").has_value());
  CHECK_FALSE(TimeZone::parse(file.substr(0, 60)).has_value());
}

TEST_CASE("the zones of this machine are read, with their past") {
  const auto bytes = read_file("/usr/share/zoneinfo/Europe/London");
  if (!bytes) {
    MESSAGE("skipped: not at hand");
    return;
  }
  const auto london = TimeZone::parse(*bytes);
  REQUIRE(london.has_value());
  CHECK(london->offset_at(at("1970-07-01T00:00:00Z")) == 3600);  // Summer all year round.
  CHECK(london->offset_at(at("1970-12-01T00:00:00Z")) == 3600);
  CHECK(london->offset_at(at("2026-07-01T00:00:00Z")) == 3600);
  CHECK(london->offset_at(at("2090-12-01T00:00:00Z")) == 0);
}

}  // namespace
}  // namespace tocsin::notify
