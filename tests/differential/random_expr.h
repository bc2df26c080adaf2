// SPDX-License-Identifier: Apache-2.0
//
// Random expressions over the metrics of random_data.h: the whole language that Prometheus 2.42
// knows, type-correct, and mostly with an answer that is not empty.
//
// Two right engines need not add numbers in the same order. So that a difference is always a
// mistake, the generator knows of each part whether both sides have it to the last bit, and lets
// only such a part into what would make a mountain of the last bit: floor(), ==, changes(), %.
#pragma once

#include <string>
#include <vector>

#include "differential/random.h"
#include "differential/random_parts.h"

namespace tocsin::differential {

class ExprDice {
 public:
  explicit ExprDice(Dice& dice) : dice_(dice) {}

  // A whole expression; `holt_winters` is called so.
  std::string expression();

 private:
  Part vector(int depth);
  Part scalar(int depth);
  Part selector();
  Part selector_of(const Metric& metric);
  Part mixed_selector();
  Part range(int depth);
  Part range_of(const Metric& metric);
  Part subquery(int depth);

  Part range_call(int depth);
  Part counter_call(int depth);
  Part math_call(int depth);
  Part date_call(int depth);
  Part other_call(int depth);
  Part label_call(int depth);
  Part histogram_call(int depth);
  Part absent_call(int depth);
  Part aggregate(int depth);
  Part aggregate_with_parameter(int depth);
  Part aggregate_mixed();
  Part with_scalar(int depth);
  Part compared(int depth);
  Part between_likes(int depth);
  Part between_groups(int depth);
  Part many_to_one(int depth);
  Part with_info(int depth);
  Part set_operation(int depth);
  Part negated(int depth);
  Part anything_goes(int depth);

  // Draws until `good(part)`; something simple that is good, when it takes too long.
  template <class Good>
  Part vector_where(int depth, Good good);
  const Metric& metric_where(bool (*good)(const Metric&));
  std::vector<std::string> some_of(const std::vector<std::string>& labels);
  std::string matcher(const std::string& label);
  std::string shift();
  std::string window();
  std::string generic_number();
  std::string quantile();
  std::string word(std::string text);

  Dice& dice_;
};

template <class Good>
Part ExprDice::vector_where(int depth, Good good) {
  for (int i = 0; i < 8; ++i) {
    Part out = vector(depth);
    if (good(out)) return out;
  }
  for (;;) {
    Part out = selector();
    if (good(out)) return out;
  }
}

}  // namespace tocsin::differential
