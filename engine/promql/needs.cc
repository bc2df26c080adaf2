// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "promql/ast.h"

namespace tocsin::promql {
namespace {

constexpr Duration kLookback = std::chrono::minutes(5);

// `extra` is how far the enclosing subqueries reach back.
void collect(const Expr& expr, Duration extra, std::vector<Need>& out) {
  if (const auto* vector = as<VectorSelector>(expr)) {
    out.push_back({vector->matchers, extra + vector->shift.offset + kLookback});
  } else if (const auto* matrix = as<MatrixSelector>(expr)) {
    out.push_back({matrix->vector.matchers, extra + matrix->vector.shift.offset + matrix->range});
  } else if (const auto* subquery = as<Subquery>(expr)) {
    collect(*subquery->expr, extra + subquery->range + subquery->shift.offset, out);
  } else {
    for (const ExprPtr& child : children_of(expr)) collect(*child, extra, out);
  }
}

}  // namespace

std::vector<Need> needs_of(const Expr& expr) {
  std::vector<Need> out;
  collect(expr, Duration(0), out);
  for (Need& need : out) need.history = std::max(need.history, Duration(0));
  return out;
}

}  // namespace tocsin::promql
