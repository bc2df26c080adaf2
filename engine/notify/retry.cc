// SPDX-License-Identifier: Apache-2.0
#include "notify/retry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/whole_number.h"

namespace tocsin::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<Timestamp> parse_http_date(const std::string& text) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::array<char, 4> month{};
  int day = 0;
  int year = 0;
  int h = 0;
  int m = 0;
  int s = 0;
  if (std::sscanf(text.c_str(), "%*3s, %d %3s %d %d:%d:%d GMT", &day, month.data(), &year, &h, &m,
                  &s) != 6) {
    return std::nullopt;
  }
  const std::size_t index = kMonths.find(month.data());
  if (index == std::string_view::npos || index % 3 != 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(index / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + hours(h) + minutes(m) + seconds(s);
}

}  // namespace

Verdict judge_status(int status) {
  if (status >= 200 && status < 300) return Verdict::Delivered;
  if (status == 408 || status == 425 || status == 429 || status >= 500) return Verdict::Retry;
  return Verdict::GiveUp;
}

bool may_be_the_message(int status) {
  return status >= 500 && status != 502 && status != 503 && status != 504;
}

bool may_be_one_of_them(int status) { return status == 400 || status == 413 || status == 422; }

Duration backoff(int attempt, double jitter) {
  const double longest = to_seconds(kLongestBackoff);
  const double wait = std::min(longest, std::pow(2.0, std::clamp(attempt, 1, 20) - 1));
  return Duration(std::llround(wait * 1000.0 * (1.0 - jitter / 2)));
}

std::optional<Duration> retry_after(std::string_view header, Timestamp now) {
  if (header.empty()) return std::nullopt;
  constexpr seconds kLongest = hours(1);
  if (const auto count = whole_number<std::int64_t>(header)) {
    return seconds(std::clamp<std::int64_t>(*count, 0, kLongest.count()));
  }
  const auto date = parse_http_date(std::string(header));
  if (!date) return std::nullopt;
  return std::clamp<Duration>(*date - now, Duration(0), kLongest);
}

}  // namespace tocsin::notify
