// SPDX-License-Identifier: Apache-2.0
//
// Durations and instants in the text of an expression: `5m`, `300`, `-1h`, and arithmetic with
// them, `[2 * 30m + 5]`, which is worked out while parsing.
#include <cmath>

#include "promql/operators.h"
#include "promql/parser.h"

namespace tocsin::promql {
namespace {

// Milliseconds of more seconds than this do not fit everywhere.
constexpr double kMaxSeconds = 9.2e9;

}  // namespace

double Parser::take_sign() {
  if (take_symbol("-")) return -1;
  take_symbol("+");
  return 1;
}

bool Parser::parse_number_or_duration(double& out) {
  const bool named = peek_word("inf") || peek_word("nan");
  const Token token = take();
  if (token.kind == TokenKind::Number || token.kind == TokenKind::Duration) {
    out = token.number;
    return true;
  }
  if (named) {
    stop(token, "timestamp out of bounds for @ modifier: " + std::string(token.text));
    return false;
  }
  unexpected(token, "expression, expected number or duration");
  return false;
}

bool Parser::parse_seconds_operand(double& out) {
  if (!take_symbol("(")) return parse_number_or_duration(out);
  return parse_seconds(1, out) && expect(")", "duration");
}

bool Parser::parse_signed_seconds(double& out) {
  const double sign = take_sign();
  if (!parse_seconds_operand(out)) return false;
  out *= sign;
  return true;
}

bool Parser::parse_seconds(int min_precedence, double& out) {
  if (!go_deeper()) return false;
  const bool has_sign = peek().is("-") || peek().is("+");
  const double sign = take_sign();
  // `-2 ^ 2` is -(2 ^ 2).
  bool good =
      has_sign ? parse_seconds(info_of(BinaryOp::Pow).precedence, out) : parse_seconds_operand(out);
  out *= sign;
  while (good) {
    const auto op = peek_operator();
    if (!op || *op > BinaryOp::Pow || info_of(*op).precedence < min_precedence) break;
    good = parse_seconds_operator(*op, out);
  }
  --depth_;
  return good;
}

bool Parser::parse_seconds_operator(BinaryOp op, double& left) {
  const Token sign = take();
  const int precedence = info_of(op).precedence;
  double right = 0;
  if (!parse_seconds(op == BinaryOp::Pow ? precedence : precedence + 1, right)) return false;
  if (right == 0 && (op == BinaryOp::Div || op == BinaryOp::Mod)) {
    stop(sign, op == BinaryOp::Div ? "division by zero" : "modulo by zero");
    return false;
  }
  left = apply(op, left, right);
  return true;
}

bool Parser::parse_duration(Duration& out, Bounds bounds) {
  const Token token = peek();
  double seconds = 0;
  const bool good =
      bounds == Bounds::Brackets ? parse_seconds(1, seconds) : parse_signed_seconds(seconds);
  if (!good) return false;
  if (!(std::abs(seconds) <= kMaxSeconds)) {
    stop(token, "duration out of range");
    return false;
  }
  out = Duration(std::llround(seconds * 1000.0));
  if (bounds == Bounds::Brackets && out.count() <= 0) {
    stop(token, "duration must be greater than 0");
    return false;
  }
  return true;
}

}  // namespace tocsin::promql
