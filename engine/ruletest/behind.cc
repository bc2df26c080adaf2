// SPDX-License-Identifier: Apache-2.0
#include "ruletest/behind.h"

#include <set>
#include <vector>

#include "alert/rule_life.h"
#include "promql/ast.h"
#include "promql/histogram_notation.h"
#include "tocsin/duration.h"
#include "tocsin/sample.h"

namespace tocsin::ruletest {
namespace {

constexpr std::size_t kMostParts = 8;
constexpr std::size_t kMostElements = 4;  // Of each part.
constexpr std::size_t kLongest = 160;     // Bytes of a part's text.

// The expression and the operands of its operators, from the outside in; no constants, and nothing
// below a function or an aggregation.
void collect_parts(const promql::ExprPtr& expr, std::vector<promql::ExprPtr>& out) {
  if (out.size() == kMostParts) return;
  if (const auto* paren = promql::as<promql::Paren>(*expr)) return collect_parts(paren->expr, out);
  if (promql::type_of(*expr) != promql::ValueType::Vector) return;
  out.push_back(expr);
  const auto* binary = promql::as<promql::Binary>(*expr);
  if (binary == nullptr) return;
  collect_parts(binary->left, out);
  collect_parts(binary->right, out);
}

std::string text_of(const promql::Element& element) {
  return element.labels.text() + " " +
         (element.histogram ? promql::histogram_text(*element.histogram)
                            : format_number(element.sample.value));
}

std::string values_of(const promql::ExprPtr& expr, const store::Store& store, Timestamp at) {
  const std::string indent(16, ' ');
  const auto answer = promql::Query::prepare(expr).evaluate(store, at);
  const auto vector = answer ? alert::as_vector(answer->value) : fail(answer.error());
  if (!vector) return indent + "cannot be evaluated: " + vector.error().message + "\n";
  if (vector->empty()) return indent + "nothing\n";
  std::string out;
  for (std::size_t i = 0; i < vector->size() && i < kMostElements; ++i) {
    out += indent + text_of((*vector)[i]) + "\n";
  }
  if (vector->size() > kMostElements) {
    out += indent + "and " + std::to_string(vector->size() - kMostElements) + " more\n";
  }
  return out;
}

}  // namespace

std::string values_behind(const promql::ExprPtr& expr, const store::Store& store, Timestamp at) {
  std::vector<promql::ExprPtr> parts;
  collect_parts(expr, parts);
  std::string out;
  std::set<std::string> said;
  for (const promql::ExprPtr& part : parts) {
    std::string text = promql::print(*part);
    if (!said.insert(text).second) continue;
    if (text.size() > kLongest) text = text.substr(0, kLongest - 3) + "...";
    out += (out.empty() ? "value       " : "            ") + text + "\n";
    out += values_of(part, store, at);
  }
  return out;
}

std::string values_behind(const rule::Rule& rule, const store::Store& store, Timestamp at) {
  if (!rule.condition) return values_behind(rule.expr, store, at);
  const rule::Condition& condition = *rule.condition;
  const bool is_above = condition.comparison == rule::Comparison::Above;
  std::string out = "measured    fires " + std::string(is_above ? "above " : "below ") +
                    condition.threshold_text + "\n" + values_of(condition.value, store, at);
  if (condition.requests) {
    out += "requests    in the window; none where the traffic is too little to tell\n" +
           values_of(condition.requests, store, at);
  }
  return out + "fires for\n" + values_of(rule.expr, store, at);
}

std::string life_behind(const rule::Rule& rule, const alert::AlertTracker& tracker,
                        const Moment& moment) {
  std::string out;
  std::size_t said = 0;
  for (const auto& [labels, alert] : tracker.alerts()) {
    if (alert.state == alert::State::Inactive || said++ == kMostElements) continue;
    out += "state       " + labels.text() + " is " + std::string(alert::name_of(alert.state)) +
           ", active since " + format_duration(alert.active_at - moment.start);
    if (alert.state == alert::State::Pending) {
      out += ", fires at " + format_duration(alert.active_at + rule.for_duration - moment.start) +
             " (for: " + format_duration(rule.for_duration) + ")";
    }
    if (alert.blind) out += "; not seen: " + alert.blind->obstacle.reason;
    out += "\n";
  }
  return out;
}

}  // namespace tocsin::ruletest
