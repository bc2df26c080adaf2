// SPDX-License-Identifier: Apache-2.0
#include "tocsin/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "base/whole_number.h"

namespace tocsin {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t ms;
};
constexpr std::array<Unit, 7> kUnits{{{"y", 365LL * 86'400'000},
                                      {"w", 7LL * 86'400'000},
                                      {"d", 86'400'000},
                                      {"h", 3'600'000},
                                      {"m", 60'000},
                                      {"s", 1000},
                                      {"ms", 1}}};
constexpr std::int64_t kMaxMillis = std::numeric_limits<std::int64_t>::max() / 1'000'000;

std::optional<std::size_t> unit_index(std::string_view suffix) {
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i].suffix == suffix) return i;
  }
  return std::nullopt;
}

// Reads exactly `width` digits at `pos` and moves past them.
std::optional<int> digits(std::string_view text, std::size_t& pos, std::size_t width) {
  if (pos + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < width; ++i, ++pos) {
    if (text[pos] < '0' || text[pos] > '9') return std::nullopt;
    value = value * 10 + (text[pos] - '0');
  }
  return value;
}

bool literal(std::string_view text, std::size_t& pos, char c) {
  if (pos >= text.size() || text[pos] != c) return false;
  ++pos;
  return true;
}

// The milliseconds of ".123456"; 0 where there is no fraction.
std::int64_t fraction_millis(std::string_view text, std::size_t& pos) {
  if (!literal(text, pos, '.')) return 0;
  std::int64_t millis = 0;
  std::int64_t weight = 100;
  while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
    millis += weight * (text[pos++] - '0');
    weight /= 10;
  }
  return millis;
}

// The offset of "Z", "+01:00" or "-0530" from UTC.
std::optional<std::chrono::minutes> zone_offset(std::string_view text, std::size_t& pos) {
  if (literal(text, pos, 'Z') || literal(text, pos, 'z')) return std::chrono::minutes(0);
  if (pos >= text.size() || (text[pos] != '+' && text[pos] != '-')) return std::nullopt;
  const int sign = text[pos++] == '-' ? -1 : 1;
  const auto hours = digits(text, pos, 2);
  literal(text, pos, ':');
  const auto minutes = digits(text, pos, 2);
  if (!hours || !minutes) return std::nullopt;
  return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  std::size_t pos = 0;
  const auto y = digits(text, pos, 4);
  if (!y || !literal(text, pos, '-')) return std::nullopt;
  const auto mo = digits(text, pos, 2);
  if (!mo || !literal(text, pos, '-')) return std::nullopt;
  const auto d = digits(text, pos, 2);
  if (!d || pos >= text.size() || (text[pos] != 'T' && text[pos] != 't' && text[pos] != ' ')) {
    return std::nullopt;
  }
  ++pos;
  const auto h = digits(text, pos, 2);
  if (!h || !literal(text, pos, ':')) return std::nullopt;
  const auto mi = digits(text, pos, 2);
  if (!mi || !literal(text, pos, ':')) return std::nullopt;
  const auto s = digits(text, pos, 2);
  if (!s) return std::nullopt;
  const std::int64_t millis = fraction_millis(text, pos);
  const auto offset = zone_offset(text, pos);
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d))};
  if (!offset || pos != text.size() || !date.ok() || *h > 24 || *mi > 59 || *s > 60) {
    return std::nullopt;
  }
  return sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s) + milliseconds(millis) - *offset;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration(0);
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || text.front() == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t length = 0;
    while (length < text.size() && (text[length] < '0' || text[length] > '9')) ++length;
    const auto unit = unit_index(text.substr(0, length));
    if (!unit || *unit < next_unit) return std::nullopt;
    if (count > (kMaxMillis - total) / kUnits[*unit].ms) return std::nullopt;
    total += count * kUnits[*unit].ms;
    next_unit = *unit + 1;
    text.remove_prefix(length);
  }
  return Duration(total);
}

std::string format_duration(Duration d) {
  std::int64_t rest = d.count();
  if (rest == 0) return "0s";
  std::string out;
  if (rest < 0) {
    out = "-";
    rest = -rest;
  }
  for (const Unit& unit : kUnits) {
    // Years and weeks only where they say it all: 8d stays "8d", 14d becomes "2w".
    const bool coarse = unit.suffix == "y" || unit.suffix == "w";
    if (rest < unit.ms || (coarse && rest % unit.ms != 0)) continue;
    out += std::to_string(rest / unit.ms);
    out += unit.suffix;
    rest %= unit.ms;
  }
  return out;
}

std::string humanize_duration(Duration d) {
  std::int64_t rest = std::abs(d.count());
  if (rest < 1000) return std::to_string(d.count()) + "ms";
  std::string out = d.count() < 0 ? "-" : "";
  int printed = 0;
  for (const Unit& unit : kUnits) {
    if (unit.suffix == "y" || unit.suffix == "w" || unit.suffix == "ms") continue;
    if (rest < unit.ms) {
      if (printed > 0) break;
      continue;
    }
    if (printed > 0) out += ' ';
    out += std::to_string(rest / unit.ms);
    out += unit.suffix;
    rest %= unit.ms;
    if (++printed == 2) break;
  }
  return out;
}

std::string format_rfc3339(Timestamp at) {
  using namespace std::chrono;
  const auto day_start = floor<days>(at);
  const year_month_day date{day_start};
  const hh_mm_ss clock{at - day_start};
  std::array<char, 48> buffer{};
  const int length = std::snprintf(
      buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  return {buffer.data(), static_cast<std::size_t>(length)};
}

std::optional<Timestamp> parse_time(std::string_view text) {
  const auto seconds = whole_number<double>(text);
  if (seconds && std::isfinite(*seconds) && std::abs(*seconds) < 9e12) {
    return from_millis(std::llround(*seconds * 1000.0));
  }
  return parse_rfc3339(text);
}

}  // namespace tocsin
