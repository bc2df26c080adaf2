// SPDX-License-Identifier: Apache-2.0
//
// Declares the implementations that functions.cc puts into the table, grouped by the file that
// defines them. The names are PromQL's; their meaning is in Prometheus' query documentation.
#pragma once

#include "promql/functions.h"

namespace tocsin::promql {

// functions_math.cc
double sgn(double v);
double degrees(double v);
double radians(double v);
double round_to(double v, std::span<const double> params);
double clamp(double v, std::span<const double> params);
double clamp_min(double v, std::span<const double> params);
double clamp_max(double v, std::span<const double> params);

// functions_date.cc
double day_of_month(std::int64_t t);
double day_of_week(std::int64_t t);
double day_of_year(std::int64_t t);
double days_in_month(std::int64_t t);
double hour(std::int64_t t);
double minute(std::int64_t t);
double month(std::int64_t t);
double year(std::int64_t t);

// functions_rate.cc
std::optional<double> irate(const Window& w, std::span<const double> params);
std::optional<double> idelta(const Window& w, std::span<const double> params);
std::optional<double> changes(const Window& w, std::span<const double> params);
std::optional<double> resets(const Window& w, std::span<const double> params);
std::optional<double> deriv(const Window& w, std::span<const double> params);
std::optional<double> predict_linear(const Window& w, std::span<const double> params);
std::optional<double> double_exponential_smoothing(const Window& w, std::span<const double> params);

// functions_over_time.cc
std::optional<double> avg_over_time(const Window& w, std::span<const double> params);
std::optional<double> count_over_time(const Window& w, std::span<const double> params);
std::optional<double> first_over_time(const Window& w, std::span<const double> params);
std::optional<double> last_over_time(const Window& w, std::span<const double> params);
std::optional<double> mad_over_time(const Window& w, std::span<const double> params);
std::optional<double> max_over_time(const Window& w, std::span<const double> params);
std::optional<double> min_over_time(const Window& w, std::span<const double> params);
std::optional<double> present_over_time(const Window& w, std::span<const double> params);
std::optional<double> quantile_over_time(const Window& w, std::span<const double> params);
std::optional<double> stddev_over_time(const Window& w, std::span<const double> params);
std::optional<double> stdvar_over_time(const Window& w, std::span<const double> params);
std::optional<double> sum_over_time(const Window& w, std::span<const double> params);
std::optional<double> ts_of_first_over_time(const Window& w, std::span<const double> params);
std::optional<double> ts_of_last_over_time(const Window& w, std::span<const double> params);
std::optional<double> ts_of_max_over_time(const Window& w, std::span<const double> params);
std::optional<double> ts_of_min_over_time(const Window& w, std::span<const double> params);

}  // namespace tocsin::promql
