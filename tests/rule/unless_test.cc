// SPDX-License-Identifier: Apache-2.0
//
// `unless`: an alert keeps quiet where one above it in the group holds for the same thing.
#include <doctest/doctest.h>

#include "promql/script.h"
#include "rule/rule_files.h"

namespace tocsin::rule {
namespace {

std::string group_of(const std::string& first, const std::string& second,
                     const std::string& unless) {
  return "groups:\n- name: g\n  rules:\n  - alert: First\n    " + first +
         "\n  - alert: Second\n    " + second + "\n    unless: " + unless + "\n";
}

constexpr const char* kServer = "success_rate: {below: 99%, by: workload}";
constexpr const char* kClient = "success_rate: {below: 99%, by: service}";

// Callers of two services see failures, and one of the workloads behind them knows of it.
constexpr const char* kFailures = R"(
  request_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="web",dst_deployment="web-v1"} 0+10x60
  request_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="gone",dst_deployment="gone"} 0+10x60
  response_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="web",dst_deployment="web-v1",classification="failure"} 0+10x60
  response_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="gone",dst_deployment="gone",classification="failure"} 0+10x60
  response_total{direction="inbound",namespace="shop",deployment="web-v1",classification="failure"} 0+10x60
  response_total{direction="inbound",namespace="shop",deployment="lonely",classification="failure"} 0+10x60
)";

TEST_CASE("what another alert explains keeps quiet") {
  const struct {
    const char* name;
    const char* first;
    const char* second;
    const char* expected;
  } cases[] = {
      {"a service, by the workload behind it", kServer, kClient,
       R"(  {namespace="shop",service="gone"} 0)"},
      {"a workload, by the service in front of it", kClient, kServer,
       R"(  {namespace="shop",deployment="lonely"} 0)"},
      {"a workload, by itself", kServer, "success_rate: {below: 100%, by: workload}", ""},
      {"an edge, by its service", kClient, "success_rate: {below: 99%, by: edge}", ""},
  };
  for (const auto& c : cases) {
    const std::string name = c.name;
    CAPTURE(name);
    const Loaded loaded = load_text(group_of(c.first, c.second, "First"));
    REQUIRE(loaded.diagnostics.text() == "");
    const promql::ScriptReport report =
        promql::run_script("load 10s" + std::string(kFailures) + "\neval instant at 10m " +
                           last_rule(loaded).expr_text + "\n" + c.expected + "\n");
    CHECK(report.passed == 1);
    for (const auto& failure : report.failures) FAIL_CHECK(failure.actual);
  }
}

TEST_CASE("certificates of one kind give way to each other") {
  const Loaded loaded = load_text(group_of("certificate: {kind: leaf, missed_refreshes: 2}",
                                           "certificate: {kind: leaf}", "[First]"));
  REQUIRE(loaded.diagnostics.text() == "");
  CHECK(last_rule(loaded).condition->unless == std::vector<std::string>{"First"});
  CHECK(last_rule(loaded).expr_text.find("unless on (namespace, deployment,") != std::string::npos);
}

TEST_CASE("an 'unless' that cannot be meant is an error where it stands") {
  const struct {
    const char* first;
    const char* second;
    const char* unless;
    const char* message;
  } cases[] = {
      {kServer, kClient, "Fisrt", "no alert 'Fisrt' with a mesh condition stands above"},
      {"expr: up == 0", kClient, "First", "no alert 'First' with a mesh condition stands above"},
      {"control_plane: {}", kClient, "First", "'First' and this alert never speak of the same"},
      {"certificate: {kind: webhook, expires_within: 1d}",
       "certificate: {kind: issuer, expires_within: 1d}", "First", "never speak of the same"},
      {kServer, "expr: up == 0", "First", "'unless' goes with a mesh condition"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.message);
    const std::string text = load_text(group_of(c.first, c.second, c.unless)).diagnostics.text();
    CHECK(text.find(c.message) != std::string::npos);
    CHECK(text.starts_with("f.yaml:8:13: error: "));
  }
}

}  // namespace
}  // namespace tocsin::rule
