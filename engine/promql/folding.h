// SPDX-License-Identifier: Apache-2.0
//
// How aggregations that make one number of a group take values in: sum, avg, count, min, max,
// group, stddev, stdvar. As Prometheus does, with Neumaier's compensation.
#pragma once

#include <cstdint>
#include <span>

#include "promql/ast.h"

namespace tocsin::promql {

// What an aggregation knows of a group while it passes over the values.
struct Accumulator {
  double count = 0;
  double value = 0;         // Sum, mean, extreme; what the operator makes of it.
  double compensation = 0;  // Of value.
  double squares = 0;       // Of distances from the mean.
  double squares_compensation = 0;
  bool incremental = false;  // The sum has overflowed: value is the mean now.
};

struct Folding {
  AggregateOp op;
  // Sums, by far the most frequent, have a way of their own (group_sums.h).
  bool is_sum() const { return op == AggregateOp::Sum; }
  // Adds every value to its group.
  void (*fold)(std::span<const double> values, std::span<const std::uint32_t> groups,
               std::span<Accumulator> out);
  double (*result)(const Accumulator&);
};

// Null: the operator is no such aggregation.
const Folding* folding_of(AggregateOp op);

}  // namespace tocsin::promql
