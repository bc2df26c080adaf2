// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "promql/functions.h"
#include "rule/lint_parts.h"
#include "rule/output_labels.h"

namespace tocsin::rule {
namespace {

using promql::Binary;
using promql::BinaryOp;
using promql::Expr;

// The labels that elements of a side are paired by; nothing where they may have any.
std::optional<std::set<std::string, std::less<>>> paired_by(const Expr& side,
                                                            const promql::Matching& matching) {
  const OutputLabels labels = output_labels(side);
  if (labels.is_open) return std::nullopt;
  const auto named = [&](const std::string& name) {
    return std::find(matching.labels.begin(), matching.labels.end(), name) != matching.labels.end();
  };
  std::set<std::string, std::less<>> out;
  for (const std::string& name : labels.names) {
    if (named(name) == matching.on) out.insert(name);
  }
  return out;
}

void check_pairs(const Binary& binary, const Expr& where, Findings& findings) {
  const auto is_vector = [](const Expr& side) {
    return promql::type_of(side) == promql::ValueType::Vector;
  };
  if (binary.op == BinaryOp::Or || !is_vector(*binary.left) || !is_vector(*binary.right)) return;
  const auto left = paired_by(*binary.left, binary.matching);
  const auto right = paired_by(*binary.right, binary.matching);
  if (!left || !right || *left == *right) return;
  std::set<std::string, std::less<>> differing;
  std::set_symmetric_difference(left->begin(), left->end(), right->begin(), right->end(),
                                std::inserter(differing, differing.end()));
  const std::string& label = *differing.begin();
  const bool is_left = left->count(label) > 0;
  findings.add("never-pairs",
               std::string("only the ") + (is_left ? "left" : "right") + " side of '" +
                   std::string(promql::info_of(binary.op).text) + "' has '" + label +
                   "': what has one finds nothing on the other side",
               binary.matching.on ? "leave '" + label + "' out of on (…), or keep it on both sides"
                                  : "group both sides by the same labels, or say on (…)",
               where);
}

// absent() is about all of them together.
void check_absent(const promql::Call& call, const Expr& where, Findings& findings) {
  const std::string_view name = call.function->name;
  if (name != "absent" && name != "absent_over_time") return;
  const auto* selector = selector_of(promql::unwrap(*call.args.front()));
  if (selector == nullptr) return;
  for (const Matcher& m : selector->matchers) {
    if (m.op() != Matcher::Op::Regex || m.value().find('|') == std::string::npos) continue;
    findings.add(
        "absent-of-many",
        std::string(name) + "() of " + m.text() + " is true only once all of them are gone",
        "write one absent() for each, joined with 'or'", where);
  }
}

}  // namespace

void lint_pairs(const Expr& expr, Findings& findings) {
  if (const auto* binary = promql::as<Binary>(expr)) check_pairs(*binary, expr, findings);
  if (const auto* call = promql::as<promql::Call>(expr)) check_absent(*call, expr, findings);
  for (const promql::ExprPtr& child : promql::children_of(expr)) lint_pairs(*child, findings);
}

}  // namespace tocsin::rule
