// SPDX-License-Identifier: Apache-2.0
//
// Whether two expressions are the same tree, wherever in a text they stand.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "promql/ast.h"
#include "promql/functions.h"

namespace tocsin::promql {

bool same_tree(const Expr& a, const Expr& b);

namespace same_tree_detail {

// The labels, operators and numbers of a node itself, not of its children. One NaN is as good
// as another.
inline bool same(const Number& a, const Number& b) {
  const bool same_value = std::isnan(a.value) ? std::isnan(b.value)
                                              : std::bit_cast<std::uint64_t>(a.value) ==
                                                    std::bit_cast<std::uint64_t>(b.value);
  return same_value && a.is_duration == b.is_duration;
}
inline bool same(const String& a, const String& b) { return a.value == b.value; }
inline bool same(const TimeShift& a, const TimeShift& b) {
  return a.offset == b.offset && a.at.kind == b.at.kind && a.at.instant == b.at.instant;
}
// All of them must match: their order means nothing.
inline std::vector<std::string> sorted_texts(const Matchers& matchers) {
  std::vector<std::string> out;
  for (const Matcher& matcher : matchers) out.push_back(matcher.text());
  std::sort(out.begin(), out.end());
  return out;
}
inline bool same(const VectorSelector& a, const VectorSelector& b) {
  return a.name == b.name && same(a.shift, b.shift) &&
         sorted_texts(a.matchers) == sorted_texts(b.matchers);
}
inline bool same(const MatrixSelector& a, const MatrixSelector& b) {
  return same(a.vector, b.vector) && a.range == b.range;
}
inline bool same(const Subquery& a, const Subquery& b) {
  return a.range == b.range && a.step == b.step && same(a.shift, b.shift);
}
inline bool same(const Unary& a, const Unary& b) { return a.negative == b.negative; }
inline bool same(const Binary& a, const Binary& b) {
  return a.op == b.op && a.return_bool == b.return_bool &&
         a.matching.cardinality == b.matching.cardinality && a.matching.on == b.matching.on &&
         a.matching.labels == b.matching.labels && a.matching.include == b.matching.include;
}
inline bool same(const Aggregate& a, const Aggregate& b) {
  return a.op == b.op && a.without == b.without && a.grouping == b.grouping;
}
inline bool same(const Call& a, const Call& b) { return a.function == b.function; }
inline bool same(const Paren&, const Paren&) { return true; }

}  // namespace same_tree_detail

inline bool same_tree(const Expr& a, const Expr& b) {
  if (a.node.index() != b.node.index() || a.type != b.type) return false;
  const bool same_node = std::visit(
      [&](const auto& node) {
        return same_tree_detail::same(node, std::get<std::decay_t<decltype(node)>>(b.node));
      },
      a.node);
  const std::vector<ExprPtr> left = children_of(a);
  const std::vector<ExprPtr> right = children_of(b);
  if (!same_node || left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!same_tree(*left[i], *right[i])) return false;
  }
  return true;
}

}  // namespace tocsin::promql
