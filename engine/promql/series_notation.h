// SPDX-License-Identifier: Apache-2.0
//
// Series as Prometheus' test scripts and promtool's rule tests write them:
//
//   http_requests{job="api"}  0+10x5 _ _x2 stale 7x3 NaN
//
// `a+bxn` is a, a+b, … n+1 values; `axn` is n+1 times a; `_` a gap; `stale` a stale marker.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::promql {

struct SeriesNotation {
  Labels labels;
  std::vector<std::optional<double>> values;  // Nothing where there is a gap.
};

// Fails with Parse on anything else, and with InvalidArgument on native histograms (`{{…}}`), which
// are not supported.
Result<SeriesNotation> parse_series_notation(std::string_view text);
Result<std::vector<std::optional<double>>> parse_value_notation(std::string_view text);

// `metric{a="b"}`, `{a="b"}`, `{"utf-8 name"}`, `{}`. Moves `text` past it.
Result<Labels> take_series_labels(std::string_view& text);

}  // namespace tocsin::promql
