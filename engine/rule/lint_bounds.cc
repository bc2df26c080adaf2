// SPDX-License-Identifier: Apache-2.0
//
// Between which numbers the values of an expression lie, whatever the series are.
#include <algorithm>
#include <array>
#include <limits>

#include "promql/functions.h"
#include "rule/linkerd_catalog.h"
#include "rule/lint_parts.h"

namespace tocsin::rule {
namespace {

using promql::AggregateOp;
using promql::Expr;

constexpr double kAny = std::numeric_limits<double>::infinity();

struct Named {
  std::string_view name;
  double least;
  double most;
  bool only_ends;  // As of ValueBounds.
  std::string_view why;
  std::string_view hint = "";
};

constexpr std::array<Named, 2> kSelectors = {{
    {"up", 0, 1, true, "'up' is 0 or 1"},
    {"probe_success", 0, 1, true, "'probe_success' is 0 or 1"},
}};

constexpr std::string_view kPresence = "leave the comparison out";
constexpr std::array<Named, 9> kCalls = {{
    {"absent", 1, 1, true, "absent() is 1, or nothing", kPresence},
    {"absent_over_time", 1, 1, true, "absent_over_time() is 1, or nothing", kPresence},
    {"present_over_time", 1, 1, true, "present_over_time() is 1, or nothing", kPresence},
    {"rate", 0, kAny, false, "rate() is never negative", "of a gauge, use deriv()"},
    {"irate", 0, kAny, false, "irate() is never negative", "of a gauge, use idelta()"},
    {"increase", 0, kAny, false, "increase() is never negative", "of a gauge, use delta()"},
    {"changes", 0, kAny, false, "changes() is never negative"},
    {"resets", 0, kAny, false, "resets() is never negative"},
    {"count_over_time", 1, kAny, false, "count_over_time() of nothing is nothing, never 0",
     "use absent_over_time()"},
}};

constexpr std::array<std::string_view, 4> kChoosing = {"avg_over_time", "min_over_time",
                                                       "max_over_time", "last_over_time"};

std::optional<ValueBounds> find_in(std::span<const Named> table, std::string_view name) {
  const auto it =
      std::find_if(table.begin(), table.end(), [&](const Named& one) { return one.name == name; });
  if (it == table.end()) return std::nullopt;
  return ValueBounds{it->least, it->most, it->only_ends, std::string(it->why),
                     std::string(it->hint)};
}

std::optional<ValueBounds> of_selector(const promql::VectorSelector& selector) {
  if (auto bounds = find_in(kSelectors, selector.name)) return bounds;
  const LinkerdMetric* metric = find_linkerd_metric(selector.name);
  if (metric == nullptr || metric->type == MetricType::Gauge) return std::nullopt;
  return ValueBounds{0, kAny, false, "'" + selector.name + "' counts: it is never negative", ""};
}

std::optional<ValueBounds> of_aggregate(const promql::Aggregate& aggregate) {
  if (aggregate.op == AggregateOp::Count) {
    return ValueBounds{1, kAny, false, "count() of nothing is nothing, never 0",
                       "use absent(), or add 'or vector(0)' to what is counted"};
  }
  auto bounds = bounds_of(*aggregate.expr);
  if (!bounds || keeps_bounds(aggregate.op)) {
    if (bounds && aggregate.op == AggregateOp::Avg) bounds->only_ends = false;
    return bounds;
  }
  if (aggregate.op != AggregateOp::Sum || bounds->least < 0) return std::nullopt;
  bounds->most = kAny;
  bounds->only_ends = false;
  return bounds;
}

std::optional<ValueBounds> of_call(const promql::Call& call) {
  const std::string_view name = call.function->name;
  if (std::find(kChoosing.begin(), kChoosing.end(), name) == kChoosing.end()) {
    return find_in(kCalls, name);
  }
  auto bounds = bounds_of(*call.args.front());
  if (bounds && name == "avg_over_time") bounds->only_ends = false;
  return bounds;
}

}  // namespace

bool keeps_bounds(AggregateOp op) {
  return op == AggregateOp::Avg || op == AggregateOp::Min || op == AggregateOp::Max ||
         op == AggregateOp::Topk || op == AggregateOp::Bottomk;
}

std::optional<ValueBounds> bounds_of(const Expr& written) {
  const Expr& expr = promql::unwrap(written);
  if (const auto* selector = selector_of(expr)) return of_selector(*selector);
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) return of_aggregate(*aggregate);
  if (const auto* call = promql::as<promql::Call>(expr)) return of_call(*call);
  return std::nullopt;
}

bool ValueBounds::can_be(promql::BinaryOp op, double number) const {
  using promql::BinaryOp;
  switch (op) {
    case BinaryOp::Gt:
      return most > number;
    case BinaryOp::Ge:
      return most >= number;
    case BinaryOp::Lt:
      return least < number;
    case BinaryOp::Le:
      return least <= number;
    case BinaryOp::Eq:
      return only_ends ? number == least || number == most : number >= least && number <= most;
    case BinaryOp::Ne:
      return least != most || number != least;
    default:
      return true;
  }
}

}  // namespace tocsin::rule
