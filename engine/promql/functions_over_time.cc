// SPDX-License-Identifier: Apache-2.0
//
// The *_over_time family, summed with compensation as Prometheus does.
#include <algorithm>
#include <cmath>

#include "promql/function_list.h"

namespace tocsin::promql {
namespace {

std::vector<double> values_of(const Window& w) {
  std::vector<double> values;
  values.reserve(w.samples.size());
  for (const Sample& sample : w.samples) values.push_back(sample.value);
  return values;
}

double variance(const Window& w) {
  double count = 0, mean = 0, c_mean = 0, sum = 0, c_sum = 0;
  for (const Sample& sample : w.samples) {
    count += 1;
    const double distance = sample.value - (mean + c_mean);
    kahan_add(distance / count, mean, c_mean);
    kahan_add(distance * (sample.value - (mean + c_mean)), sum, c_sum);
  }
  return (sum + c_sum) / count;
}

}  // namespace

std::optional<double> avg_over_time(const Window& w, std::span<const double>) {
  double sum = w.samples[0].value;
  double mean = 0;
  double c = 0;
  bool incremental = false;  // Once the plain sum overflows.
  double count = 1;
  for (const Sample& sample : w.samples.subspan(1)) {
    count += 1;
    if (!incremental) {
      double next = sum;
      double next_c = c;
      kahan_add(sample.value, next, next_c);
      if (!std::isinf(next)) {
        sum = next;
        c = next_c;
        continue;
      }
      incremental = true;
      mean = sum / (count - 1);
      c /= count - 1;
    }
    const double share = (count - 1) / count;
    mean *= share;
    c *= share;
    kahan_add(sample.value / count, mean, c);
  }
  return incremental ? mean + c : sum / count + c / count;
}

std::optional<double> count_over_time(const Window& w, std::span<const double>) {
  return static_cast<double>(w.samples.size());
}

std::optional<double> first_over_time(const Window& w, std::span<const double>) {
  return w.samples.front().value;
}

std::optional<double> last_over_time(const Window& w, std::span<const double>) {
  return w.samples.back().value;
}

std::optional<double> mad_over_time(const Window& w, std::span<const double>) {
  std::vector<double> values = values_of(w);
  const double median = quantile_of(0.5, values);
  for (double& value : values) value = std::abs(value - median);
  return quantile_of(0.5, values);
}

std::optional<double> max_over_time(const Window& w, std::span<const double>) {
  double most = w.samples[0].value;
  for (const Sample& sample : w.samples) {
    if (sample.value > most || std::isnan(most)) most = sample.value;
  }
  return most;
}

std::optional<double> min_over_time(const Window& w, std::span<const double>) {
  double least = w.samples[0].value;
  for (const Sample& sample : w.samples) {
    if (sample.value < least || std::isnan(least)) least = sample.value;
  }
  return least;
}

std::optional<double> present_over_time(const Window&, std::span<const double>) { return 1; }

std::optional<double> quantile_over_time(const Window& w, std::span<const double> params) {
  std::vector<double> values = values_of(w);
  return quantile_of(params[0], values);
}

std::optional<double> stddev_over_time(const Window& w, std::span<const double>) {
  return std::sqrt(variance(w));
}

std::optional<double> stdvar_over_time(const Window& w, std::span<const double>) {
  return variance(w);
}

std::optional<double> sum_over_time(const Window& w, std::span<const double>) {
  double sum = 0;
  double c = 0;
  for (const Sample& sample : w.samples) kahan_add(sample.value, sum, c);
  return std::isinf(sum) ? sum : sum + c;
}

std::optional<double> ts_of_first_over_time(const Window& w, std::span<const double>) {
  return to_seconds(w.samples.front().at);
}

std::optional<double> ts_of_last_over_time(const Window& w, std::span<const double>) {
  return to_seconds(w.samples.back().at);
}

// Of equals, the last.
std::optional<double> ts_of_max_over_time(const Window& w, std::span<const double>) {
  const Sample* most = &w.samples[0];
  for (const Sample& sample : w.samples) {
    if (sample.value >= most->value || std::isnan(most->value)) most = &sample;
  }
  return to_seconds(most->at);
}

std::optional<double> ts_of_min_over_time(const Window& w, std::span<const double>) {
  const Sample* least = &w.samples[0];
  for (const Sample& sample : w.samples) {
    if (sample.value <= least->value || std::isnan(least->value)) least = &sample;
  }
  return to_seconds(least->at);
}

}  // namespace tocsin::promql
