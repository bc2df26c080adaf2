// SPDX-License-Identifier: Apache-2.0
//
// SortedWindow keeps the values of a window in order while it slides: what is asked of a window
// that is the last one but for a value or two need not sort all of it again.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "promql/functions.h"

namespace tocsin::promql {

class SortedWindow {
 public:
  void clear() { values_.clear(); }
  void add(double value) {
    values_.insert(std::upper_bound(values_.begin(), values_.end(), value, sorts_before), value);
  }
  // One that was added.
  void remove(double value) {
    values_.erase(std::lower_bound(values_.begin(), values_.end(), value, sorts_before));
  }
  // One that was added gives way to another: what is not between the two stays where it is.
  void replace(double old, double value) {
    const auto gap = std::lower_bound(values_.begin(), values_.end(), old, sorts_before);
    if (sorts_before(value, old)) {
      const auto place = std::upper_bound(values_.begin(), gap, value, sorts_before);
      std::move_backward(place, gap, gap + 1);
      *place = value;
    } else {
      const auto place = std::upper_bound(gap + 1, values_.end(), value, sorts_before);
      std::move(gap + 1, place, gap);
      *(place - 1) = value;
    }
  }
  std::span<const double> values() const { return values_; }

 private:
  std::vector<double> values_;
};

}  // namespace tocsin::promql
