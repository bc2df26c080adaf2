// SPDX-License-Identifier: Apache-2.0
//
// Binary operators on native histograms.
#include "promql/histogram_eval.h"

namespace tocsin::promql {
namespace {

// The operator with its operands, in the text of the query.
Expr whole(const Binary& binary) {
  Expr expr;
  expr.begin = binary.left->begin;
  expr.end = binary.right->end;
  return expr;
}

MixedSample between_histograms(const Binary& binary, const HistogramPtr& left,
                               const Histogram& right, Annotations& annotations) {
  if (info_of(binary.op).is_comparison) {
    const bool holds = is_same(*left, right) == (binary.op == BinaryOp::Eq);
    if (binary.return_bool) return {holds ? 1.0 : 0.0, nullptr};
    return holds ? MixedSample{store::absent_value(), left} : MixedSample{};
  }
  Histogram out = *left;
  if (binary.op == BinaryOp::Add ? add(out, right) : subtract(out, right)) {
    annotations.warn("incompatible bucket layout encountered for binary operator " +
                         std::string(info_of(binary.op).text),
                     whole(binary));
    return {};
  }
  return {store::absent_value(), std::make_shared<const Histogram>(std::move(out))};
}

MixedSample with_number(BinaryOp op, const Histogram& histogram, double number) {
  Histogram out = histogram;
  op == BinaryOp::Mul ? multiply(out, number) : divide(out, number);
  return {store::absent_value(), std::make_shared<const Histogram>(std::move(out))};
}

}  // namespace

MixedSample sample_of(const Frame& frame, std::size_t row) {
  return {frame.values[row], frame.histograms.empty() ? nullptr : frame.histograms[row]};
}

void put(Frame& frame, std::size_t row, MixedSample sample) {
  if (sample.histogram) return frame.set_histogram(row, std::move(sample.histogram));
  frame.remove(row);
  frame.values[row] = sample.number;
}

MixedSample combine(const Binary& binary, const MixedSample& left, const MixedSample& right,
                    Annotations& annotations) {
  const BinaryOp op = binary.op;
  if (left.histogram && right.histogram) {
    if (op == BinaryOp::Add || op == BinaryOp::Sub || op == BinaryOp::Eq || op == BinaryOp::Ne) {
      return between_histograms(binary, left.histogram, *right.histogram, annotations);
    }
  } else if (left.histogram && (op == BinaryOp::Mul || op == BinaryOp::Div)) {
    return with_number(op, *left.histogram, right.number);
  } else if (right.histogram && op == BinaryOp::Mul) {
    return with_number(op, *right.histogram, left.number);
  }
  const auto kind = [](const MixedSample& sample) {
    return std::string(sample.histogram ? "histogram" : "float");
  };
  const std::string text(info_of(op).text);
  annotations.inform("incompatible sample types encountered for binary operator " + quote(text) +
                         ": " + kind(left) + " " + text + " " + kind(right),
                     whole(binary));
  return {};
}

void combine_rows(const Binary& binary, Frame& left, double right, Annotations& annotations) {
  for (std::size_t row = 0; row < left.histograms.size(); ++row) {
    if (!left.histogram(row)) continue;
    put(left, row, combine(binary, sample_of(left, row), {right, nullptr}, annotations));
  }
}

void combine_rows(const Binary& binary, double left, Frame& right, Annotations& annotations) {
  for (std::size_t row = 0; row < right.histograms.size(); ++row) {
    if (!right.histogram(row)) continue;
    put(right, row, combine(binary, {left, nullptr}, sample_of(right, row), annotations));
  }
}

HistogramPtr negated(const Histogram& histogram) {
  Histogram out = histogram;
  multiply(out, -1);
  return std::make_shared<const Histogram>(std::move(out));
}

}  // namespace tocsin::promql
