// SPDX-License-Identifier: Apache-2.0
#include "promql/ast.h"

#include <array>
#include <cmath>

namespace tocsin::promql {
namespace {

constexpr std::array<BinaryOpInfo, 16> kBinaryOps{{
    {BinaryOp::Add, "+", 4, false, false},
    {BinaryOp::Sub, "-", 4, false, false},
    {BinaryOp::Mul, "*", 5, false, false},
    {BinaryOp::Div, "/", 5, false, false},
    {BinaryOp::Mod, "%", 5, false, false},
    {BinaryOp::Pow, "^", 6, false, false},
    {BinaryOp::Atan2, "atan2", 5, false, false},
    {BinaryOp::Eq, "==", 3, true, false},
    {BinaryOp::Ne, "!=", 3, true, false},
    {BinaryOp::Lt, "<", 3, true, false},
    {BinaryOp::Gt, ">", 3, true, false},
    {BinaryOp::Le, "<=", 3, true, false},
    {BinaryOp::Ge, ">=", 3, true, false},
    {BinaryOp::And, "and", 2, false, true},
    {BinaryOp::Or, "or", 1, false, true},
    {BinaryOp::Unless, "unless", 2, false, true},
}};

constexpr std::array<std::string_view, 14> kAggregates{
    "sum",    "avg",  "count",   "min",      "max",          "group",  "stddev",
    "stdvar", "topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio"};

}  // namespace

const BinaryOpInfo& info_of(BinaryOp op) { return kBinaryOps[static_cast<std::size_t>(op)]; }

std::string_view text_of(AggregateOp op) { return kAggregates[static_cast<std::size_t>(op)]; }

std::optional<AggregateOp> aggregate_of(std::string_view name) {
  for (std::size_t i = 0; i < kAggregates.size(); ++i) {
    if (kAggregates[i] == name) return static_cast<AggregateOp>(i);
  }
  return std::nullopt;
}

bool takes_parameter(AggregateOp op) { return op >= AggregateOp::Topk; }

const Expr& unwrap(const Expr& expr) {
  const Expr* at = &expr;
  while (const Paren* paren = as<Paren>(*at)) at = paren->expr.get();
  return *at;
}

TimeShift* shift_of(Expr& expr) {
  if (auto* vector = std::get_if<VectorSelector>(&expr.node)) return &vector->shift;
  if (auto* matrix = std::get_if<MatrixSelector>(&expr.node)) return &matrix->vector.shift;
  if (auto* subquery = std::get_if<Subquery>(&expr.node)) return &subquery->shift;
  return nullptr;
}

std::vector<ExprPtr> children_of(const Expr& expr) {
  if (const auto* node = as<Subquery>(expr)) return {node->expr};
  if (const auto* node = as<Unary>(expr)) return {node->expr};
  if (const auto* node = as<Paren>(expr)) return {node->expr};
  if (const auto* node = as<Binary>(expr)) return {node->left, node->right};
  if (const auto* node = as<Call>(expr)) return node->args;
  if (const auto* node = as<Aggregate>(expr)) {
    if (node->parameter) return {node->parameter, node->expr};
    return {node->expr};
  }
  return {};
}

std::shared_ptr<Expr> with_each_child(const Expr& expr,
                                      const std::function<ExprPtr(const ExprPtr& child)>& change) {
  auto out = std::make_shared<Expr>(expr);
  const auto replace = [&](ExprPtr& child) {
    if (child) child = change(child);
  };
  if (auto* subquery = std::get_if<Subquery>(&out->node)) replace(subquery->expr);
  if (auto* unary = std::get_if<Unary>(&out->node)) replace(unary->expr);
  if (auto* paren = std::get_if<Paren>(&out->node)) replace(paren->expr);
  if (auto* call = std::get_if<Call>(&out->node)) {
    for (ExprPtr& arg : call->args) replace(arg);
  }
  if (auto* binary = std::get_if<Binary>(&out->node)) {
    replace(binary->left);
    replace(binary->right);
  }
  if (auto* aggregate = std::get_if<Aggregate>(&out->node)) {
    replace(aggregate->parameter);
    replace(aggregate->expr);
  }
  return out;
}

ValueType type_of(const Expr& expr) { return expr.type; }

std::string_view type_name(ValueType type) {
  static constexpr std::array<std::string_view, 5> kNames{"none", "scalar", "string",
                                                          "instant vector", "range vector"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace tocsin::promql
