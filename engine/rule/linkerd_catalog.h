// SPDX-License-Identifier: Apache-2.0
//
// What Linkerd's metrics are called, what they are, and what they never have: tables that the
// checks of lint.h read. They were made from the pages of proxies and control planes 2.14 to 2.20.
// Any thread.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::rule {

enum class MetricType { Counter, Gauge, Histogram };

struct LinkerdMetric {
  std::string_view name;  // Of a histogram without _bucket, _sum, _count.
  MetricType type;
  // Whether the client's proxy and the server's both count it, told apart by `direction` alone.
  bool counted_twice = false;
  std::span<const double> bounds = {};  // Of a histogram.
};

// By the name of a series: `response_latency_ms_bucket` is of `response_latency_ms`. Null for what
// is not Linkerd's.
const LinkerdMetric* find_linkerd_metric(std::string_view series_name);
// Whether the name is one that only Linkerd would have, and no version of it has.
bool is_unknown_to_linkerd(std::string_view series_name);
// The name that was most likely meant; empty when none is near.
std::string nearest_linkerd_metric(std::string_view series_name);
// Whether a proxy prints it with the labels that all its traffic has.
bool is_traffic_metric(std::string_view series_name);

// Names that people write and no Linkerd has.
struct InventedMetric {
  std::string_view name;
  std::string_view instead;
};
const InventedMetric* find_invented_metric(std::string_view name);

// A label, or a label with a value, that series of these metrics never have.
struct ImpossibleLabel {
  std::string_view metric_prefix;  // Empty: every metric of the proxy's traffic.
  std::string_view label;
  std::string_view value;      // Empty: any.
  std::string_view direction;  // Only there, unless empty.
  std::string_view reason;
  std::string_view hint;
};
std::span<const ImpossibleLabel> impossible_labels();

// All values that a label has on these metrics, where there are few.
struct LabelValues {
  std::string_view metric_prefix;  // As above.
  std::string_view label;
  std::span<const std::string_view> values;
  // How other metrics write the same, one by one; may be empty.
  std::span<const std::string_view> elsewhere = {};
};
std::span<const LabelValues> label_values();
// Whether a matcher, or an expression, matches one of them.
bool matches_any(const auto& pattern, const LabelValues& all) {
  return std::any_of(all.values.begin(), all.values.end(),
                     [&](std::string_view value) { return pattern.matches(value); });
}

}  // namespace tocsin::rule
