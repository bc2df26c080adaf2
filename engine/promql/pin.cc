// SPDX-License-Identifier: Apache-2.0
#include "promql/pin.h"

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

bool reads_clock(const Expr& expr) {
  const auto* call = as<Call>(expr);
  return call && call->function->traits.reads_clock;
}

ExprPtr pinned(const ExprPtr& expr, Timestamp at) {
  auto out = std::make_shared<Expr>(*expr);
  if (TimeShift* shift = shift_of(*out)) {
    // What stands inside a subquery is evaluated at times of its own.
    if (shift->at.kind != AtModifier::Kind::Instant) shift->at = {AtModifier::Kind::Instant, at};
    return out;
  }
  return with_each_child(*expr, [at](const ExprPtr& child) { return pinned(child, at); });
}

}  // namespace

ExprPtr pin(const ExprPtr& expr, Timestamp at) {
  return any_of_tree(*expr, reads_clock) ? nullptr : pinned(expr, at);
}

}  // namespace tocsin::promql
