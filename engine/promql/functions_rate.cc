// SPDX-License-Identifier: Apache-2.0
//
// Functions about change that look at every sample; see change.h for rate() and its like.
#include <algorithm>
#include <cmath>

#include "promql/function_list.h"

namespace tocsin::promql {
namespace {

struct Line {
  double slope = 0;
  double intercept = 0;
};

// Least squares through the samples; x is seconds since `origin`.
Line fit_line(std::span<const Sample> samples, Timestamp origin) {
  double n = 0;
  double sum_x = 0, c_x = 0, sum_y = 0, c_y = 0, sum_xy = 0, c_xy = 0, sum_xx = 0, c_xx = 0;
  bool constant = true;
  for (const Sample& sample : samples) {
    if (sample.value != samples[0].value) constant = false;
    n += 1;
    const double x = to_seconds(sample.at - origin);
    kahan_add(x, sum_x, c_x);
    kahan_add(sample.value, sum_y, c_y);
    kahan_add(x * sample.value, sum_xy, c_xy);
    kahan_add(x * x, sum_xx, c_xx);
  }
  if (constant) {
    if (std::isinf(samples[0].value)) return {std::nan(""), std::nan("")};
    return {0, samples[0].value};
  }
  sum_x += c_x;
  sum_y += c_y;
  const double covariance = sum_xy + c_xy - sum_x * sum_y / n;
  const double variance = sum_xx + c_xx - sum_x * sum_x / n;
  const double slope = covariance / variance;
  return {slope, sum_y / n - slope * sum_x / n};
}

std::optional<double> instant_change(const Window& w, Counts counts) {
  if (w.samples.size() < 2) return std::nullopt;
  const Sample& last = w.samples[w.samples.size() - 1];
  const Sample& before = w.samples[w.samples.size() - 2];
  if (last.at == before.at) return std::nullopt;
  if (counts == Counts::Gauge) return last.value - before.value;
  const double change = last.value < before.value ? last.value : last.value - before.value;
  return change / to_seconds(last.at - before.at);
}

}  // namespace

std::optional<double> irate(const Window& w, std::span<const double>) {
  return instant_change(w, Counts::Counter);
}

std::optional<double> idelta(const Window& w, std::span<const double>) {
  return instant_change(w, Counts::Gauge);
}

std::optional<double> changes(const Window& w, std::span<const double>) {
  int count = 0;
  for (std::size_t i = 1; i < w.samples.size(); ++i) {
    const double a = w.samples[i - 1].value;
    const double b = w.samples[i].value;
    if (a != b && !(std::isnan(a) && std::isnan(b))) ++count;
  }
  return count;
}

std::optional<double> resets(const Window& w, std::span<const double>) {
  int count = 0;
  for (std::size_t i = 1; i < w.samples.size(); ++i) {
    if (w.samples[i].value < w.samples[i - 1].value) ++count;
  }
  return count;
}

std::optional<double> deriv(const Window& w, std::span<const double>) {
  if (w.samples.size() < 2) return std::nullopt;
  return fit_line(w.samples, w.samples[0].at).slope;
}

std::optional<double> predict_linear(const Window& w, std::span<const double> params) {
  if (w.samples.size() < 2) return std::nullopt;
  const Line line = fit_line(w.samples, w.at);
  return line.slope * params[0] + line.intercept;
}

std::optional<double> double_exponential_smoothing(const Window& w,
                                                   std::span<const double> params) {
  if (w.samples.size() < 2) return std::nullopt;
  const double smoothing = params[0];
  const double trend_factor = params[1];
  double before = 0;
  double now = w.samples[0].value;
  double trend = w.samples[1].value - w.samples[0].value;
  for (std::size_t i = 1; i < w.samples.size(); ++i) {
    if (i > 1) trend = trend_factor * (now - before) + (1 - trend_factor) * trend;
    const double level = (1 - smoothing) * (now + trend);
    before = now;
    now = smoothing * w.samples[i].value + level;
  }
  return now;
}

}  // namespace tocsin::promql
