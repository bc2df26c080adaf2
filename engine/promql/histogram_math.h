// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on native histograms, with the semantics of Prometheus 3.5. It is not about series,
// labels or time. Two histograms are brought to the coarser of their schemas and to the wider of
// their zero buckets before they meet. What comes out has no empty buckets. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tocsin/histogram.h"

namespace tocsin::promql {

// Why two histograms cannot be added.
enum class HistogramConflict {
  Schemas,  // One has exponential buckets, the other custom bounds.
  Bounds,   // Both have custom bounds, which differ.
};

std::optional<HistogramConflict> conflict_of(const Histogram& a, const Histogram& b);

// Changes `to`; leaves it alone where there is a conflict. What is subtracted leaves a gauge.
std::optional<HistogramConflict> add(Histogram& to, const Histogram& other);
std::optional<HistogramConflict> subtract(Histogram& from, const Histogram& other);

void multiply(Histogram& histogram, double factor);
void divide(Histogram& histogram, double divisor);  // By zero: no buckets are left.

// Drops empty buckets.
void compact(Histogram& histogram);

// Whether a counter that was `before` must have begun anew to be `now`.
bool is_reset(const Histogram& now, const Histogram& before);

// Whether they are equal as `==` in PromQL says; the hint does not count.
bool is_same(const Histogram& a, const Histogram& b);

// Where bucket `index` of an exponential schema ends.
double exponential_bound(std::int32_t schema, std::int32_t index);

// A bucket with its bounds.
struct BucketRange {
  double lower = 0;
  double upper = 0;
  double count = 0;
  bool includes_lower = false;
  bool includes_upper = true;
};
// All buckets that are not empty, from the lowest to the highest. An exponential bucket that the
// zero bucket reaches into begins where that one ends.
std::vector<BucketRange> ranges_of(const Histogram& histogram);

}  // namespace tocsin::promql
