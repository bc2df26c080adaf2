// SPDX-License-Identifier: Apache-2.0
#include "rule/pretty.h"

#include "promql/ast.h"
#include "promql/functions.h"
#include "rule/series_family.h"

namespace tocsin::rule {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kStep = 2;

std::string lines_of(const promql::ExprPtr& expr, std::size_t indent) {
  return pretty(*expr, indent);
}

std::string in_parentheses(const std::string& head, const std::vector<promql::ExprPtr>& args,
                           std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string out = margin + head + "(\n";
  for (std::size_t i = 0; i < args.size(); ++i) {
    out += lines_of(args[i], indent + kStep) + (i + 1 < args.size() ? ",\n" : "\n");
  }
  return out + margin + ")";
}

std::string operator_text(const promql::Binary& binary) {
  std::string out(promql::info_of(binary.op).text);
  if (binary.return_bool) out += " bool";
  const promql::Matching& matching = binary.matching;
  if (matching.on || !matching.labels.empty()) {
    out += std::string(matching.on ? " on (" : " ignoring (") + comma_list(matching.labels) + ")";
  }
  if (matching.cardinality == promql::Cardinality::ManyToOne) {
    out += " group_left (" + comma_list(matching.include) + ")";
  }
  if (matching.cardinality == promql::Cardinality::OneToMany) {
    out += " group_right (" + comma_list(matching.include) + ")";
  }
  return out;
}

std::string aggregate_head(const promql::Aggregate& aggregate) {
  std::string head(promql::text_of(aggregate.op));
  if (!aggregate.grouping.empty() || aggregate.without) {
    head += std::string(aggregate.without ? " without (" : " by (") +
            comma_list(aggregate.grouping) + ") ";
  }
  return head;
}

}  // namespace

std::string pretty(const promql::Expr& expr, std::size_t indent) {
  const std::string margin(indent, ' ');
  const std::string one_line = promql::print(expr);
  if (indent + one_line.size() <= kWidth) return margin + one_line;
  if (const auto* paren = promql::as<promql::Paren>(expr)) {
    return in_parentheses("", {paren->expr}, indent);
  }
  if (const auto* binary = promql::as<promql::Binary>(expr)) {
    return lines_of(binary->left, indent) + "\n" + margin + operator_text(*binary) + "\n" +
           lines_of(binary->right, indent);
  }
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) {
    return in_parentheses(aggregate_head(*aggregate), promql::children_of(expr), indent);
  }
  if (const auto* call = promql::as<promql::Call>(expr)) {
    return in_parentheses(std::string(call->function->name), call->args, indent);
  }
  return margin + one_line;
}

}  // namespace tocsin::rule
