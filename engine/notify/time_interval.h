// SPDX-License-Identifier: Apache-2.0
//
// Times of the week and the year as alertmanager.yml's time_intervals describe them. Each part that
// is given must hold, of each part one range: weekdays `monday:friday` with times 09:00 to 17:00 is
// an office's week. Without a location, UTC. Pure: the moment is an argument.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "notify/time_zone.h"
#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::notify {

// Both ends belong to it, except the last minute of a time.
struct CalendarRange {
  int first = 0;
  int last = 0;

  bool operator==(const CalendarRange&) const = default;
};

struct TimeInterval {
  std::vector<CalendarRange> times;          // Minutes of the day.
  std::vector<CalendarRange> weekdays;       // 0: Sunday.
  std::vector<CalendarRange> days_of_month;  // From 1; -1 is the last one.
  std::vector<CalendarRange> months;         // From 1.
  std::vector<CalendarRange> years;
  std::shared_ptr<const TimeZone> location;  // Null: UTC.

  bool contains(Timestamp at) const;
};

// What one name stands for: any of them.
using TimeIntervals = std::map<std::string, std::vector<TimeInterval>>;

// "09:00", "24:00": minutes of the day.
Result<int> parse_minute(std::string_view text);
// "monday", "monday:friday"
Result<CalendarRange> parse_weekdays(std::string_view text);
// "1", "1:5", "-3:-1"
Result<CalendarRange> parse_days_of_month(std::string_view text);
// "january", "1:3", "june:august"
Result<CalendarRange> parse_months(std::string_view text);
// "2026", "2026:2028"
Result<CalendarRange> parse_years(std::string_view text);

}  // namespace tocsin::notify
