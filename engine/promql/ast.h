// SPDX-License-Identifier: Apache-2.0
//
// The tree of an expression. Immutable once parsed; subtrees are shared. Every node knows its type
// and the bytes of the text that it came from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tocsin/promql.h"

namespace tocsin::promql {

struct Function;  // promql/functions.h

struct Number {
  double value = 0;
  bool is_duration = false;  // Written as `5m`; printed so again.
};

struct String {
  std::string value;
};

// `@ 1609746000`, `@ start()`, `@ end()`.
struct AtModifier {
  enum class Kind { None, Instant, Start, End };
  Kind kind = Kind::None;
  Timestamp instant{};
};

// What `offset` and `@` say; on selectors and subqueries.
struct TimeShift {
  Duration offset{0};
  AtModifier at;
};

struct VectorSelector {
  std::string name;   // Empty where it is only a matcher, or absent.
  Matchers matchers;  // The one for `__name__` included.
  TimeShift shift;
};

struct MatrixSelector {
  VectorSelector vector;  // Its shift is the selector's: `x[5m] offset 1m`.
  Duration range{0};
};

struct Subquery {
  ExprPtr expr;
  Duration range{0};
  Duration step{0};  // 0: QueryOptions::default_step.
  TimeShift shift;
};

struct Unary {
  bool negative = false;
  ExprPtr expr;
};

enum class BinaryOp {
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  Pow,
  Atan2,
  Eq,
  Ne,
  Lt,
  Gt,
  Le,
  Ge,
  And,
  Or,
  Unless
};

// Everything the parser, the printer and the evaluator need to know of an operator.
struct BinaryOpInfo {
  BinaryOp op;
  std::string_view text;
  int precedence;
  bool is_comparison;
  bool is_set;
};
const BinaryOpInfo& info_of(BinaryOp op);

enum class Cardinality { OneToOne, ManyToOne, OneToMany, ManyToMany };

struct Matching {
  Cardinality cardinality = Cardinality::OneToOne;
  bool on = false;                   // Otherwise ignoring.
  std::vector<std::string> labels;   // Of on (…) or ignoring (…).
  std::vector<std::string> include;  // Of group_left (…) or group_right (…).
};

struct Binary {
  BinaryOp op = BinaryOp::Add;
  ExprPtr left;
  ExprPtr right;
  bool return_bool = false;
  Matching matching;  // Only between two vectors.
};

enum class AggregateOp {
  Sum,
  Avg,
  Count,
  Min,
  Max,
  Group,
  Stddev,
  Stdvar,
  Topk,
  Bottomk,
  Quantile,
  CountValues,
  Limitk,
  LimitRatio
};
std::string_view text_of(AggregateOp op);
std::optional<AggregateOp> aggregate_of(std::string_view name);
bool takes_parameter(AggregateOp op);

struct Aggregate {
  AggregateOp op = AggregateOp::Sum;
  ExprPtr expr;
  ExprPtr parameter;  // Null unless takes_parameter(op).
  bool without = false;
  std::vector<std::string> grouping;
};

struct Call {
  const Function* function = nullptr;
  std::vector<ExprPtr> args;
};

struct Paren {
  ExprPtr expr;
};

struct Expr {
  std::variant<Number, String, VectorSelector, MatrixSelector, Subquery, Unary, Binary, Aggregate,
               Call, Paren>
      node;
  ValueType type = ValueType::None;
  std::size_t begin = 0;
  std::size_t end = 0;
};

template <class Node>
const Node* as(const Expr& expr) {
  return std::get_if<Node>(&expr.node);
}

// `expr` without the parentheses around it.
const Expr& unwrap(const Expr& expr);

// What `offset` and `@` say of a selector or a subquery; null for nodes that may not be shifted.
TimeShift* shift_of(Expr& expr);

// The direct subexpressions of `expr`, from left to right.
std::vector<ExprPtr> children_of(const Expr& expr);
// A copy of `expr` with what `change` makes of each of them, from left to right, in its place; of
// the same type.
std::shared_ptr<Expr> with_each_child(const Expr& expr,
                                      const std::function<ExprPtr(const ExprPtr& child)>& change);

// Whether `is_one(node)` for `expr` or anything inside it.
template <class Predicate>
bool any_of_tree(const Expr& expr, const Predicate& is_one) {
  if (is_one(expr)) return true;
  const std::vector<ExprPtr> children = children_of(expr);
  return std::any_of(children.begin(), children.end(),
                     [&](const ExprPtr& child) { return any_of_tree(*child, is_one); });
}

}  // namespace tocsin::promql
