// SPDX-License-Identifier: Apache-2.0
#include "rule/lint.h"

#include <doctest/doctest.h>

#include "rule/rule_files.h"

namespace tocsin::rule {
namespace {

TEST_CASE("rules that cannot mean what they say are warned of") {
  const struct {
    const char* expr;
    const char* code;
  } cases[] = {
      {"sum(rate(response_total[5m]))", "lint/no-direction"},
      {"tcp_open_connections > 5", "lint/no-direction"},
      {"rate(request_errors_total[5m])", "lint/no-such-metric"},
      {"response_total{direction=\"inbound\",tls=\"false\"}", "lint/never-matches"},
      {"request_total{direction=\"inbound\",status_code=~\"5..\"}", "lint/never-matches"},
      {"response_total{direction=\"inbound\",dst_deployment=\"web\"}", "lint/never-matches"},
      {"response_total{direction=\"outbound\",http_status=~\"5..\"}", "lint/never-matches"},
      {"identity_cert_expiration_timestamp_seconds - time() < 7200", "lint/renamed-metric"},
      {"rate(tcp_open_connections{direction=\"inbound\",peer=\"src\"}[5m])", "lint/rate-of-gauge"},
      {"rate(process_open_fds[5m])", "promql/note"},
      {"quantile(95, up)", "promql/note"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.expr);
    const auto findings = lint(*promql::parse(c.expr).value());
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].code == c.code);
  }
}

TEST_CASE("sound rules are not") {
  for (const char* expr : {
           "sum(rate(response_total{direction=\"inbound\"}[5m]))",
           "sum by (direction) (rate(response_total[5m]))",
           "control_identity_cert_expiration_timestamp_seconds or "
           "identity_cert_expiration_timestamp_seconds",
           "response_total{direction=\"inbound\",tls!=\"true\"}",
           "control_plane_alive == 0",
           "redis_connections{tls=\"false\"}",
           "rate(http_requests_total{route=\"/\"}[5m])",
       }) {
    CAPTURE(expr);
    CHECK(lint(*promql::parse(expr).value()).empty());
  }
}

TEST_CASE("a warning points into the expression and leaves the rule alone") {
  const Loaded loaded = load_alert("expr: sum(rate(response_total[5m])) > 1");
  REQUIRE(loaded.diagnostics.all().size() == 1);
  CHECK(loaded.diagnostics.all()[0].severity == Severity::Warning);
  CHECK(loaded.diagnostics.all()[0].place.text() == "f.yaml:5:20");
  CHECK(loaded.rules.groups.at(0).rules.size() == 1);
}

TEST_CASE("a value in a label is warned of") {
  const Loaded loaded = load_alert("expr: up\n    labels: {value: '{{ $value }}'}");
  CHECK(loaded.diagnostics.count(Severity::Warning) == 1);
  CHECK(loaded.diagnostics.text().find("rule/value-in-label") != std::string::npos);
}

TEST_CASE("mesh conditions need no warnings") {
  CHECK(load_alert("success_rate: {below: 99%}").diagnostics.empty());
}

}  // namespace
}  // namespace tocsin::rule
