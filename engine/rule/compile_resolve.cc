// SPDX-License-Identifier: Apache-2.0
//
// Hysteresis, as PromQL: ALERTS says what fires, so the same rule works in a Prometheus.
#include "rule/compile.h"

namespace tocsin::rule {
namespace {

// The series of the alerts of `rule` that fire, by what is fixed of their labels.
std::string firing(const Rule& rule) {
  LabelsBuilder labels;
  labels.set(kMetricName, "ALERTS").set("alertname", rule.name).set("alertstate", "firing");
  for (const auto& [name, value] : rule.labels) {
    if (value.find("{{") == std::string::npos) labels.set(name, value);
  }
  return labels.build().text();
}

}  // namespace

std::string or_still_firing(const Rule& rule, const Condition& condition, Memory memory) {
  if (!condition.resolve_threshold) return "";
  Condition held = condition;
  held.threshold = *condition.resolve_threshold;
  const Compiled compiled = compile(held, memory);
  return " or ((" + compiled.expr + ") and on (" + comma_list(compiled.labels) + ") " +
         firing(rule) + ")";
}

std::string or_not_resolved(const Rule& rule, const std::string& compared,
                            const std::string& resolved) {
  std::string own = "alertname, alertstate";
  for (const auto& [name, value] : rule.labels) own += ", " + name;
  return " or (((" + compared + ") unless (" + resolved + ")) and ignoring (" + own + ") " +
         firing(rule) + ")";
}

}  // namespace tocsin::rule
