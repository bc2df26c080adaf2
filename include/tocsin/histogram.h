// SPDX-License-Identifier: Apache-2.0
//
// A native histogram: one sample that is a whole distribution. Its buckets grow exponentially, as
// the schema says, or have the bounds of `custom_bounds`.
//
// A histogram never travels as a number. Where a series has one, whoever reads numbers finds no
// sample; histograms travel beside the numbers, shared and unchanged.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tocsin/clock.h"

namespace tocsin {

struct Histogram {
  // Whether this sample may be lower than the one before it.
  enum class ResetHint { Unknown, Reset, NotReset, Gauge };
  // Bucket `index` holds the observations in (bound(index - 1), bound(index)]. With an exponential
  // schema bound(i) = 2^(i / 2^schema), for negative observations mirrored; with custom bounds,
  // index 0 ends at custom_bounds[0], and the last one at +Inf.
  struct Bucket {
    std::int32_t index = 0;
    double count = 0;
    bool operator==(const Bucket&) const = default;
  };
  using Buckets = std::vector<Bucket>;  // By rising index; buckets in between are empty.

  static constexpr std::int32_t kCustomBounds = -53;  // The schema of custom bounds.

  ResetHint reset_hint = ResetHint::Unknown;
  std::int32_t schema = 0;  // -4 to 8, or kCustomBounds.
  double zero_threshold = 0;
  double zero_count = 0;  // Observations in [-zero_threshold, zero_threshold].
  double count = 0;
  double sum = 0;
  Buckets positive;
  Buckets negative;
  std::vector<double> custom_bounds;

  bool has_custom_bounds() const { return schema == kCustomBounds; }
  bool operator==(const Histogram&) const = default;
};

using HistogramPtr = std::shared_ptr<const Histogram>;

struct HistogramSample {
  Timestamp at;
  HistogramPtr histogram;
};

}  // namespace tocsin
