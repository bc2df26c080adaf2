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

// A sample of either kind; without a histogram and with an absent number it is none.
struct MixedSample {
  double number = store::absent_value();
  HistogramPtr histogram;

  bool is_absent() const { return !histogram && store::is_absent(number); }
};
MixedSample sample_of(const Frame& frame, std::size_t row);
void put(Frame& frame, std::size_t row, MixedSample sample);

// A binary operator where at least one operand is a histogram. No sample where a comparison does
// not hold; none, and an annotation, where the operator makes no sense or they do not fit together.
MixedSample combine(const Binary& binary, const MixedSample& left, const MixedSample& right,
                    Annotations& annotations);

// The same with the histograms of a vector as left or right operand; its numbers stay.
void combine_rows(const Binary& binary, Frame& left, double right, Annotations& annotations);
void combine_rows(const Binary& binary, double left, Frame& right, Annotations& annotations);

HistogramPtr negated(const Histogram& histogram);

// Has a range function look again at the rows of its argument that have histograms. `out` is what
// it made of their numbers alone.
void evaluate_histograms(const Call& call, RangeNode& argument, Context& context, Frame& out);

// Warns that histograms do not fit together.
void note_conflict(HistogramConflict conflict, std::string_view metric, const Expr& about,
                   Annotations& annotations);

}  // namespace tocsin::promql
