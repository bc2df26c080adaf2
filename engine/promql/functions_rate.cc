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

// By what the change between the first and the last sample is to be multiplied. Windows whose
// samples stand at the same times have the answer in common, and come one after another.
class Extrapolation {
 public:
  // Of the change over the window, or with `divisor` of that part of it.
  Extrapolation(const store::Interval& window, Counts counts, double divisor)
      : window_(window), counts_(counts), divisor_(divisor) {}

  double factor(const store::WindowEnds& ends, double change) {
    if (ends.first_ms != first_ms_ || ends.last_ms != last_ms_ || ends.count != count_) {
      settle(ends);
    }
    // A counter was never below zero: do not stretch it past where it would have been.
    const bool may_cross_zero = counts_ == Counts::Counter && change > 0 && ends.first >= 0;
    if (!may_cross_zero || sampled_ * ends.first >= to_start_ * change) return factor_;
    return factor_with(std::min(to_start_, sampled_ * (ends.first / change)));
  }

 private:
  void settle(const store::WindowEnds& ends) {
    first_ms_ = ends.first_ms;
    last_ms_ = ends.last_ms;
    count_ = ends.count;
    sampled_ = seconds_between(first_ms_, last_ms_);
    const double spacing = sampled_ / static_cast<double>(count_ - 1);
    to_start_ = stretch(seconds_between(to_millis(window_.after), first_ms_), spacing);
    to_end_ = stretch(seconds_between(last_ms_, to_millis(window_.upto)), spacing);
    factor_ = factor_with(to_start_);
  }

  double factor_with(double to_start) const {
    return (sampled_ + to_start + to_end_) / sampled_ / divisor_;
  }

  const store::Interval window_;
  const Counts counts_;
  const double divisor_;
  std::int64_t first_ms_ = 0;
  std::int64_t last_ms_ = 0;
  std::uint32_t count_ = 0;
  double sampled_ = 0;
  double to_start_ = 0;
  double to_end_ = 0;
  double factor_ = 0;
};

void put_changes(std::span<const store::WindowEnds> windows, Extrapolation extrapolation,
                 Counts counts, std::span<double> out) {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const store::WindowEnds& ends = windows[i];
    if (ends.count < 2) continue;
    const double change = ends.last - ends.first + (counts == Counts::Counter ? ends.resets : 0.0);
    out[i] = change * extrapolation.factor(ends, change);
  }
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
  return Extrapolation({from, upto}, counts, 1).factor(ends, change);
}

void increase(std::span<const store::WindowEnds> ends, const store::Interval& window,
              std::span<double> out) {
  put_changes(ends, {window, Counts::Counter, 1}, Counts::Counter, out);
}

void rate(std::span<const store::WindowEnds> ends, const store::Interval& window,
          std::span<double> out) {
  const double seconds = to_seconds(window.upto - window.after);
  put_changes(ends, {window, Counts::Counter, seconds}, Counts::Counter, out);
}

void delta(std::span<const store::WindowEnds> ends, const store::Interval& window,
           std::span<double> out) {
  put_changes(ends, {window, Counts::Gauge, 1}, Counts::Gauge, out);
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
