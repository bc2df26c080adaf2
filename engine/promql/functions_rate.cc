// SPDX-License-Identifier: Apache-2.0
//
// Functions about change. The extrapolation is that of extrapolatedRate() in Prometheus'
// promql/functions.go.
#include <algorithm>
#include <cmath>

#include "promql/function_list.h"

namespace tocsin::promql {
namespace {

double seconds_between(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) / 1000.0;
}

// How far the samples may be stretched towards an edge of the window: all the way when the gap
// looks like ordinary spacing, otherwise by half of it.
double stretch(double gap, double spacing) { return gap >= spacing * 1.1 ? spacing / 2 : gap; }

// The change over the whole window.
std::optional<double> extrapolated(const store::WindowEnds& ends, Timestamp from, Timestamp upto,
                                   Counts counts) {
  if (ends.count < 2) return std::nullopt;
  const double change = ends.last - ends.first + (counts == Counts::Counter ? ends.resets : 0.0);
  return change * extrapolation(ends, change, from, upto, counts);
}

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

double extrapolation(const store::WindowEnds& ends, double change, Timestamp from, Timestamp upto,
                     Counts counts) {
  const double sampled = seconds_between(ends.first_ms, ends.last_ms);
  const double spacing = sampled / static_cast<double>(ends.count - 1);
  double to_start = stretch(seconds_between(to_millis(from), ends.first_ms), spacing);
  if (counts == Counts::Counter && change > 0 && ends.first >= 0) {
    to_start = std::min(to_start, sampled * (ends.first / change));
  }
  const double to_end = stretch(seconds_between(ends.last_ms, to_millis(upto)), spacing);
  return (sampled + to_start + to_end) / sampled;
}

std::optional<double> increase(const store::WindowEnds& ends, Timestamp from, Timestamp upto) {
  return extrapolated(ends, from, upto, Counts::Counter);
}

std::optional<double> rate(const store::WindowEnds& ends, Timestamp from, Timestamp upto) {
  const auto change = extrapolated(ends, from, upto, Counts::Counter);
  if (!change) return std::nullopt;
  return *change / to_seconds(upto - from);
}

std::optional<double> delta(const store::WindowEnds& ends, Timestamp from, Timestamp upto) {
  return extrapolated(ends, from, upto, Counts::Gauge);
}

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
