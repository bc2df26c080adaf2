// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "promql/function_list.h"

namespace tocsin::promql {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;
using std::chrono::year_month_day_last;

sys_days day_at(std::int64_t t) { return std::chrono::floor<days>(sys_seconds(seconds(t))); }
year_month_day date_at(std::int64_t t) { return year_month_day(day_at(t)); }
std::int64_t second_of_day(std::int64_t t) { return (sys_seconds(seconds(t)) - day_at(t)).count(); }

}  // namespace

double day_of_month(std::int64_t t) { return static_cast<unsigned>(date_at(t).day()); }
double day_of_week(std::int64_t t) { return std::chrono::weekday(day_at(t)).c_encoding(); }
double day_of_year(std::int64_t t) {
  const auto first = sys_days(date_at(t).year() / 1 / 1);
  return static_cast<double>((day_at(t) - first).count() + 1);
}
double days_in_month(std::int64_t t) {
  const auto date = date_at(t);
  const year_month_day_last last(date.year(), std::chrono::month_day_last(date.month()));
  return static_cast<unsigned>(last.day());
}
double hour(std::int64_t t) { return static_cast<double>(second_of_day(t) / 3600); }
double minute(std::int64_t t) { return static_cast<double>(second_of_day(t) / 60 % 60); }
double month(std::int64_t t) { return static_cast<unsigned>(date_at(t).month()); }
double year(std::int64_t t) { return static_cast<int>(date_at(t).year()); }

}  // namespace tocsin::promql
