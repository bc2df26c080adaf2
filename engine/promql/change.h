// SPDX-License-Identifier: Apache-2.0
//
// rate(), increase() and delta(): by how much a window's samples change, stretched to the whole
// window. The arithmetic is that of extrapolatedRate() in Prometheus' promql/functions.go.
#pragma once

#include <span>

#include "promql/functions.h"

namespace tocsin::promql {

// What the change between the first and the last sample is multiplied with. Windows whose samples
// stand at the same times have it in common.
class Extrapolation {
 public:
  Extrapolation() = default;
  // Of two samples at least.
  Extrapolation(const store::Interval& window, std::int64_t first_ms, std::int64_t last_ms,
                std::size_t count, Per per);

  // Of all windows but those of counters that cross zero.
  double factor() const { return factor_; }

  // `first` is the value of the first sample. A counter was never below zero: its change is not
  // stretched past where it would have been.
  double factor(Counts counts, double first, double change) const {
    if (counts == Counts::Gauge || !crosses_zero(first, change)) return factor_;
    return factor_from(std::min(to_start_, sampled_ * (first / change)));
  }

  bool crosses_zero(double first, double change) const {
    // All of it always: a loop over this has no branches.
    return (change > 0) & (first >= 0) & (sampled_ * first < to_start_ * change);
  }

 private:
  double factor_from(double to_start) const {
    return (sampled_ + to_start + to_end_) / sampled_ / divisor_;
  }

  // Seconds: between the samples, and how far the change may be stretched before and after them.
  double sampled_ = 0;
  double to_start_ = 0;
  double to_end_ = 0;
  double divisor_ = 1;
  double factor_ = 0;
};

// An Extrapolation, kept for the next window if its samples lie in it in the same way.
class KeptExtrapolation {
 public:
  const Extrapolation& get(const store::Interval& window, std::int64_t first_ms,
                           std::int64_t last_ms, std::size_t count, Per per);

 private:
  // In milliseconds.
  struct Lie {
    std::int64_t to_first = 0;
    std::int64_t sampled = 0;
    std::int64_t from_last = 0;
    std::size_t count = 0;  // None yet.

    bool operator==(const Lie&) const = default;
  };

  Lie lie_;
  Extrapolation kept_;
};

// The changes of rows in one window after another.
class Changes {
 public:
  explicit Changes(Change change) : change_(change) {}

  // Of each row in the window; absent_value() where there is none. `out` has a place for each row.
  void put(const store::EndsBatch& ends, const store::Interval& window, std::span<double> out);

 private:
  const Change change_;
  KeptExtrapolation regular_;
  KeptExtrapolation other_;  // Of a row that has other samples: mostly those of the one before.
};

}  // namespace tocsin::promql
