// SPDX-License-Identifier: Apache-2.0
//
// The canonical text of a tree, as Prometheus' parser/printer.go writes it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "promql/ast.h"
#include "promql/functions.h"
#include "tocsin/duration.h"

namespace tocsin::promql {
namespace {

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::string label_list(const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  for (const std::string& label : labels) {
    names.push_back(is_legacy_label_name(label) ? label : quote(label));
  }
  return "(" + join(names, ", ") + ")";
}

std::string shift_text(const TimeShift& shift) {
  std::string out;
  switch (shift.at.kind) {
    case AtModifier::Kind::None:
      break;
    case AtModifier::Kind::Start:
      out += " @ start()";
      break;
    case AtModifier::Kind::End:
      out += " @ end()";
      break;
    case AtModifier::Kind::Instant: {
      std::array<char, 64> buffer{};
      std::snprintf(buffer.data(), buffer.size(), " @ %.3f", to_seconds(shift.at.instant));
      out += buffer.data();
    }
  }
  if (shift.offset.count() != 0) out += " offset " + format_duration(shift.offset);
  return out;
}

// Whether a metric's name can stand without quotes: after an operator, or where a number might be,
// some words are something else.
bool is_bare_name(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kWords{
      "inf", "nan", "bool", "on", "ignoring", "group_left", "group_right"};
  if (!is_legacy_metric_name(name)) return false;
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

std::string selector_text(const VectorSelector& selector) {
  const bool bare = is_bare_name(selector.name);
  std::vector<std::string> parts;
  for (const Matcher& matcher : selector.matchers) {
    const bool is_name = matcher.name() == kMetricName && matcher.op() == Matcher::Op::Equal &&
                         matcher.value() == selector.name;
    if (!is_name) parts.push_back(matcher.text());
  }
  std::sort(parts.begin(), parts.end());
  if (!bare && !selector.name.empty()) parts.insert(parts.begin(), quote(selector.name));
  std::string out = bare ? selector.name : "";
  if (!parts.empty() || out.empty()) out += "{" + join(parts, ",") + "}";
  return out;
}

std::string matching_text(const Matching& matching) {
  if (!matching.on && matching.labels.empty() && matching.cardinality != Cardinality::ManyToOne &&
      matching.cardinality != Cardinality::OneToMany) {
    return "";
  }
  std::string out = std::string(matching.on ? " on " : " ignoring ") + label_list(matching.labels);
  if (matching.cardinality == Cardinality::ManyToOne) {
    out += " group_left " + label_list(matching.include);
  } else if (matching.cardinality == Cardinality::OneToMany) {
    out += " group_right " + label_list(matching.include);
  }
  return out;
}

std::string text(const Number& node) {
  if (!node.is_duration) return format_number(node.value);
  if (node.value == 0 && std::signbit(node.value)) return "-0s";
  return format_duration(Duration(std::llround(node.value * 1000.0)));
}
std::string text(const String& node) { return quote(node.value); }
std::string text(const VectorSelector& node) {
  return selector_text(node) + shift_text(node.shift);
}
std::string text(const MatrixSelector& node) {
  return selector_text(node.vector) + "[" + format_duration(node.range) + "]" +
         shift_text(node.vector.shift);
}
std::string text(const Subquery& node) {
  const std::string step = node.step.count() == 0 ? "" : format_duration(node.step);
  return print(*node.expr) + "[" + format_duration(node.range) + ":" + step + "]" +
         shift_text(node.shift);
}
std::string text(const Unary& node) { return (node.negative ? "-" : "+") + print(*node.expr); }
std::string text(const Paren& node) { return "(" + print(*node.expr) + ")"; }
// Before `^` a sign would be one of the whole power.
std::string base_text(const Binary& node) {
  const auto* number = as<Number>(*node.left);
  const bool is_infinite = number && node.op == BinaryOp::Pow && std::isinf(number->value);
  return is_infinite && number->value > 0 ? "Inf" : print(*node.left);
}
std::string text(const Binary& node) {
  return base_text(node) + " " + std::string(info_of(node.op).text) +
         (node.return_bool ? " bool" : "") + matching_text(node.matching) + " " +
         print(*node.right);
}
std::string text(const Aggregate& node) {
  std::string out(text_of(node.op));
  if (node.without) {
    out += " without " + label_list(node.grouping) + " ";
  } else if (!node.grouping.empty()) {
    out += " by " + label_list(node.grouping) + " ";
  }
  const std::string parameter = node.parameter ? print(*node.parameter) + ", " : "";
  return out + "(" + parameter + print(*node.expr) + ")";
}
std::string text(const Call& node) {
  std::vector<std::string> args;
  for (const ExprPtr& arg : node.args) args.push_back(print(*arg));
  return std::string(node.function->name) + "(" + join(args, ", ") + ")";
}

}  // namespace

std::string print(const Expr& expr) {
  return std::visit([](const auto& node) { return text(node); }, expr.node);
}

}  // namespace tocsin::promql
