// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "promql/functions.h"
#include "promql/parser.h"

namespace tocsin::promql {
namespace {

Problem type_problem(const Expr& at, std::string message) {
  return Problem{"promql/type", std::move(message), "", at.begin, at.end};
}

std::optional<Problem> expect_type(const Expr& expr, ValueType wanted, const std::string& context) {
  if (expr.type == wanted) return std::nullopt;
  return type_problem(expr, "expected type " + std::string(type_name(wanted)) + " in " + context +
                                ", got " + std::string(type_name(expr.type)));
}

bool is_scalar_or_vector(const Expr& expr) {
  return expr.type == ValueType::Scalar || expr.type == ValueType::Vector;
}

// Each overload returns what is wrong, and otherwise sets expr.type.
std::optional<Problem> check(Expr& expr, const Number&) {
  expr.type = ValueType::Scalar;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const String&) {
  expr.type = ValueType::String;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const VectorSelector&) {
  expr.type = ValueType::Vector;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const MatrixSelector&) {
  expr.type = ValueType::Matrix;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const Paren& paren) {
  expr.type = paren.expr->type;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const Subquery& subquery) {
  if (subquery.expr->type != ValueType::Vector) {
    return type_problem(expr, "subquery is only allowed on instant vector, got " +
                                  std::string(type_name(subquery.expr->type)) + " in \"" +
                                  print(expr) + "\" instead");
  }
  expr.type = ValueType::Matrix;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const Unary& unary) {
  if (!is_scalar_or_vector(*unary.expr)) {
    return type_problem(expr,
                        "unary expression only allowed on expressions of type scalar or instant "
                        "vector, got \"" +
                            std::string(type_name(unary.expr->type)) + "\"");
  }
  expr.type = unary.expr->type;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const Binary& binary) {
  const BinaryOpInfo& op = info_of(binary.op);
  const ValueType left = binary.left->type;
  const ValueType right = binary.right->type;
  if (!is_scalar_or_vector(*binary.left) || !is_scalar_or_vector(*binary.right)) {
    const Expr& wrong = is_scalar_or_vector(*binary.left) ? *binary.right : *binary.left;
    return type_problem(wrong,
                        "binary expression must contain only scalar and instant vector types");
  }
  if (binary.return_bool && !op.is_comparison) {
    return type_problem(expr, "bool modifier can only be used on comparison operators");
  }
  const bool scalars = left == ValueType::Scalar && right == ValueType::Scalar;
  if (op.is_comparison && scalars && !binary.return_bool) {
    return type_problem(expr, "comparisons between scalars must use BOOL modifier");
  }
  const bool vectors = left == ValueType::Vector && right == ValueType::Vector;
  if (op.is_set && !vectors) {
    return type_problem(expr, "set operator \"" + std::string(op.text) +
                                  "\" not allowed in binary scalar expression");
  }
  const Matching& matching = binary.matching;
  if (!vectors && (matching.on || !matching.labels.empty())) {
    return type_problem(expr, "vector matching only allowed between instant vectors");
  }
  expr.type = scalars ? ValueType::Scalar : ValueType::Vector;
  return std::nullopt;
}

std::optional<Problem> check(Expr& expr, const Aggregate& aggregate) {
  expr.type = ValueType::Vector;
  if (auto problem = expect_type(*aggregate.expr, ValueType::Vector, "aggregation expression")) {
    return problem;
  }
  if (!aggregate.parameter) return std::nullopt;
  const ValueType wanted =
      aggregate.op == AggregateOp::CountValues ? ValueType::String : ValueType::Scalar;
  return expect_type(*aggregate.parameter, wanted, "aggregation parameter");
}

std::optional<Problem> check(Expr& expr, const Call& call) {
  const Function& function = *call.function;
  expr.type = function.result;
  const std::size_t least = function.required_args();
  const std::size_t most = function.max_args();
  const std::size_t got = call.args.size();
  const std::string name(function.name);
  if (got < least || got > most) {
    const bool exact = least == most;
    const std::string bound = exact ? "" : got < least ? "at least " : "at most ";
    return type_problem(expr, "expected " + bound + std::to_string(got < least ? least : most) +
                                  " argument(s) in call to \"" + name + "\", got " +
                                  std::to_string(got));
  }
  for (std::size_t i = 0; i < got; ++i) {
    if (auto problem =
            expect_type(*call.args[i], function.arg(i), "call to function \"" + name + "\"")) {
      return problem;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Problem> check_types(Expr& expr) {
  return std::visit([&](const auto& node) { return check(expr, node); }, expr.node);
}

}  // namespace tocsin::promql
