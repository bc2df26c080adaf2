// SPDX-License-Identifier: Apache-2.0
#include "promql/row_stream.h"

#include <utility>

namespace tocsin::promql {

bool StepBuffer::holds(const Context& context, const ShapePtr& rows) const {
  if (run_ != context.run || rows_ != rows || steps_.step != context.step) return false;
  if (context.at < steps_.first || context.at > steps_.at(steps_.count - 1)) return false;
  const std::size_t index = place(context);
  return steps_.at(index) == context.at && values_[index].size() == out_->rows.size();
}

void StepBuffer::reset(const Context& context, ShapePtr rows, ShapePtr out, const Steps& steps) {
  run_ = context.run;
  rows_ = std::move(rows);
  out_ = std::move(out);
  steps_ = steps;
  values_.assign(steps.count, std::vector<double>(out_->rows.size(), store::absent_value()));
  samples_.assign(steps.count, 0);
}

Frame StepBuffer::take(Context& context) {
  const std::size_t index = place(context);
  context.samples += samples_[index];
  return {out_, std::exchange(values_[index], {})};
}

}  // namespace tocsin::promql
