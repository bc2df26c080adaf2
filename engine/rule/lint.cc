// SPDX-License-Identifier: Apache-2.0
#include "rule/lint.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "promql/operators.h"
#include "rule/linkerd_catalog.h"
#include "rule/lint_parts.h"
#include "tocsin/duration.h"

namespace tocsin::rule {
namespace {

using promql::Expr;
using promql::VectorSelector;

// Whether PromQL doubts, for its name, that a metric is a counter of which we know that it is one.
bool is_wrong_doubt(const promql::Annotation& note, const Expr& expr) {
  if (note.message.find("might not be a counter") == std::string::npos) return false;
  const auto selectors = selectors_of(expr);
  return std::any_of(selectors.begin(), selectors.end(), [&](const VectorSelector* selector) {
    const LinkerdMetric* metric = find_linkerd_metric(selector->name);
    return metric && metric->type == MetricType::Counter &&
           note.message.ends_with("\"" + selector->name + "\"");
  });
}

// What PromQL itself has to say, unless something was found there already.
void add_annotations(const Expr& expr, Findings& findings) {
  const promql::Annotations annotations = promql::inspect(expr);
  for (const auto* list : {&annotations.warnings, &annotations.infos}) {
    for (const promql::Annotation& note : *list) {
      const bool known = std::any_of(
          findings.all().begin(), findings.all().end(),
          [&](const LintFinding& f) { return f.begin <= note.begin && note.end <= f.end; });
      if (known || is_wrong_doubt(note, expr)) continue;
      // Without "PromQL warning: ": a diagnostic says that itself.
      findings.add({"promql/note", note.message.substr(note.message.find(": ") + 2), "", note.begin,
                    note.end, "", ""});
    }
  }
}

// What a template may ask for instead.
std::string kept_hint(const OutputLabels& labels) {
  if (labels.is_open) return "";
  if (labels.names.empty()) return "there is no label to ask for";
  std::string out;
  for (const std::string& name : labels.names) out += (out.empty() ? "" : ", ") + name;
  return "it can ask for " + out;
}

bool is_part_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// `text` with `by` in place of the name `name`.
std::string with_name_replaced(std::string text, const std::string& name, const std::string& by) {
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
    const std::size_t end = at + name.size();
    const bool is_whole = (at == 0 || !is_part_of_name(text[at - 1])) &&
                          (end == text.size() || !is_part_of_name(text[end]));
    if (is_whole) text.replace(at, name.size(), by);
    at += is_whole ? by.size() : name.size();
  }
  return text;
}

// What the expression reads through recordings; null where it reads none, or only some series of
// one.
promql::ExprPtr with_recordings(const Expr& written, const Recordings& recordings) {
  std::string text = promql::print(written);
  const std::string before = text;
  for (const VectorSelector* selector : selectors_of(written)) {
    const auto recording = recordings.find(selector->name);
    if (recording == recordings.end()) continue;
    text = with_name_replaced(std::move(text), recording->first, "(" + recording->second + ")");
  }
  if (text == before) return nullptr;
  auto parsed = promql::parse(text);
  return parsed ? std::move(*parsed) : nullptr;
}

}  // namespace

const VectorSelector* selector_of(const Expr& expr) {
  if (const auto* selector = promql::as<VectorSelector>(expr)) return selector;
  const auto* matrix = promql::as<promql::MatrixSelector>(expr);
  return matrix ? &matrix->vector : nullptr;
}

std::vector<const VectorSelector*> selectors_of(const Expr& expr) {
  std::vector<const VectorSelector*> out;
  if (const VectorSelector* selector = selector_of(expr)) out.push_back(selector);
  for (const promql::ExprPtr& child : promql::children_of(expr)) {
    const auto below = selectors_of(*child);
    out.insert(out.end(), below.begin(), below.end());
  }
  return out;
}

std::string_view demanded(const VectorSelector& selector, std::string_view label) {
  for (const Matcher& m : selector.matchers) {
    if (m.name() == label && m.op() == Matcher::Op::Equal) return m.value();
  }
  return {};
}

std::optional<double> number_of(const Expr& written) {
  const Expr& expr = promql::unwrap(written);
  if (const auto* number = promql::as<promql::Number>(expr)) return number->value;
  const auto* unary = promql::as<promql::Unary>(expr);
  const auto inner = unary ? number_of(*unary->expr) : std::nullopt;
  if (inner) return unary->negative ? -*inner : *inner;
  const auto* binary = promql::as<promql::Binary>(expr);
  if (binary == nullptr || promql::info_of(binary->op).is_set) return std::nullopt;
  const auto left = number_of(*binary->left);
  const auto right = number_of(*binary->right);
  return left && right ? std::optional(promql::apply(binary->op, *left, *right)) : std::nullopt;
}

std::optional<Threshold> threshold_of(const Expr& written) {
  using promql::BinaryOp;
  const auto* binary = promql::as<promql::Binary>(promql::unwrap(written));
  if (binary == nullptr || !promql::info_of(binary->op).is_comparison || binary->return_bool) {
    return std::nullopt;
  }
  if (const auto number = number_of(*binary->right)) {
    return Threshold{binary->left.get(), binary->op, *number};
  }
  const auto number = number_of(*binary->left);
  if (!number) return std::nullopt;
  static constexpr std::array<std::pair<BinaryOp, BinaryOp>, 4> kTurned = {
      {{BinaryOp::Lt, BinaryOp::Gt},
       {BinaryOp::Gt, BinaryOp::Lt},
       {BinaryOp::Le, BinaryOp::Ge},
       {BinaryOp::Ge, BinaryOp::Le}}};
  BinaryOp op = binary->op;
  for (const auto& [from, to] : kTurned) {
    if (binary->op == from) op = to;
  }
  return Threshold{binary->right.get(), op, *number};
}

std::vector<LintFinding> lint(const Expr& expr, std::span<const ScrapedJob> jobs) {
  Findings findings;
  lint_names(expr, jobs, findings);
  lint_mesh(expr, findings);
  lint_thresholds(expr, findings);
  lint_pairs(expr, findings);
  add_annotations(expr, findings);
  return findings.take();
}

std::vector<LintFinding> lint(const Rule& rule, const Group& group, const Expr& written,
                              const Recordings& recordings) {
  Findings findings;
  if (rule.kind == RuleKind::Record) return {};
  lint_certificate(rule, written, findings);
  const promql::ExprPtr whole = with_recordings(written, recordings);
  if (whole) lint_floor(*whole, written, findings);
  if (compares_share(whole ? *whole : written) && rule.for_duration == Duration(0) &&
      rule.keep_firing_for == Duration(0)) {
    findings.add("no-for", "a share of requests decides at a single evaluation, without 'for'",
                 "write for: 2m, so that a moment wakes nobody", written);
  }
  if (group.interval && rule.for_duration > Duration(0) && rule.for_duration < *group.interval) {
    findings.add("short-for",
                 "'for: " + format_duration(rule.for_duration) + "' is shorter than the group's " +
                     "interval of " + format_duration(*group.interval) +
                     ": the alert fires at the second evaluation",
                 "write a multiple of the interval", written);
  }
  return findings.take();
}

std::vector<LintFinding> lint_templates(const Rule& rule, const OutputLabels& labels,
                                        TemplateReader read) {
  Findings findings;
  const auto check = [&](const std::string& name, const std::string& text, bool is_label) {
    for (const std::string& label : read(text).labels) {
      if (labels.can_have(label)) continue;
      const std::string what = (is_label ? "label '" : "annotation '") + name + "'";
      findings.add(
          {"lint/lost-label",
           what + " asks for '" + label + "', which " +
               (rule.condition ? "no alert of the condition has" : "the expression removes") +
               ": it is empty",
           kept_hint(labels), 0, 0, is_label ? "" : name, is_label ? name : ""});
    }
  };
  for (const auto& [name, text] : rule.labels) check(name, text, true);
  for (const auto& [name, text] : rule.annotations) check(name, text, false);
  return findings.take();
}

}  // namespace tocsin::rule
