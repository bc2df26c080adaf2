// SPDX-License-Identifier: Apache-2.0
#include "rule/compile.h"

#include <algorithm>

#include "rule/notation.h"

namespace tocsin::rule {
namespace {

std::string joined(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + "," + b;
}

bool counts_requests(ConditionKind kind) {
  return kind == ConditionKind::SuccessRate || kind == ConditionKind::Latency ||
         kind == ConditionKind::Traffic;
}

}  // namespace

Compiled compile(const Condition& condition, Memory memory) {
  switch (condition.kind) {
    case ConditionKind::SuccessRate:
      return compile_success_rate(condition);
    case ConditionKind::Latency:
      return compile_latency(condition);
    case ConditionKind::Traffic:
      return compile_traffic(condition, memory);
    case ConditionKind::ControlPlane:
      return compile_control_plane(condition);
    case ConditionKind::Certificate:
      return compile_certificate(condition);
    case ConditionKind::ProxyRestarts:
      return compile_proxy_restarts(condition);
  }
  return {};
}

bool can_know(const Condition& condition) {
  if (!counts_requests(condition.kind)) return true;
  return !sources_of(condition, view_of(condition.by, condition.side)).empty();
}

std::string prefer(const std::vector<std::string>& rows, const View& view) {
  if (rows.size() == 1) return rows.front();
  std::string out;
  for (const std::string& row : rows) {
    if (!out.empty()) out += " or on (" + comma_list(view.same_thing) + ") ";
    out += "(" + row + ")";
  }
  return out;
}

std::vector<Source> sources_of(const Condition& condition, const View& view) {
  std::vector<Source> out;
  for (const FamilyId id : view.families) {
    const Family& f = family(id);
    const std::optional<std::string> where = where_matchers(f, condition.where);
    if (!where) continue;
    out.push_back({&f, Sum(f, view.labels, joined(presence_matcher(f, view), *where))});
  }
  return out;
}

double request_floor(const Condition& condition) {
  return std::max(condition.min_requests, condition.min_rate * to_seconds(condition.over));
}

std::string compared(const std::string& rows, const Condition& condition) {
  return "(" + rows + ") " + (condition.comparison == Comparison::Below ? "<" : ">") + " " +
         number_text(condition.threshold);
}

}  // namespace tocsin::rule
