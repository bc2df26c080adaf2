// SPDX-License-Identifier: Apache-2.0
//
// What evaluation does with native histograms. The nodes work on numbers, and call these only where
// a frame or a window has histograms; nothing here is on the way of numbers alone. Messages are
// Prometheus'.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "promql/histogram_math.h"
#include "promql/plan.h"

namespace tocsin::promql {

// Adds the histograms of `in` to what an aggregation made of its numbers. `groups` are the rows of
// `out`, by row of `in`. A sum or mean of both kinds, or of histograms that do not fit together, is
// dropped with a warning.
void fold_histograms(const Aggregate& aggregate, const Frame& in,
                     std::span<const std::uint32_t> groups, Frame& out, Annotations& annotations);

// For aggregations that leave histograms out.
void note_ignored_histograms(const Aggregate& aggregate, const Frame& in, Annotations& annotations);

// Warns that histograms do not fit together.
void note_conflict(HistogramConflict conflict, std::string_view metric, const Expr& about,
                   Annotations& annotations);

}  // namespace tocsin::promql
