// SPDX-License-Identifier: Apache-2.0
//
// What binary operators make of numbers: of two, or of many at a time, without a branch where
// processors know the operator.
#pragma once

#include <cmath>
#include <span>

#include "promql/ast.h"

namespace tocsin::promql {

// The value of an operator between numbers; of a comparison 1 or 0; of a set operator NaN.
inline double apply(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::Add:
      return a + b;
    case BinaryOp::Sub:
      return a - b;
    case BinaryOp::Mul:
      return a * b;
    case BinaryOp::Div:
      return a / b;
    case BinaryOp::Mod:
      return std::fmod(a, b);
    case BinaryOp::Pow:
      return std::pow(a, b);
    case BinaryOp::Atan2:
      return std::atan2(a, b);
    case BinaryOp::Eq:
      return a == b;
    case BinaryOp::Ne:
      return a != b;
    case BinaryOp::Lt:
      return a < b;
    case BinaryOp::Gt:
      return a > b;
    case BinaryOp::Le:
      return a <= b;
    case BinaryOp::Ge:
      return a >= b;
    default:
      return std::nan("");
  }
}

// A comparison without `bool` keeps the vector's value, of two vectors the left one's, or nothing;
// everything else is the operator's value. What is absent stays absent.
struct Elementwise {
  void (*with_number_right)(std::span<double> values, double number);
  void (*with_number_left)(double number, std::span<double> values);
  // All of the same length.
  void (*pairs)(std::span<const double> left, std::span<const double> right, std::span<double> out);
};
// Of an operator that is no set operator.
const Elementwise& elementwise_of(const Binary& binary);

}  // namespace tocsin::promql
