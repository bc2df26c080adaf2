// SPDX-License-Identifier: Apache-2.0
#include "rule/explain_expr.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/listed.h"
#include "promql/ast.h"
#include "promql/functions.h"
#include "rule/lint_parts.h"
#include "rule/notation.h"
#include "tocsin/duration.h"
#include "tocsin/sample.h"

namespace tocsin::rule {
namespace {

using promql::BinaryOp;
using promql::Expr;

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string shift_text(const promql::TimeShift& shift) {
  if (shift.offset > Duration(0)) return ", as it was " + format_duration(shift.offset) + " before";
  if (shift.offset < Duration(0)) return ", " + format_duration(-shift.offset) + " later";
  return "";
}

std::string matcher_text(const Matcher& m) {
  switch (m.op()) {
    case Matcher::Op::Equal:
      return m.value().empty() ? "no " + m.name() : m.name() + " is " + m.value();
    case Matcher::Op::NotEqual:
      return m.value().empty() ? "any " + m.name() : m.name() + " is not " + m.value();
    case Matcher::Op::Regex:
      return m.name() + " fits " + m.value();
    case Matcher::Op::NotRegex:
      return m.name() + " does not fit " + m.value();
  }
  return {};
}

std::string selector_text(const promql::VectorSelector& selector) {
  std::vector<std::string> conditions;
  for (const Matcher& m : selector.matchers) {
    if (m.name() != kMetricName || selector.name.empty()) conditions.push_back(matcher_text(m));
  }
  const std::string name = selector.name.empty() ? "every series" : selector.name;
  return name + (conditions.empty() ? "" : " (" + listed(conditions) + ")") +
         shift_text(selector.shift);
}

struct Word {
  std::string_view name;
  std::string_view text;  // What comes before "over 5m of …", or before "of …".
};
constexpr std::array<Word, 17> kOverTime = {{
    {"rate", "the change per second"},
    {"irate", "the change per second of the last two samples"},
    {"increase", "the increase"},
    {"delta", "the change"},
    {"idelta", "the change of the last two samples"},
    {"deriv", "the trend per second"},
    {"resets", "the number of resets"},
    {"changes", "the number of changes"},
    {"avg_over_time", "the average"},
    {"min_over_time", "the least"},
    {"max_over_time", "the most"},
    {"sum_over_time", "the sum"},
    {"count_over_time", "the number of samples"},
    {"last_over_time", "the last"},
    {"present_over_time", "the presence"},
    {"stddev_over_time", "the standard deviation"},
    {"predict_linear", "the forecast"},
}};

constexpr std::array<Word, 12> kAggregates = {{
    {"sum", "the sum"},
    {"avg", "the average"},
    {"count", "the number"},
    {"min", "the least"},
    {"max", "the most"},
    {"group", "the presence"},
    {"stddev", "the standard deviation"},
    {"stdvar", "the variance"},
    {"topk", "the largest"},
    {"bottomk", "the smallest"},
    {"quantile", "a quantile"},
    {"count_values", "the number of each value"},
}};

template <std::size_t N>
std::optional<std::string> word_of(const std::array<Word, N>& words, std::string_view name) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [name](const Word& word) { return word.name == name; });
  return found == words.end() ? std::nullopt : std::optional(std::string(found->text));
}

std::string range_text(const Expr& range, std::string_view what) {
  if (const auto* matrix = promql::as<promql::MatrixSelector>(range)) {
    return std::string(what) + " over " + format_duration(matrix->range) + " of " +
           selector_text(matrix->vector);
  }
  const auto& subquery = *promql::as<promql::Subquery>(range);
  return std::string(what) + " over " + format_duration(subquery.range) + " of " +
         in_words(*subquery.expr) + shift_text(subquery.shift);
}

const Expr* range_argument(const promql::Call& call) {
  for (const promql::ExprPtr& arg : call.args) {
    if (arg->type == promql::ValueType::Matrix) return &promql::unwrap(*arg);
  }
  return nullptr;
}

std::string call_text(const promql::Call& call) {
  const std::string name(call.function->name);
  if (const Expr* range = range_argument(call)) {
    if (name == "absent_over_time") return range_text(*range, "the absence");
    const bool is_quantile = name == "quantile_over_time";
    const std::string what = is_quantile ? "the quantile " + in_words(*call.args[0])
                                         : word_of(kOverTime, name).value_or(name);
    return range_text(*range, what);
  }
  if (name == "absent") return "the absence of " + in_words(*call.args[0]);
  if (name == "time") return "the time now";
  if (name == "histogram_quantile") {
    return "the quantile " + in_words(*call.args[0]) + " of " + in_words(*call.args[1]);
  }
  if (name == "label_replace" || name == "label_join") return in_words(*call.args[0]);
  std::vector<std::string> arguments;
  for (const promql::ExprPtr& arg : call.args) arguments.push_back(in_words(*arg));
  return name + "(" + listed(arguments) + ")";
}

std::string aggregate_text(const promql::Aggregate& aggregate) {
  const std::string_view name = promql::text_of(aggregate.op);
  std::string out = word_of(kAggregates, name).value_or(std::string(name));
  if (aggregate.parameter) out += " " + in_words(*aggregate.parameter);
  if (!aggregate.grouping.empty()) {
    out += (aggregate.without ? " without (" : " by (") + listed(aggregate.grouping) + ")";
  }
  return out + " of " + in_words(*aggregate.expr);
}

std::string comparison_word(BinaryOp op) {
  switch (op) {
    case BinaryOp::Gt:
      return "more than ";
    case BinaryOp::Ge:
      return "at least ";
    case BinaryOp::Lt:
      return "less than ";
    case BinaryOp::Le:
      return "at most ";
    case BinaryOp::Ne:
      return "anything but ";
    default:
      return "exactly ";
  }
}

std::string binary_text(const promql::Binary& binary) {
  const std::string left = in_words(*binary.left);
  const std::string right = in_words(*binary.right);
  switch (binary.op) {
    case BinaryOp::Div:
      return left + ", divided by " + right;
    case BinaryOp::And:
      return left + ", where there is " + right;
    case BinaryOp::Unless:
      return left + ", unless there is " + right;
    case BinaryOp::Or:
      return left + ", or else " + right;
    default:
      break;
  }
  const promql::BinaryOpInfo& info = promql::info_of(binary.op);
  if (info.is_comparison) return left + " where it is " + comparison_word(binary.op) + right;
  return left + " " + std::string(info.text) + " " + right;
}

// What is compared, and with what; then where that counts.
void add_lines(const Expr& written, Lines& out) {
  const Expr& expr = promql::unwrap(written);
  const auto* binary = promql::as<promql::Binary>(expr);
  if (binary && promql::info_of(binary->op).is_set) {
    add_lines(*binary->left, out);
    if (binary->op == BinaryOp::Or) {
      out.emplace_back("or", "");
      return add_lines(*binary->right, out);
    }
    const std::string on = binary->matching.labels.empty()
                               ? ""
                               : (binary->matching.on ? ", for the same " : ", whatever the ") +
                                     listed(binary->matching.labels);
    const bool is_and = binary->op == BinaryOp::And;
    out.emplace_back(is_and ? "only where there is" : "not where there is",
                     in_words(*binary->right) + on);
    return;
  }
  if (const auto threshold = threshold_of(expr)) {
    // A chain, as in `x < 1 > 0`: the inner comparison first.
    add_lines(*threshold->value, out);
    out.emplace_back("fires on", comparison_word(threshold->op) + format_number(threshold->number));
    return;
  }
  if (binary && promql::info_of(binary->op).is_comparison && !binary->return_bool) {
    out.emplace_back("watches", in_words(*binary->left));
    out.emplace_back("fires on", comparison_word(binary->op) + in_words(*binary->right));
    return;
  }
  out.emplace_back("watches", in_words(expr));
}

}  // namespace

std::string in_words(const Expr& written) {
  const Expr& expr = promql::unwrap(written);
  if (const auto* selector = promql::as<promql::VectorSelector>(expr)) {
    return selector_text(*selector);
  }
  if (const auto* call = promql::as<promql::Call>(expr)) return call_text(*call);
  if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) {
    return aggregate_text(*aggregate);
  }
  if (const auto* binary = promql::as<promql::Binary>(expr)) return binary_text(*binary);
  return promql::print(expr);
}

Lines expression_lines(const Expr& expr) {
  Lines out;
  add_lines(expr, out);
  return out;
}

}  // namespace tocsin::rule
