// SPDX-License-Identifier: Apache-2.0
#include "promql/custom_buckets.h"

#include <array>
#include <cmath>
#include <map>

#include "promql/lexer.h"

namespace tocsin::promql {
namespace {

constexpr std::string_view kBound = "le";

// What is known of a histogram at one point in time.
struct Point {
  std::map<double, double> buckets;  // Cumulative, by upper bound.
  std::optional<double> sum;
  std::optional<double> count;
};

enum class Role { Bucket, Sum, Count };
constexpr std::array<std::pair<std::string_view, Role>, 3> kSuffixes{{
    {"_bucket", Role::Bucket},
    {"_sum", Role::Sum},
    {"_count", Role::Count},
}};

void note(Point& point, Role role, double bound, double value) {
  switch (role) {
    case Role::Bucket:
      point.buckets[bound] = value;
      return;
    case Role::Sum:
      point.sum = value;
      return;
    case Role::Count:
      point.count = value;
      return;
  }
}

// Nothing if the classic histogram is none that can be.
HistogramPtr histogram_of(const Point& point) {
  if (point.buckets.empty()) return nullptr;
  auto out = std::make_shared<Histogram>();
  out->schema = Histogram::kCustomBounds;
  out->sum = point.sum.value_or(0);
  out->count = point.count.value_or(point.buckets.rbegin()->second);
  double below = 0;
  std::int32_t index = 0;
  const auto put = [&](double upto) {
    if (upto != below) out->positive.push_back({index, upto - below});
    below = upto;
    ++index;
  };
  for (const auto& [bound, count] : point.buckets) {
    if (count < below) return nullptr;
    if (std::isinf(bound)) break;
    out->custom_bounds.push_back(bound);
    put(count);
  }
  put(out->count);
  return out;
}

}  // namespace

std::vector<SeriesNotation> with_custom_buckets(const std::vector<SeriesNotation>& classic) {
  std::map<Labels, std::vector<Point>> histograms;
  for (const SeriesNotation& series : classic) {
    const std::string_view name = series.labels.metric_name();
    for (const auto& [suffix, role] : kSuffixes) {
      if (!name.ends_with(suffix)) continue;
      const auto bound = parse_number(series.labels.get(kBound));
      if (role == Role::Bucket && (!bound || std::isnan(*bound))) continue;
      const Labels labels = series.labels.without(kBound).with(
          kMetricName, name.substr(0, name.size() - suffix.size()));
      auto& points = histograms[labels];
      points.resize(std::max(points.size(), series.values.size()));
      for (std::size_t i = 0; i < series.values.size(); ++i) {
        const auto& value = series.values[i];
        if (value && !value->histogram) note(points[i], role, bound.value_or(0), value->number);
      }
    }
  }
  std::vector<SeriesNotation> out;
  for (const auto& [labels, points] : histograms) {
    SeriesNotation series{labels, NotedValues(points.size())};
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (auto histogram = histogram_of(points[i])) {
        series.values[i] = NotedValue{0, std::move(histogram)};
      }
    }
    out.push_back(std::move(series));
  }
  return out;
}

}  // namespace tocsin::promql
