// SPDX-License-Identifier: Apache-2.0
#include "alert/example_message.h"

#include <algorithm>
#include <array>
#include <vector>

#include "alert/template.h"
#include "rule/lint_parts.h"
#include "rule/output_labels.h"

namespace tocsin::alert {
namespace {

struct Sample {
  std::string_view label;
  std::string_view value;
};
// Of the labels that say which kind of workload it is, an alert has one. Of a label that is there
// several times the first value counts that the expression takes.
constexpr std::array<Sample, 17> kSamples = {{{"namespace", "shop"},
                                              {"deployment", "checkout"},
                                              {"service", "checkout"},
                                              {"route", "GET /cart"},
                                              {"client_namespace", "web"},
                                              {"client_deployment", "front"},
                                              {"component", "identity"},
                                              {"kind", "issuer"},
                                              {"name", "issuer"},
                                              {"pod", "checkout-5d9c7b6f4-x2x5q"},
                                              {"job", "linkerd-proxy"},
                                              {"job", "linkerd-controller"},
                                              {"job", "kube-state-metrics"},
                                              {"instance", "10.0.0.7:4191"},
                                              {"receiver", "pager"},
                                              {"group", "golden-signals"},
                                              {"reason", "CrashLoopBackOff"}}};

// How far beyond its threshold the example is.
constexpr double kWorse = 1.4;

double value_of(const rule::Condition& c) {
  switch (c.kind) {
    case rule::ConditionKind::SuccessRate:
      return 1 - (1 - c.threshold) * 4;  // Four times as many failures as are allowed.
    case rule::ConditionKind::ControlPlane:
      return 0;
    case rule::ConditionKind::Certificate:
      return c.threshold > 0 ? c.threshold / 2 : 4 * 3600;
    case rule::ConditionKind::ProxyRestarts:
      return c.threshold + 2;
    default:
      return c.comparison == rule::Comparison::Above ? c.threshold * kWorse : c.threshold / kWorse;
  }
}

// The left side of a set operator is what has the value.
double value_of(const promql::Expr& written) {
  using promql::BinaryOp;
  const promql::Expr& expr = promql::unwrap(written);
  const auto* binary = promql::as<promql::Binary>(expr);
  if (binary && promql::info_of(binary->op).is_set) return value_of(*binary->left);
  const auto threshold = rule::threshold_of(expr);
  if (!threshold) return 1;
  const bool is_above = threshold->op == BinaryOp::Gt || threshold->op == BinaryOp::Ge;
  const bool is_below = threshold->op == BinaryOp::Lt || threshold->op == BinaryOp::Le;
  if (!is_above && !is_below) return threshold->number;
  if (threshold->number == 0) return is_above ? 1 : -1;
  return is_above ? threshold->number * kWorse : threshold->number / kWorse;
}

double value_of(const rule::Rule& rule) {
  return rule.condition ? value_of(*rule.condition) : value_of(*rule.expr);
}

// What Tocsin says of itself.
constexpr std::array<Sample, 2> kOfTocsin = {{{"job", "tocsin"}, {"instance", "127.0.0.1:9467"}}};

// Whether every series that the expression reads may have the label with this value.
bool takes(const std::vector<const promql::VectorSelector*>& selectors, const Sample& sample) {
  return std::all_of(selectors.begin(), selectors.end(), [&](const auto* selector) {
    return std::all_of(selector->matchers.begin(), selector->matchers.end(), [&](const Matcher& m) {
      return m.name() != sample.label || m.matches(sample.value);
    });
  });
}

// The value that the label would have: one that a selector asks for, or one of the samples.
std::string label_value_of(std::string_view label, const promql::Expr& expr) {
  const auto selectors = rule::selectors_of(expr);
  for (const auto* selector : selectors) {
    if (const auto value = rule::demanded(*selector, label); !value.empty()) {
      return std::string(value);
    }
  }
  const bool is_tocsin = std::any_of(selectors.begin(), selectors.end(), [](const auto* selector) {
    return selector->name.starts_with("tocsin_");
  });
  std::vector<Sample> samples(kSamples.begin(), kSamples.end());
  if (is_tocsin) samples.insert(samples.begin(), kOfTocsin.begin(), kOfTocsin.end());
  std::string first;
  for (const Sample& sample : samples) {
    if (sample.label != label) continue;
    if (takes(selectors, sample)) return std::string(sample.value);
    if (first.empty()) first = sample.value;
  }
  return first;
}

Labels labels_of(const rule::Rule& rule) {
  LabelsBuilder out;
  const rule::OutputLabels possible = rule::output_labels(*rule.expr);
  for (const Sample& sample : kSamples) {
    const bool can_have =
        rule.condition ? std::find(rule.condition->labels.begin(), rule.condition->labels.end(),
                                   sample.label) != rule.condition->labels.end()
                       : possible.can_have(sample.label);
    if (can_have) out.set(sample.label, label_value_of(sample.label, *rule.expr));
  }
  return out.build();
}

}  // namespace

std::string example_message(const rule::Rule& rule) {
  if (rule.kind != rule::RuleKind::Alert) return "";
  TemplateData data;
  data.labels = labels_of(rule);
  data.value = value_of(rule);
  const auto expanded = [&](const std::string& text) {
    const auto parsed = Template::parse(text);
    return parsed ? parsed->expand(data) : text;
  };
  LabelsBuilder labels;
  // Of an expression that keeps whatever labels there are, nobody knows which.
  const bool are_known = rule.condition || !rule::output_labels(*rule.expr).is_open;
  if (are_known) labels = LabelsBuilder(data.labels);
  for (const auto& [name, text] : rule.labels) labels.set(name, expanded(text));
  std::string out = rule.name + labels.build().text() + "\n";
  for (const char* name : {"summary", "description"}) {
    const auto annotation = rule.annotations.find(name);
    if (annotation != rule.annotations.end()) out += expanded(annotation->second) + "\n";
  }
  return out;
}

}  // namespace tocsin::alert
