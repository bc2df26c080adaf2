// SPDX-License-Identifier: Apache-2.0
#include "notify/time_interval.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/whole_number.h"
#include "tocsin/diagnostics.h"

namespace tocsin::notify {
namespace {

namespace chrono = std::chrono;

constexpr int kMinutesOfDay = 24 * 60;

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

// ---- Reading.

using Names = std::span<const std::string_view>;

// The words of one part of the calendar, and what their numbers can be.
struct Unit {
  std::string_view noun;
  Names names;    // May be empty.
  int first = 0;  // The number of the first name.
  int least = 0;
  int most = 0;
  bool takes_numbers = true;
};

constexpr Unit kWeekdayUnit{"day of the week", kWeekdays, 0, 0, 6, false};
constexpr Unit kMonthUnit{"month", kMonths, 1, 1, 12, true};
constexpr Unit kDayUnit{"day of the month", {}, 0, -31, 31, true};
constexpr Unit kYearUnit{"year", {}, 0, 0, 9999, true};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

Result<int> parse_unit(std::string_view text, const Unit& unit) {
  const std::string word = lower(text);
  const auto it = std::find(unit.names.begin(), unit.names.end(), word);
  if (it != unit.names.end()) return unit.first + static_cast<int>(it - unit.names.begin());
  const auto number = unit.takes_numbers ? whole_number<int>(text) : std::nullopt;
  if (number && *number >= unit.least && *number <= unit.most) return *number;
  const std::string near = nearest(word, {unit.names.begin(), unit.names.end()});
  return fail(ErrorCode::Parse, "not a " + std::string(unit.noun) + ": " + std::string(text) +
                                    (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

Result<CalendarRange> parse_range(std::string_view text, const Unit& unit) {
  const std::size_t colon = text.find(':');
  const auto first = parse_unit(text.substr(0, colon), unit);
  if (!first) return fail(first.error());
  if (colon == std::string_view::npos) return CalendarRange{*first, *first};
  const auto last = parse_unit(text.substr(colon + 1), unit);
  if (!last) return fail(last.error());
  return CalendarRange{*first, *last};
}

Result<CalendarRange> in_order(Result<CalendarRange> range, std::string_view text) {
  if (!range || range->first <= range->last) return range;
  return fail(ErrorCode::Parse, "ends before it begins: " + std::string(text));
}

// ---- Asking.

template <class Holds>
bool any(const std::vector<CalendarRange>& ranges, Holds holds) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), holds);
}

bool any_has(const std::vector<CalendarRange>& ranges, int value) {
  return any(ranges,
             [value](const CalendarRange& r) { return value >= r.first && value <= r.last; });
}

// Days that the month does not have are those nearest to them that it has.
bool has_day(const CalendarRange& range, int day, int days_in_month) {
  const auto from_front = [&](int n) { return n < 0 ? days_in_month + n + 1 : n; };
  const int first = from_front(range.first);
  if (first > days_in_month) return false;
  return day >= std::max(1, first) && day <= std::min(days_in_month, from_front(range.last));
}

}  // namespace

Result<int> parse_minute(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool shaped = text.size() == 5 && colon == 2;
  const auto hour = shaped ? whole_number<int>(text.substr(0, 2)) : std::nullopt;
  const auto minute = shaped ? whole_number<int>(text.substr(3)) : std::nullopt;
  const int of_day = hour && minute ? *hour * 60 + *minute : -1;
  if (of_day < 0 || *minute < 0 || *minute > 59 || *hour < 0 || of_day > kMinutesOfDay) {
    return fail(ErrorCode::Parse, "not a time between 00:00 and 24:00: " + std::string(text));
  }
  return of_day;
}

Result<CalendarRange> parse_weekdays(std::string_view text) {
  return in_order(parse_range(text, kWeekdayUnit), text);
}

Result<CalendarRange> parse_months(std::string_view text) {
  return in_order(parse_range(text, kMonthUnit), text);
}

Result<CalendarRange> parse_years(std::string_view text) {
  return in_order(parse_range(text, kYearUnit), text);
}

Result<CalendarRange> parse_days_of_month(std::string_view text) {
  const auto range = parse_range(text, kDayUnit);
  if (!range) return range;
  if (range->first == 0 || range->last == 0) {
    return fail(ErrorCode::Parse, "a month has no day 0; its last one is -1");
  }
  if (range->first < 0 && range->last > 0) {
    return fail(ErrorCode::Parse,
                "begins at the month's end and ends at its beginning: " + std::string(text));
  }
  // In the longest month.
  const auto place = [](int day) { return day < 0 ? 32 + day : day; };
  if (place(range->first) > place(range->last)) {
    return fail(ErrorCode::Parse, "ends before it begins: " + std::string(text));
  }
  return range;
}

bool TimeInterval::contains(Timestamp at) const {
  const int offset = location ? location->offset_at(at) : 0;
  const Timestamp local = at + chrono::seconds(offset);
  const auto midnight = chrono::floor<chrono::days>(local);
  const chrono::year_month_day date(midnight);
  const int minute = static_cast<int>((local - midnight) / chrono::minutes(1));
  const int day = static_cast<int>(static_cast<unsigned>(date.day()));
  const auto last = chrono::year_month_day_last(date.year() / date.month() / chrono::last).day();
  const int days_in_month = static_cast<int>(static_cast<unsigned>(last));
  return any(times, [&](const auto& r) { return minute >= r.first && minute < r.last; }) &&
         any(days_of_month, [&](const auto& r) { return has_day(r, day, days_in_month); }) &&
         any_has(weekdays, static_cast<int>(chrono::weekday(midnight).c_encoding())) &&
         any_has(months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         any_has(years, static_cast<int>(date.year()));
}

}  // namespace tocsin::notify
