// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "promql/function_list.h"

namespace tocsin::promql {
namespace {

// Go's math.Max and math.Min: NaN when either is.
double max_or_nan(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::max(a, b);
}
double min_or_nan(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::min(a, b);
}

}  // namespace

double sgn(double v) { return v < 0 ? -1 : v > 0 ? 1 : v; }
double degrees(double v) { return v * 180 / std::numbers::pi; }
double radians(double v) { return v * std::numbers::pi / 180; }

double round_to(double v, std::span<const double> params) {
  // Ties solved by rounding up. The inverse is used for precision, as Prometheus does.
  const double inverse = 1.0 / (params.empty() ? 1.0 : params[0]);
  return std::floor(v * inverse + 0.5) / inverse;
}

double clamp(double v, std::span<const double> params) {
  return max_or_nan(params[0], min_or_nan(params[1], v));
}
double clamp_min(double v, std::span<const double> params) { return max_or_nan(v, params[0]); }
double clamp_max(double v, std::span<const double> params) { return min_or_nan(v, params[0]); }

double quantile_of(double q, std::vector<double>& values) {
  std::sort(values.begin(), values.end(), sorts_before);
  return quantile_of_sorted(q, values);
}

double quantile_of_sorted(double q, std::span<const double> values) {
  if (values.empty() || std::isnan(q)) return std::nan("");
  if (q < 0) return -HUGE_VAL;
  if (q > 1) return HUGE_VAL;
  const double last = static_cast<double>(values.size()) - 1;
  const double rank = q * last;
  const double lower = std::max(0.0, std::floor(rank));
  const double upper = std::min(last, lower + 1);
  const double weight = rank - std::floor(rank);
  return values[static_cast<std::size_t>(lower)] * (1 - weight) +
         values[static_cast<std::size_t>(upper)] * weight;
}

}  // namespace tocsin::promql
