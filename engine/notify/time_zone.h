// SPDX-License-Identifier: Apache-2.0
//
// TimeZone says how far a place's clocks are ahead of UTC, from the bytes of a TZif file (RFC 8536:
// what stands in /usr/share/zoneinfo): its list of changes, and beyond the last one the rule in its
// footer. Immutable; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::notify {

// "CET-1CEST,M3.5.0,M10.5.0/3": standard time, and when in the year another one holds.
struct ZoneRule {
  // `Mm.w.d`, `Jn` or `n`, and the local time of the change.
  struct Change {
    enum class Kind { MonthWeekDay, DayWithoutLeap, Day } kind = Kind::Day;
    int month = 0;
    int week = 0;
    int day = 0;
    int seconds = 2 * 3600;

    bool operator==(const Change&) const = default;
  };
  int standard = 0;  // Seconds ahead of UTC.
  int summer = 0;    // Equal to `standard` where there is none.
  Change to_summer;
  Change to_standard;

  int offset_at(std::int64_t seconds) const;
  bool operator==(const ZoneRule&) const = default;
};
Result<ZoneRule> parse_zone_rule(std::string_view text);

class TimeZone {
 public:
  // Fails with Parse on bytes that are not a TZif file of version 2 or later.
  static Result<TimeZone> parse(std::string_view bytes);

  // Seconds ahead of UTC.
  int offset_at(Timestamp at) const;

  bool operator==(const TimeZone&) const = default;

 private:
  std::vector<std::int64_t> changes_;  // Seconds since 1970 UTC, ascending.
  std::vector<int> offsets_;           // From each of them on.
  int first_offset_ = 0;               // Before the first.
  bool has_rule_ = false;
  ZoneRule rule_;  // After the last.
};

}  // namespace tocsin::notify
