// SPDX-License-Identifier: Apache-2.0
#include "promql/operators.h"

#include <array>
#include <utility>

#include "tocsin/series_reader.h"

namespace tocsin::promql {
namespace {

constexpr std::size_t kOperators = static_cast<std::size_t>(BinaryOp::Unless) + 1;

template <BinaryOp Op, bool Filters>
double value_of(double a, double b, double kept) {
  const double value = apply(Op, a, b);
  if constexpr (Filters) return value != 0 ? kept : store::absent_value();
  return value;
}

template <BinaryOp Op, bool Filters>
void with_number_right(std::span<double> values, double number) {
  for (double& value : values) {
    const double now = value_of<Op, Filters>(value, number, value);
    value = store::is_absent(value) ? value : now;
  }
}

template <BinaryOp Op, bool Filters>
void with_number_left(double number, std::span<double> values) {
  for (double& value : values) {
    const double now = value_of<Op, Filters>(number, value, value);
    value = store::is_absent(value) ? value : now;
  }
}

template <BinaryOp Op, bool Filters>
void pairs(std::span<const double> left, std::span<const double> right, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double now = value_of<Op, Filters>(left[i], right[i], left[i]);
    const double of_left = store::is_absent(left[i]) ? store::absent_value() : now;
    out[i] = store::is_absent(right[i]) ? store::absent_value() : of_left;
  }
}

template <bool Filters, std::size_t... Ops>
constexpr std::array<Elementwise, kOperators> all_of(std::index_sequence<Ops...>) {
  return {{{with_number_right<static_cast<BinaryOp>(Ops), Filters>,
            with_number_left<static_cast<BinaryOp>(Ops), Filters>,
            pairs<static_cast<BinaryOp>(Ops), Filters>}...}};
}

constexpr auto kPlain = all_of<false>(std::make_index_sequence<kOperators>());
constexpr auto kFiltering = all_of<true>(std::make_index_sequence<kOperators>());

}  // namespace

const Elementwise& elementwise_of(const Binary& binary) {
  const bool filters = info_of(binary.op).is_comparison && !binary.return_bool;
  return (filters ? kFiltering : kPlain)[static_cast<std::size_t>(binary.op)];
}

}  // namespace tocsin::promql
