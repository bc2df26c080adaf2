// SPDX-License-Identifier: Apache-2.0
//
// Series as Prometheus' test scripts and promtool's rule tests write them:
//
//   http_requests{job="api"}  0+10x5 _ _x2 stale 7x3 NaN {{count:1 sum:2 buckets:[1]}}x3
//
// `a+bxn` is a, a+b, … n+1 values; `axn` is n+1 times a; `_` a gap; `stale` a stale marker; `{{…}}`
// a native histogram, which repeats and grows as numbers do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/histogram.h"
#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::promql {

struct NotedValue {
  double number = 0;
  HistogramPtr histogram;  // Null: it is the number.
};
using NotedValues = std::vector<std::optional<NotedValue>>;  // Nothing where there is a gap.

struct SeriesNotation {
  Labels labels;
  NotedValues values;
};

// Both fail with Parse on anything else.
Result<SeriesNotation> parse_series_notation(std::string_view text);
Result<NotedValues> parse_value_notation(std::string_view text);

// As it is written; `_` for a gap.
std::string text_of(const std::optional<NotedValue>& value);

// `metric{a="b"}`, `{a="b"}`, `{"utf-8 name"}`, `{}`. Moves `text` past it.
Result<Labels> take_series_labels(std::string_view& text);

}  // namespace tocsin::promql
