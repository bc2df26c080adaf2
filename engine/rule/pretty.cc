// SPDX-License-Identifier: Apache-2.0
#include "rule/pretty.h"

#include "promql/ast.h"
#include "promql/functions.h"
#include "rule/series_family.h"

namespace tocsin::rule {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kStep = 2;

// What is shorter than this stays beside what it belongs to.
constexpr std::size_t kShort = 32;

bool is_selector(const promql::Expr& expr) {
  return promql::as<promql::VectorSelector>(expr) != nullptr ||
         promql::as<promql::MatrixSelector>(expr) != nullptr;
}

bool is_short(const promql::ExprPtr& expr) { return promql::print(*expr).size() <= kShort; }

// One argument per line; short ones behind another share theirs.
std::string in_parentheses(const std::string& head, const std::vector<promql::ExprPtr>& args,
                           std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string out = margin + head + "(\n";
  for (std::size_t i = 0; i < args.size(); ++i) {
    const bool joins = i > 1 && is_short(args[i - 1]) && is_short(args[i]);
    if (i > 0) out += joins ? ", " : ",\n";
    out += joins ? promql::print(*args[i]) : pretty(*args[i], indent + kStep);
  }
  return out + "\n" + margin + ")";
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

std::string binary_lines(const promql::Binary& binary, std::size_t indent) {
  const std::string margin(indent, ' ');
  const std::string left = pretty(*binary.left, indent);
  const std::string right = pretty(*binary.right, indent);
  const std::string op = operator_text(binary);
  if (is_short(binary.right)) return left + " " + op + " " + promql::print(*binary.right);
  if (is_short(binary.left)) return left + " " + op + " " + right.substr(indent);
  return left + "\n" + margin + op + "\n" + right;
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
    return binary_lines(*binary, indent);
  }
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) {
    return in_parentheses(aggregate_head(*aggregate), promql::children_of(expr), indent);
  }
  if (const auto* call = promql::as<promql::Call>(expr)) {
    if (call->args.size() == 1 && is_selector(*call->args.front())) return margin + one_line;
    return in_parentheses(std::string(call->function->name), call->args, indent);
  }
  return margin + one_line;
}

}  // namespace tocsin::rule
