// SPDX-License-Identifier: Apache-2.0
//
// inhibit_rules and time_intervals, as in alertmanager.yml.
#include <algorithm>

#include "base/file.h"
#include "daemon/config_reader.h"
#include "notify/matcher_text.h"

namespace tocsin::daemon {
namespace {

using notify::CalendarRange;
using notify::TimeInterval;
using yaml::Mapping;
using yaml::Node;

constexpr std::string_view kZones = "/usr/share/zoneinfo/";

// Calls `take(item)` for every text of a list; anything else is reported.
template <class Take>
void for_each_text(Mapping& m, std::string_view key, Take take) {
  std::vector<std::string> texts;
  if (!m.read(key, texts)) return;
  for (const Node& item : m.find(key).items()) take(item);
}

using ParseRange = Result<CalendarRange> (*)(std::string_view text);

void read_ranges(Mapping& m, std::string_view key, ParseRange parse,
                 std::vector<CalendarRange>& out) {
  for_each_text(m, key, [&](const Node& item) {
    const auto range = parse(item.text());
    if (!range) return m.report().error(item, "bad-interval", range.error().message);
    out.push_back(*range);
  });
}

void read_minute(Mapping& m, std::string_view key, int& out) {
  std::string text;
  if (!m.require(key, text)) return;
  const auto minute = notify::parse_minute(text);
  if (!minute) return m.error(key, minute.error().message);
  out = *minute;
}

void read_times(Mapping& m, CalendarRange& range) {
  range = {0, 24 * 60};
  read_minute(m, "start_time", range.first);
  read_minute(m, "end_time", range.last);
  if (range.first < range.last) return;
  m.error("end_time", "end_time must be after start_time",
          "over midnight there are two: 22:00 to 24:00, and 00:00 to 06:00");
}

// Nothing outside the folder of zones.
bool is_zone_name(std::string_view name) {
  return !name.empty() && name.front() != '/' && name.find("..") == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

void read_location(Mapping& m, TimeInterval& interval) {
  std::string name;
  if (!m.read("location", name) || name == "UTC") return;
  const std::string path = name == "Local" ? "/etc/localtime" : std::string(kZones) + name;
  const auto bytes = is_zone_name(name) ? read_file(path) : fail(ErrorCode::NotFound, "");
  if (!bytes) {
    return m.error("location", "no time zone is called " + quote(name),
                   "for example Europe/Berlin; the zones are in the package tzdata");
  }
  auto zone = notify::TimeZone::parse(*bytes);
  if (!zone) return m.error("location", path + ": " + zone.error().message);
  interval.location = std::make_shared<const notify::TimeZone>(std::move(*zone));
}

void read_interval(Mapping& m, TimeInterval& interval) {
  m.read("times", interval.times, read_times);
  read_ranges(m, "weekdays", notify::parse_weekdays, interval.weekdays);
  read_ranges(m, "days_of_month", notify::parse_days_of_month, interval.days_of_month);
  read_ranges(m, "months", notify::parse_months, interval.months);
  read_ranges(m, "years", notify::parse_years, interval.years);
  read_location(m, interval);
}

struct NamedIntervals {
  std::string name;
  std::vector<TimeInterval> intervals;
};

void read_named(Mapping& m, NamedIntervals& named) {
  m.require("name", named.name);
  const yaml::Reporter::Context context(m.report(), "time interval '" + named.name + "'");
  m.read("time_intervals", named.intervals, read_interval);
}

}  // namespace

void read_time_intervals(Mapping& m, notify::TimeIntervals& intervals) {
  for (const char* key : {"time_intervals", "mute_time_intervals"}) {
    std::vector<NamedIntervals> list;
    m.read(key, list, read_named);
    for (NamedIntervals& named : list) {
      if (intervals.contains(named.name)) {
        m.error(key, "two time intervals are called " + quote(named.name));
      }
      intervals[named.name] = std::move(named.intervals);
    }
  }
}

void read_matchers(Mapping& m, std::string_view key, Matchers& out) {
  for_each_text(m, key, [&](const Node& item) {
    const auto matchers = notify::parse_matchers(item.text());
    if (!matchers) {
      return m.report().error(item, "bad-matcher", matchers.error().message,
                              R"(for example severity="critical")");
    }
    out.insert(out.end(), matchers->begin(), matchers->end());
  });
}

void read_inhibit_rule(Mapping& m, notify::InhibitRule& rule) {
  read_matchers(m, "source_matchers", rule.source);
  read_matchers(m, "target_matchers", rule.target);
  m.read("equal", rule.equal);
  for (const char* old : {"source_match", "source_match_re", "target_match", "target_match_re"}) {
    if (!m.has(old)) continue;
    m.error(old, "there is no " + quote(old) + ": write matchers",
            R"(source_matchers: [severity="critical"])");
  }
  if (rule.source.empty() || rule.target.empty()) {
    m.error_here(
        "a rule without source_matchers or target_matchers is about every alert",
        R"(source_matchers: [severity="critical"], target_matchers: [severity="warning"])");
  }
}

void read_interval_names(Mapping& m, std::string_view key, const notify::TimeIntervals& intervals,
                         std::vector<std::string>& out) {
  std::vector<std::string> known;
  for (const auto& [name, list] : intervals) known.push_back(name);
  for_each_text(m, key, [&](const Node& item) {
    out.push_back(item.text());
    if (intervals.contains(item.text())) return;
    const std::string near = nearest(item.text(), known);
    m.report().error(item, "unknown-interval", "no time interval is called " + quote(item.text()),
                     near.empty() ? "time_intervals: [{name: …, time_intervals: […]}]"
                                  : "did you mean '" + near + "'?");
  });
}

}  // namespace tocsin::daemon
