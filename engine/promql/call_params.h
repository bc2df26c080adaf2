// SPDX-License-Identifier: Apache-2.0
//
// The scalar arguments of a call, which every node that drives a function reads.
#pragma once

#include <span>
#include <vector>

#include "promql/plan.h"

namespace tocsin::promql {

// In the order of the call.
class Params {
 public:
  explicit Params(const Call& call) {
    for (const ExprPtr& arg : call.args) {
      if (arg->type != ValueType::Scalar) continue;
      nodes_.push_back(plan(*arg));
      if (!as<Number>(unwrap(*arg))) is_constant_ = false;
    }
  }

  // Whether they are the same at every evaluation.
  bool is_constant() const { return is_constant_; }

  Result<std::span<const double>> read(Context& context) {
    values_.clear();
    for (const NodePtr& node : nodes_) {
      const auto value = node->scalar(context);
      if (!value) return fail(value.error());
      values_.push_back(*value);
    }
    return std::span<const double>(values_);
  }

 private:
  std::vector<NodePtr> nodes_;
  std::vector<double> values_;
  bool is_constant_ = true;
};

}  // namespace tocsin::promql
