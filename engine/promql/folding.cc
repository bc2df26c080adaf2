// SPDX-License-Identifier: Apache-2.0
#include "promql/folding.h"

#include <algorithm>
#include <cmath>

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

void add_to_sum(Accumulator& a, double v) { kahan_add(v, a.value, a.compensation); }

void add_to_mean(Accumulator& a, double v) {
  if (!a.incremental) {
    double sum = a.value;
    double c = a.compensation;
    kahan_add(v, sum, c);
    if (a.count == 1 || !std::isinf(sum)) {
      a.value = sum;
      a.compensation = c;
      return;
    }
    a.incremental = true;
    a.value /= a.count - 1;
    a.compensation /= a.count - 1;
  }
  if (std::isinf(a.value) && std::isinf(v) && (a.value > 0) == (v > 0)) return;
  if (std::isinf(a.value) && !std::isinf(v) && !std::isnan(v)) return;
  const double share = (a.count - 1) / a.count;
  a.value *= share;
  a.compensation *= share;
  kahan_add(v / a.count, a.value, a.compensation);
}

void add_to_variance(Accumulator& a, double v) {
  const double distance = v - (a.value + a.compensation);
  kahan_add(distance / a.count, a.value, a.compensation);
  const double after = v - (a.value + a.compensation);
  kahan_add(distance * after, a.squares, a.squares_compensation);
}

void keep_least(Accumulator& a, double v) {
  if (a.count == 1 || v < a.value || std::isnan(a.value)) a.value = v;
}
void keep_most(Accumulator& a, double v) {
  if (a.count == 1 || v > a.value || std::isnan(a.value)) a.value = v;
}
void only_count(Accumulator&, double) {}

double sum_of(const Accumulator& a) {
  return std::isinf(a.value) ? a.value : a.value + a.compensation;
}
double mean_of(const Accumulator& a) {
  if (a.incremental) return std::isinf(a.value) ? a.value : a.value + a.compensation;
  return a.value / a.count + a.compensation / a.count;
}
double count_of(const Accumulator& a) { return a.count; }
double one_of(const Accumulator&) { return 1; }
double value_of(const Accumulator& a) { return a.value; }
double variance_of(const Accumulator& a) { return (a.squares + a.squares_compensation) / a.count; }
double deviation_of(const Accumulator& a) { return std::sqrt(variance_of(a)); }

template <void (*Add)(Accumulator&, double)>
void fold(std::span<const double> values, std::span<const std::uint32_t> groups,
          std::span<Accumulator> out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (store::is_absent(values[i])) continue;
    Accumulator& group = out[groups[i]];
    group.count += 1;
    Add(group, values[i]);
  }
}

template <void (*Add)(Accumulator&, double)>
constexpr Folding folding(AggregateOp op, double (*result)(const Accumulator&)) {
  return {op, fold<Add>, result};
}
constexpr Folding kFoldings[] = {
    folding<add_to_sum>(AggregateOp::Sum, sum_of),
    folding<add_to_mean>(AggregateOp::Avg, mean_of),
    folding<only_count>(AggregateOp::Count, count_of),
    folding<keep_least>(AggregateOp::Min, value_of),
    folding<keep_most>(AggregateOp::Max, value_of),
    folding<only_count>(AggregateOp::Group, one_of),
    folding<add_to_variance>(AggregateOp::Stddev, deviation_of),
    folding<add_to_variance>(AggregateOp::Stdvar, variance_of),
};

}  // namespace

const Folding* folding_of(AggregateOp op) {
  const auto* const it = std::find_if(std::begin(kFoldings), std::end(kFoldings),
                                      [op](const Folding& folding) { return folding.op == op; });
  return it == std::end(kFoldings) ? nullptr : it;
}

}  // namespace tocsin::promql
