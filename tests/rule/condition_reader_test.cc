// SPDX-License-Identifier: Apache-2.0
#include "rule/condition_reader.h"

#include <doctest/doctest.h>

#include "rule/notation.h"
#include "rule/rule_files.h"

namespace tocsin::rule {
namespace {

TEST_CASE("the notations of conditions") {
  CHECK(parse_percentage("99.9%") == 0.999);
  CHECK(parse_percentage("99") == std::nullopt);
  CHECK(parse_percentage("-1%") == std::nullopt);
  CHECK(parse_rate("10/s") == 10);
  CHECK(parse_rate("30/m") == 0.5);
  CHECK(parse_rate("10") == std::nullopt);
  CHECK(parse_multiple("3x baseline") == 3);
  CHECK(parse_multiple("0.5 x  baseline") == 0.5);
  CHECK(parse_multiple("3 times baseline") == std::nullopt);
  CHECK(number_text(0.99) == "0.99");
}

TEST_CASE("defaults are those of the contract") {
  const Loaded loaded = load_alert("success_rate: {below: 99%}");
  CHECK(loaded.diagnostics.text() == "");
  const Condition c = last_rule(loaded).condition.value();
  CHECK(c.kind == ConditionKind::SuccessRate);
  CHECK(c.by == By::Workload);
  CHECK(c.side == Side::Server);
  CHECK(c.over == std::chrono::minutes(5));
  CHECK(c.min_requests == 50);
  CHECK(c.min_rate == 0);
  CHECK(c.threshold == 0.99);
  CHECK(c.value != nullptr);
  CHECK(c.requests != nullptr);
}

TEST_CASE("every other grouping looks from the client's side") {
  for (const char* by : {"service", "route", "edge"}) {
    CAPTURE(by);
    const Loaded loaded = load_alert("latency: {above: 1s, by: " + std::string(by) + "}");
    CHECK(loaded.diagnostics.text() == "");
    CHECK(last_rule(loaded).condition->side == Side::Client);
  }
}

TEST_CASE("down_for is a for") {
  CHECK(last_rule(load_alert("control_plane: {component: identity, down_for: 2m}")).for_duration ==
        std::chrono::minutes(2));
  CHECK(last_rule(load_alert("control_plane: {down_for: 1m}\n    for: 3m")).for_duration ==
        std::chrono::minutes(3));
}

TEST_CASE("a rule without annotations pages in sentences, and keeps those that it has") {
  const Rule bare = last_rule(load_alert("success_rate: {below: 99%, by: service}"));
  CHECK(bare.annotations.at("summary") ==
        "service {{ $labels.service }}{{ if $labels.namespace }} in {{ $labels.namespace }}"
        "{{ end }}: only {{ $value | humanizePercentage }} of requests succeed");
  CHECK(bare.annotations.at("threshold") == "99%");
  CHECK(bare.annotations.at("value") == "{{ $value | humanizePercentage }}");
  const Rule own =
      last_rule(load_alert("success_rate: {below: 99%}\n    annotations: {summary: mine}"));
  CHECK(own.annotations.at("summary") == "mine");
  CHECK(own.annotations.contains("description"));
}

TEST_CASE("a condition that makes no sense is refused with a reason") {
  const struct {
    const char* condition;
    const char* message;
  } cases[] = {
      {"success_rate: {below: 99}", "'below' needs a percentage, is '99'"},
      {"success_rate: {below: 101%}", "'below' must be more than 0% and at most 100%"},
      {"success_rate: {above: 1%}", "a success rate is alerted on 'below', not 'above'"},
      {"success_rate: {}", "'below' is missing"},
      {"success_rate: 99%", "'success_rate' must be a mapping, is a text"},
      {"success_rate: {below: 99%, by: pod}",
       "'by' must be workload, service, route or edge, is 'pod'"},
      {"success_rate: {below: 99%, by: service, side: server}",
       "'side: server' does not go with 'by: service'"},
      {"success_rate: {below: 99%, over: 1s}", "'over' is too short for a rate"},
      {"success_rate: {below: 99%, min_requests: -1}", "'min_requests' must not be negative"},
      {"success_rate: {below: 99%, where: {deployment: 'web('}}",
       "'web(' is not an RE2 expression"},
      {"success_rate: {below: 99%, where: {le-bel: web}}", "'le-bel' is not a label name"},
      {"success_rate: {below: 99%, where: {client_deployment: web}}",
       "no series of Linkerd's can tell what 'where' asks for"},
      {"success_rate: {below: 99%, quantile: 0.9}", "unknown key 'quantile'"},
      {"success_rate: {below: 99%}\n    latency: {above: 1s}",
       "a rule has one condition; 'success_rate' stands there too"},
      {"success_rate: {below: 99%}\n    expr: up", "a rule has an 'expr' or a mesh condition"},
      {"latency: {above: 1s, quantile: 99}", "'quantile' must be between 0 and 1"},
      {"latency: {above: 500}", "'above' must be a duration, is '500'"},
      {"latency: {above: 2m}", "'above' can be at most 50s"},
      {"latency: {below: 1s, above: 1s}", "a latency is alerted on 'above'"},
      {"traffic: {}", "'traffic' needs either 'above' or 'below'"},
      {"traffic: {above: 3x baseline, below: 1x baseline}", "needs either 'above' or 'below'"},
      {"traffic: {above: 3}", "must be a multiple of the baseline or a rate, is '3'"},
      {"traffic: {above: 0.5x baseline}", "is always true: traffic is at its baseline"},
      {"traffic: {below: 2x baseline}", "is always true: traffic is at its baseline"},
      {"traffic: {above: 3x baseline, baseline_over: 10m}",
       "'baseline_over' must be at least three times 'over'"},
      {"traffic: {above: 3x baseline, min_rate: 10}", "'min_rate' must be a rate, is '10'"},
      {"control_plane: {component: identiy}", "unknown component 'identiy'"},
      {"certificate: {}", "'kind' is missing"},
      {"certificate: {kind: root}", "'kind' must be leaf, issuer, trust-anchor or webhook"},
      {"certificate: {kind: issuer}", "a certificate of this kind needs 'expires_within'"},
      {"certificate: {kind: issuer, expires_within: 30d, missed_refreshes: 1}",
       "only a leaf certificate is refreshed by itself"},
      {"certificate: {kind: leaf, expires_within: 1h, missed_refreshes: 1}",
       "'missed_refreshes' and 'expires_within' do not go together"},
      {"certificate: {kind: leaf, missed_refreshes: 4}", "'missed_refreshes' must be 1, 2 or 3"},
      {"certificate: {kind: issuer, expires_within: 30d, resolve_when: 20d}",
       "'resolve_when' must be above the threshold, '30d'"},
      {"certificate: {kind: leaf, resolve_when: 20h}", "'resolve_when' goes with 'expires_within'"},
      {"proxy_restarts: {more_than: 3, resolve_when: few}",
       "'resolve_when' must be like '3', is 'few'"},
      {"proxy_restarts: {more_than: 3, resolve_when: 4}",
       "'resolve_when' must be below the threshold, '3'"},
      {"control_plane: {resolve_when: 1}", "unknown key 'resolve_when'"},
      {"proxy_restarts: {by: service}", "'by' must be workload, is 'service'"},
      {"proxy_restarts: {where: {deployment: web}}",
       "'proxy_restarts' can be narrowed by 'namespace' only"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.condition);
    const Loaded loaded = load_alert(c.condition);
    const std::string text = loaded.diagnostics.text();
    CAPTURE(text);
    CHECK(loaded.diagnostics.has_errors());
    CHECK(text.find(c.message) != std::string::npos);
    CHECK(loaded.rules.groups.at(0).rules.empty());
  }
}

TEST_CASE("a leaf threshold that is always true is a warning") {
  const Loaded loaded = load_alert("certificate: {kind: leaf, expires_within: 24h}");
  CHECK_FALSE(loaded.diagnostics.has_errors());
  CHECK(loaded.diagnostics.text().find("this fires while nothing is wrong") != std::string::npos);
}

}  // namespace
}  // namespace tocsin::rule
