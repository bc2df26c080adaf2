// SPDX-License-Identifier: Apache-2.0
#include "promql/pin.h"

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

TimeShift* shift_of(Expr& expr) {
  if (auto* vector = std::get_if<VectorSelector>(&expr.node)) return &vector->shift;
  if (auto* matrix = std::get_if<MatrixSelector>(&expr.node)) return &matrix->vector.shift;
  if (auto* subquery = std::get_if<Subquery>(&expr.node)) return &subquery->shift;
  return nullptr;
}

bool reads_clock(const Expr& expr) {
  const auto* call = as<Call>(expr);
  if (call && call->function->traits.reads_clock) return true;
  for (const ExprPtr& child : children_of(expr)) {
    if (reads_clock(*child)) return true;
  }
  return false;
}

ExprPtr pinned(const ExprPtr& expr, Timestamp at) {
  auto out = std::make_shared<Expr>(*expr);
  if (TimeShift* shift = shift_of(*out)) {
    // What stands inside a subquery is evaluated at times of its own.
    if (shift->at.kind != AtModifier::Kind::Instant) shift->at = {AtModifier::Kind::Instant, at};
    return out;
  }
  std::vector<ExprPtr> children = children_of(*expr);
  for (ExprPtr& child : children) child = pinned(child, at);
  return with_children(*expr, children);
}

}  // namespace

ExprPtr pin(const ExprPtr& expr, Timestamp at) {
  return reads_clock(*expr) ? nullptr : pinned(expr, at);
}

}  // namespace tocsin::promql
