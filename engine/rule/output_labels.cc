// SPDX-License-Identifier: Apache-2.0
#include "rule/output_labels.h"

#include <algorithm>

#include "promql/functions.h"

namespace tocsin::rule {
namespace {

using promql::BinaryOp;
using promql::Expr;
using Names = std::vector<std::string>;

OutputLabels closed(const Names& names) { return {false, {names.begin(), names.end()}}; }

OutputLabels with(OutputLabels labels, std::string_view name) {
  if (labels.is_open) {
    labels.names.erase(std::string(name));
  } else {
    labels.names.emplace(name);
  }
  return labels;
}

OutputLabels without(OutputLabels labels, std::string_view name) {
  if (labels.is_open) {
    labels.names.emplace(name);
  } else {
    labels.names.erase(std::string(name));
  }
  return labels;
}

OutputLabels only(const OutputLabels& labels, const Names& names) {
  OutputLabels out{false, {}};
  for (const std::string& name : names) {
    if (labels.can_have(name)) out.names.insert(name);
  }
  return out;
}

OutputLabels either(const OutputLabels& a, const OutputLabels& b) {
  if (!a.is_open && !b.is_open) {
    OutputLabels out = a;
    out.names.insert(b.names.begin(), b.names.end());
    return out;
  }
  // Not possible only where it is possible on neither side.
  const OutputLabels& open = a.is_open ? a : b;
  const OutputLabels& other = a.is_open ? b : a;
  OutputLabels out{true, {}};
  for (const std::string& name : open.names) {
    if (!other.can_have(name)) out.names.insert(name);
  }
  return out;
}

OutputLabels of_selector(const promql::VectorSelector& selector) {
  OutputLabels out;
  for (const Matcher& m : selector.matchers) {
    if (m.op() == Matcher::Op::Equal && m.value().empty()) out.names.insert(m.name());
  }
  return out;
}

OutputLabels of_aggregate(const promql::Aggregate& aggregate) {
  using promql::AggregateOp;
  const OutputLabels inner = output_labels(*aggregate.expr);
  switch (aggregate.op) {
    case AggregateOp::Topk:
    case AggregateOp::Bottomk:
    case AggregateOp::Limitk:
    case AggregateOp::LimitRatio:
      return inner;  // They choose elements and change none.
    default:
      break;
  }
  OutputLabels out = inner;
  if (aggregate.without) {
    for (const std::string& name : aggregate.grouping) out = without(std::move(out), name);
  } else {
    out = only(inner, aggregate.grouping);
  }
  if (aggregate.op != AggregateOp::CountValues) return out;
  const auto* label = promql::as<promql::String>(promql::unwrap(*aggregate.parameter));
  return label ? with(std::move(out), label->value) : OutputLabels{};
}

// Those that the selector wants with `=`, if the argument is one.
OutputLabels of_absent(const Expr& argument) {
  const Expr& inner = promql::unwrap(argument);
  const auto* selector = promql::as<promql::VectorSelector>(inner);
  if (const auto* matrix = promql::as<promql::MatrixSelector>(inner)) selector = &matrix->vector;
  OutputLabels out{false, {}};
  if (selector == nullptr) return out;
  for (const Matcher& m : selector->matchers) {
    if (m.op() == Matcher::Op::Equal && m.name() != kMetricName) out.names.insert(m.name());
  }
  return out;
}

OutputLabels of_call(const promql::Call& call) {
  const std::string_view name = call.function->name;
  if (name == "absent" || name == "absent_over_time") return of_absent(*call.args.front());
  const auto argument = std::find_if(call.args.begin(), call.args.end(), [](const auto& arg) {
    return promql::type_of(*arg) == promql::ValueType::Vector ||
           promql::type_of(*arg) == promql::ValueType::Matrix;
  });
  if (argument == call.args.end() || name == "scalar") return {false, {}};
  OutputLabels out = output_labels(**argument);
  if (name == "histogram_quantile" || name == "histogram_fraction") {
    return without(std::move(out), "le");
  }
  if (name == "label_replace" || name == "label_join") {
    const auto* label = promql::as<promql::String>(promql::unwrap(*call.args.at(1)));
    return label ? with(std::move(out), label->value) : OutputLabels{};
  }
  return out;
}

OutputLabels of_binary(const promql::Binary& binary) {
  const bool left_is_vector = promql::type_of(*binary.left) == promql::ValueType::Vector;
  const bool right_is_vector = promql::type_of(*binary.right) == promql::ValueType::Vector;
  if (!left_is_vector || !right_is_vector) {
    return output_labels(left_is_vector ? *binary.left : *binary.right);
  }
  const OutputLabels left = output_labels(*binary.left);
  if (binary.op == BinaryOp::And || binary.op == BinaryOp::Unless) return left;
  if (binary.op == BinaryOp::Or) return either(left, output_labels(*binary.right));
  const promql::Matching& matching = binary.matching;
  if (matching.cardinality == promql::Cardinality::OneToOne) {
    if (matching.on) return only(left, matching.labels);
    OutputLabels out = left;
    for (const std::string& name : matching.labels) out = without(std::move(out), name);
    return out;
  }
  const bool many_is_left = matching.cardinality == promql::Cardinality::ManyToOne;
  OutputLabels out = many_is_left ? left : output_labels(*binary.right);
  for (const std::string& name : matching.include) out = with(std::move(out), name);
  return out;
}

}  // namespace

OutputLabels output_labels(const Expr& expr) {
  if (const auto* selector = promql::as<promql::VectorSelector>(expr)) {
    return of_selector(*selector);
  }
  if (const auto* matrix = promql::as<promql::MatrixSelector>(expr)) {
    return of_selector(matrix->vector);
  }
  if (const auto* subquery = promql::as<promql::Subquery>(expr)) {
    return output_labels(*subquery->expr);
  }
  if (const auto* unary = promql::as<promql::Unary>(expr)) return output_labels(*unary->expr);
  if (const auto* paren = promql::as<promql::Paren>(expr)) return output_labels(*paren->expr);
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) return of_aggregate(*aggregate);
  if (const auto* call = promql::as<promql::Call>(expr)) return of_call(*call);
  if (const auto* binary = promql::as<promql::Binary>(expr)) return of_binary(*binary);
  return closed({});
}

}  // namespace tocsin::rule
