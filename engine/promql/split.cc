// SPDX-License-Identifier: Apache-2.0
#include "promql/split.h"

#include <algorithm>
#include <charconv>

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

// Not UTF-8, so no metric is called that.
constexpr std::string_view kPartPrefix = "\xffpart ";
// Prometheus answers 11,000 points of a series at most.
constexpr std::int64_t kMaxPoints = 10'000;

const VectorSelector* selector_of(const Expr& expr) {
  if (const auto* matrix = as<MatrixSelector>(expr)) return &matrix->vector;
  return as<VectorSelector>(expr);
}

std::string name_of_part(std::size_t index) {
  return std::string(kPartPrefix) + std::to_string(index);
}

bool is_experimental(const Expr& expr) {
  if (const auto* call = as<Call>(expr)) return call->function->traits.experimental;
  const auto* aggregate = as<Aggregate>(expr);
  return aggregate && aggregate->op > AggregateOp::CountValues;
}

class Splitter {
 public:
  explicit Splitter(const std::function<bool(std::string_view)>& is_local_name)
      : is_local_name_(is_local_name) {}

  Split run(const ExprPtr& expr) {
    const bool is_whole = is_part(*expr);
    ExprPtr rest = rewrite(expr);
    return {std::move(rest), std::move(parts_), is_whole};
  }

 private:
  // What the other side cannot answer.
  bool is_for_here(const Expr& expr) const {
    const auto* selector = selector_of(expr);
    if (!selector) return is_experimental(expr);
    const auto name = metric_name_of(selector->matchers);
    return name && is_local_name_(*name);
  }

  bool is_part(const Expr& expr) const {
    return any_of_tree(expr, selector_of) &&
           !any_of_tree(expr, [this](const Expr& node) { return is_for_here(node); });
  }

  ExprPtr rewrite(const ExprPtr& expr) {
    if (is_part(*expr)) return stand_in(*expr, part_for(expr));
    const auto* subquery = as<Subquery>(*expr);
    if (subquery) around_.push_back({subquery->range, subquery->step, subquery->shift});
    ExprPtr out = with_each_child(*expr, [this](const ExprPtr& child) { return rewrite(child); });
    if (subquery) around_.pop_back();
    return out;
  }

  std::string part_for(const ExprPtr& expr) {
    parts_.push_back({name_of_part(parts_.size()), expr, around_});
    return parts_.back().name;
  }

  // What replaces a part: it has the part's type, place and window.
  static ExprPtr stand_in(const Expr& part, const std::string& name) {
    auto out = std::make_shared<Expr>(part);
    VectorSelector selector{name, {Matcher::equal(kMetricName, name)}, {}};
    const Expr& inner = unwrap(part);
    if (const auto* matrix = as<MatrixSelector>(inner)) {
      selector.shift = matrix->vector.shift;
      out->node = MatrixSelector{std::move(selector), matrix->range};
    } else if (const auto* subquery = as<Subquery>(inner)) {
      selector.shift = subquery->shift;
      out->node = MatrixSelector{std::move(selector), subquery->range};
    } else if (part.type == ValueType::Scalar) {
      auto vector = std::make_shared<Expr>(part);
      vector->node = std::move(selector);
      vector->type = ValueType::Vector;
      out->node = Call{find_function("scalar"), {std::move(vector)}};
    } else {
      out->node = std::move(selector);
    }
    return out;
  }

  const std::function<bool(std::string_view)>& is_local_name_;
  std::vector<Part> parts_;
  std::vector<Around> around_;
};

bool is_fixed(const TimeShift& shift) { return shift.at.kind != AtModifier::Kind::None; }

// `shift` with `@ start()` and `@ end()` said as the instants that they are.
TimeShift settled(TimeShift shift, const Steps& whole) {
  if (shift.at.kind == AtModifier::Kind::Start) shift.at.instant = whole.first;
  if (shift.at.kind == AtModifier::Kind::End) shift.at.instant = whole.last;
  if (is_fixed(shift)) shift.at.kind = AtModifier::Kind::Instant;
  return shift;
}

ExprPtr settled(const ExprPtr& expr, const Steps& whole) {
  const auto out =
      with_each_child(*expr, [&whole](const ExprPtr& child) { return settled(child, whole); });
  if (auto* number = std::get_if<Number>(&out->node)) {
    number->is_duration = false;  // Prometheus 2 knows no `5m` for a number.
  }
  if (TimeShift* shift = shift_of(*out)) *shift = settled(*shift, whole);
  return out;
}

// The steps of a subquery that is evaluated at `outer`: every multiple of its step inside any of
// its windows. Nothing when there is none.
std::optional<Steps> steps_inside(const Around& subquery, const Steps& outer, const Steps& whole,
                                  Duration default_step) {
  const TimeShift shift = settled(subquery.shift, whole);
  const Timestamp first = is_fixed(shift) ? shift.at.instant : outer.first;
  const Timestamp last = is_fixed(shift) ? shift.at.instant : outer.last;
  const Duration step = subquery.step.count() > 0 ? subquery.step : default_step;
  const auto multiple_upto = [&](Timestamp at) {
    std::int64_t count = to_millis(at) / step.count();
    if (count * step.count() > to_millis(at)) --count;
    return from_millis(count * step.count());
  };
  const Steps inside{multiple_upto(first - shift.offset - subquery.range) + step,
                     multiple_upto(last - shift.offset), step};
  if (inside.first > inside.last) return std::nullopt;
  return inside;
}

// The range vector that covers the windows of `steps`, asked for at the last of them.
ExprPtr widened(const ExprPtr& expr, const Steps& steps) {
  auto out = std::make_shared<Expr>(unwrap(*expr));
  const Duration more = steps.last - steps.first;
  if (auto* matrix = std::get_if<MatrixSelector>(&out->node)) {
    if (!is_fixed(matrix->vector.shift)) matrix->range += more;
  } else if (auto* subquery = std::get_if<Subquery>(&out->node)) {
    if (!is_fixed(subquery->shift)) subquery->range += more;
  }
  return out;
}

}  // namespace

Split split(const ExprPtr& expr, const std::function<bool(std::string_view name)>& is_local_name) {
  return Splitter(is_local_name).run(expr);
}

std::optional<std::size_t> part_of(std::string_view name) {
  if (!name.starts_with(kPartPrefix)) return std::nullopt;
  std::size_t index = 0;
  std::from_chars(name.data() + kPartPrefix.size(), name.data() + name.size(), index);
  return index;
}

std::vector<Ask> asks_of(const Part& part, const Steps& whole, Duration default_step) {
  Steps steps = whole;
  for (const Around& subquery : part.around) {
    const auto inside = steps_inside(subquery, steps, whole, default_step);
    if (!inside) return {};
    steps = *inside;
  }
  const ExprPtr expr = settled(part.expr, whole);
  if (expr->type == ValueType::Matrix) {
    return {{print(*widened(expr, steps)), {steps.last, steps.last}}};
  }
  const std::string query = print(*expr);
  if (steps.step.count() == 0) return {{query, steps}};
  std::vector<Ask> asks;
  for (Timestamp from = steps.first; from <= steps.last; from += kMaxPoints * steps.step) {
    asks.push_back(
        {query, {from, std::min(steps.last, from + (kMaxPoints - 1) * steps.step), steps.step}});
  }
  return asks;
}

}  // namespace tocsin::promql
