// SPDX-License-Identifier: Apache-2.0
#include "rule/lint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "alert/template.h"
#include "rule/linkerd_versions.h"
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
      {"sum(rate(response_total{direction!=\"\"}[5m]))", "lint/no-direction"},
      {"sum(rate(response_total{redirection=\"x\"}[5m]))", "lint/no-direction"},
      {"sum without (direction) (rate(response_total[5m]))", "lint/no-direction"},
      {"rate(response_total{direction=\"in\"}[5m])", "lint/never-matches"},
      {"rate(response_total{direction=\"inbound\",classification=\"error\"}[5m])",
       "lint/never-matches"},
      {"response_total{direction=\"inbound\",tls=~\"no|false\"}", "lint/never-matches"},
      {"rate(tcp_open_total{direction=\"inbound\",peer=\"source\"}[5m])", "lint/never-matches"},
      {"rate(request_errors_total[5m])", "lint/no-such-metric"},
      {"response_total{direction=\"inbound\",tls=\"false\"}", "lint/never-matches"},
      {"request_total{direction=\"inbound\",status_code=~\"5..\"}", "lint/never-matches"},
      {"response_total{direction=\"inbound\",dst_deployment=\"web\"}", "lint/never-matches"},
      {"response_total{direction=\"outbound\",http_status=~\"5..\"}", "lint/never-matches"},
      {"identity_cert_expiration_timestamp_seconds - time() < 7200", "lint/renamed-metric"},
      {"rate(tcp_open_connections{direction=\"inbound\",peer=\"src\"}[5m])", "lint/rate-of-gauge"},
      {"rate(outbound_http_route_request_status_total[5m])", "lint/no-such-metric"},
      {"rate(proxy_inject_admission_response_total[5m])", "lint/no-such-metric"},
      {"issuer_cert_ttl < 60", "lint/no-such-metric"},
      {"rate(endpoint_updates_queue_overflows[5m])", "lint/no-such-metric"},
      {"endpoint_updates_queue_overflow > 0", "lint/no-rate"},
      {"rate(gateway_alive[5m])", "lint/rate-of-gauge"},
      {"histogram_quantile(0.99, rate(endpointslices_informer_lag_seconds_bucket[5m])) > 30",
       "lint/off-bucket"},
      {"rate(response_total{direction=\"inbound\",grpc_status=\"UNAVAILABLE\"}[5m])",
       "lint/never-matches"},
      {"rate(response_total{direction=\"inbound\",grpc_status=\"17\"}[5m])", "lint/never-matches"},
      {"rate(outbound_grpc_route_request_statuses_total{grpc_status=\"14\"}[5m])",
       "lint/never-matches"},
      {"rate(inbound_grpc_statuses_total{status=~\"UNAVAILABLE|INTERNAL\"}[5m])",
       "lint/never-matches"},
      {"response_latency_ms{direction=\"inbound\"} > 500", "lint/no-such-metric"},
      {"rate(outbound_http_route_request_statuses_total{classification=\"failure\"}[5m])",
       "lint/never-matches"},
      {"rate(outbound_grpc_route_backend_requests_total{dst_service=\"web\"}[5m])",
       "lint/never-matches"},
      {"rate(outbound_tcp_balancer_queue_length[5m])", "lint/rate-of-gauge"},
      {"histogram_quantile(0.9, rate(inbound_http_request_duration_seconds_bucket[5m])) > 0.3",
       "lint/off-bucket"},
      {"sum by (pod) (up == 0) and sum by (node) (kube_node_info)", "lint/never-pairs"},
      {"sum by (pod) (up == 0) and on (pod, node) sum by (node) (kube_node_info)",
       "lint/never-pairs"},
      {"absent(up{component=~\"identity|policy\"})", "lint/absent-of-many"},
      {"rate(process_open_fds[5m])", "promql/note"},
      {"absent(up) > 1", "lint/never-true"},
      {"absent(up) == 0", "lint/never-true"},
      {"absent_over_time(up[5m]) != 1", "lint/never-true"},
      {"up == 2", "lint/never-true"},
      {"up > 1", "lint/never-true"},
      {"0.5 == up", "lint/never-true"},
      {"max by (job) (up) >= 2", "lint/never-true"},
      {"avg(up) < 0", "lint/never-true"},
      {"min_over_time(up[5m]) == 0.5", "lint/never-true"},
      {"rate(http_requests_total[5m]) < 0", "lint/never-true"},
      {"sum by (job) (increase(http_requests_total[5m])) < 0", "lint/never-true"},
      {"max(response_latency_ms_count{direction=\"inbound\"}) < 0", "lint/never-true"},
      {"count(up == 0) < 1", "lint/never-true"},
      {"up{job=\"a\",job=\"b\"}", "lint/never-matches"},
      {"up{job=\"a\",job!=\"a\"}", "lint/never-matches"},
      {"up{job=\"a\",job=~\"b.*\"}", "lint/never-matches"},
      {"label_replace(up, \"a\", \"$1\", \"b\", \"(\")", "lint/bad-regex"},
      {"quantile(95, up)", "promql/note"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.expr);
    const auto findings = lint(*promql::parse(c.expr).value());
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].code == c.code);
  }
}

TEST_CASE("a share that a recording has worked out is one") {
  using Codes = std::set<std::string>;
  const auto codes = [](const std::string& compared, const std::string& recorded) {
    const SourceFile file{"a.yaml", "groups: [{name: g, rules: [{record: 'a:b', expr: '" +
                                        recorded + "'}, {alert: A, for: 5m, expr: '" + compared +
                                        "'}]}]"};
    Codes out;
    const Loaded loaded = load(std::span(&file, 1));
    for (const Diagnostic& d : loaded.diagnostics.all()) out.insert(d.code);
    return out;
  };
  const std::string share =
      R"(sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / )"
      R"(clamp_min(sum(rate(response_total{direction="inbound"}[5m])), 0.001))";
  CHECK(codes("a:b >= 0.01", share) == Codes{"lint/no-floor"});
  CHECK(codes("(1 - a:b) / (1 - 0.999) > 14.4", share) == Codes{"lint/no-floor"});
  CHECK(codes(R"(a:b > 0.01 and sum(increase(response_total{direction="inbound"}[5m])) > 50)",
              share) == Codes{});
  CHECK(codes("a:bc > 0.01", share) == Codes{});
  CHECK(codes("a:b > 1", "sum(up)") == Codes{});
}

TEST_CASE("sound rules are not") {
  for (const char* expr : {
           "rate(response_total{direction=\"inbound\",grpc_status=~\"2|4|7|13|14|15\"}[5m])",
           "rate(response_total{direction=\"inbound\",grpc_status!=\"0\"}[5m])",
           "rate(outbound_grpc_route_request_statuses_total{grpc_status=~\"UNKNOWN|DATA_LOSS\"}[5m]"
           ")",
           "rate(proxy_inject_admission_responses_total{skip=\"true\"}[5m]) > 0",
           "increase(endpoint_updates_queue_overflow[5m]) > 0",
           "(gateway_alive == 0) and on (target_cluster_name) (gateway_enabled == 1)",
           "histogram_quantile(0.99, rate(pods_informer_lag_seconds_bucket[5m])) > 10",
           "sum(rate(response_total{direction=\"inbound\"}[5m]))",
           "sum by (direction) (rate(response_total[5m]))",
           "sum by (dst) (rate(route_response_total{direction=\"outbound\"}[5m])) > 1",
           "sum(rate(response_total{dst_service=\"web\"}[5m])) > 1",
           "rate(response_total{direction=\"inbound\",tls=~\"true|no_identity\"}[5m])",
           "control_identity_cert_expiration_timestamp_seconds or "
           "identity_cert_expiration_timestamp_seconds",
           "response_total{direction=\"inbound\",tls!=\"true\"}",
           "control_plane_alive == 0",
           "rate(control_policy_balancer_queue_requests_total[5m])",
           "outbound_http_errors:rate5m > 5",
           "histogram_quantile(0.9, rate(inbound_http_request_duration_seconds_bucket[5m])) > 0.25",
           "sum by (pod) (up == 0) / on (pod) sum by (pod, node) (kube_pod_info)",
           "sum by (pod) (up == 0) / ignoring (node) sum by (pod, node) (kube_pod_info)",
           "sum by (pod) (up == 0) or sum by (node) (kube_node_info)",
           "sum by (pod) (up == 0) and kube_pod_info",
           "absent(up{job=~\"(.*/)?linkerd-controller\"})",
           "absent(up) == 1",
           "absent(up) > 0",
           "up != 1",
           "avg(up) < 0.5",
           "avg_over_time(up[5m]) == 0.5",
           "sum(up) == 2",
           "up > bool 1",
           "rate(http_requests_total[5m]) <= 0",
           "deriv(process_open_fds[5m]) < 0",
           "count(up == 0) == 1",
           "up{job=~\"a|b\",job!=\"b\"}",
           "up{job=\"a\",job!=\"b\"}",
           "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")",
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

TEST_CASE("a gRPC status in other words is put right") {
  const auto hint = [](const char* expr) { return lint(*promql::parse(expr).value()).at(0).hint; };
  CHECK(hint(R"(rate(response_total{direction="inbound",grpc_status="UNAVAILABLE"}[5m]))") ==
        R"(grpc_status="14" is what this metric has for it)");
  CHECK(hint(R"(rate(outbound_grpc_route_request_statuses_total{grpc_status="0"}[5m]))") ==
        R"(grpc_status="OK" is what this metric has for it)");
}

TEST_CASE("a name that nearly is one of Linkerd's is put right") {
  const auto findings =
      lint(*promql::parse("rate(outbound_http_route_retry_request_total[5m])").value());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].hint == "did you mean 'outbound_http_route_retry_requests_total'?");
}

TEST_CASE("an alert that is there twice is warned of, but not one with another threshold") {
  const std::string one = "  - {alert: A, expr: up == 0, labels: {severity: page}}\n";
  const std::string other = "  - {alert: A, expr: up < 1, labels: {severity: page}}\n";
  const std::string head = "groups:\n- name: g\n  rules:\n";
  const Loaded twice = load_text(head + one + one);
  CHECK(twice.diagnostics.count(Severity::Warning) == 1);
  CHECK(twice.diagnostics.text().find("rule/duplicate") != std::string::npos);
  CHECK(load_text(head + one + other).diagnostics.empty());
}

TEST_CASE("mesh conditions need no warnings") {
  CHECK(load_alert("success_rate: {below: 99%}").diagnostics.empty());
}

const LoadOptions kWithTemplates{.read_template = alert::read_template};

std::set<std::string> codes_of(const std::string& rule) {
  std::set<std::string> out;
  const Loaded loaded = load_alert(rule, kWithTemplates);
  INFO(loaded.diagnostics.text());
  REQUIRE(!loaded.diagnostics.has_errors());
  for (const Diagnostic& d : loaded.diagnostics.all()) out.insert(d.code);
  return out;
}
using Codes = std::set<std::string>;

// What is wrong with the rules for Linkerd that one finds in public, in as few words as show it.
TEST_CASE("what public rules for Linkerd do wrong is flagged, for the right reason") {
  const struct {
    const char* rule;
    Codes codes;
  } cases[] = {
      {R"(expr: |
        sum(rate(response_total{classification="failure"}[1m])) by (deployment)
          / sum(rate(response_total[1m])) by (deployment) * 100 > 10
          and sum(rate(response_total[1m])) by (deployment) > 0
    for: 1m)",
       {"lint/no-direction", "lint/no-floor"}},
      {R"(expr: |
        sum by (deployment) (rate(response_total{direction="inbound",classification="failure"}[5m]))
          / sum by (deployment) (rate(response_total{direction="inbound"}[5m])) >= 0.01
    for: 5m)",
       {"lint/no-floor"}},
      {"expr: rate(request_errors_total[5m]) > 0.1", {"lint/no-such-metric"}},
      {"expr: identity_cert_expiration_timestamp_seconds - time() < 7200", {"lint/renamed-metric"}},
      {"expr: identity_cert_expiration_timestamp_seconds - time() < 86400",
       {"lint/renamed-metric", "lint/healthy-leaf"}},
      {"expr: min by (cluster) (control_identity_cert_expiration_timestamp_seconds - time()) < "
       "43200",
       {"lint/healthy-leaf"}},
      {R"(expr: (control_identity_cert_expiration_timestamp_seconds
        or identity_cert_expiration_timestamp_seconds) - time() < 86400)",
       {"lint/healthy-leaf"}},
      {R"(expr: '{__name__=~"(control_)?identity_cert_expiration_timestamp_seconds"} - time() < 86400')",
       {"lint/healthy-leaf"}},
      {"expr: (control_identity_cert_expiration_timestamp_seconds - time()) / 3600 < 24",
       {"lint/healthy-leaf"}},
      {"expr: control_identity_cert_expiration_timestamp_seconds < time() + 86400",
       {"lint/healthy-leaf"}},
      {"expr: time() > control_identity_cert_expiration_timestamp_seconds - 86400",
       {"lint/healthy-leaf"}},
      {"expr: (control_identity_cert_expiration_timestamp_seconds - time()) / 3600 < 2", {}},
      {R"(expr: (x509_cert_not_after{secret_namespace="linkerd",secret_name="linkerd-identity-issuer"} - time())/60/60/24 <= 21
    annotations: {summary: 'The trust anchor of the mesh expires'})",
       {"lint/other-certificate"}},
      {R"(expr: |
        sum(rate(response_total{direction="inbound",classification="failure"}[5m]))
          / sum(rate(response_total[5m])) > 0.05 and sum(increase(response_total[5m])) > 50
    for: 2m)",
       {"lint/no-direction"}},
      {R"(expr: count(sum by (pod) (up{pod=~"linkerd-destination.*"} == 0)) == 0)",
       {"lint/never-true", "lint/no-absent"}},
      {R"(expr: count(sum by (pod) (up{job="linkerd/linkerd-controller",pod=~"linkerd-destination.*"} == 0)) > 1)",
       {"lint/no-absent"}},
      {R"(expr: up{job="linkerd-controller",component="destination"} == 0)", {"lint/no-absent"}},
      {R"(expr: up{namespace="linkerd",job="linkerd-controller"} == 0)",
       {"lint/never-matches", "lint/no-absent"}},
      {R"(expr: tcp_open_connections{direction="inbound"} == 0)", {"lint/idle"}},
      {R"(expr: rate(http_server_requests_total{job="linkerd-destination",code=~"5.."}[5m]) > 1)",
       {"lint/never-matches"}},
      {R"(expr: count by (namespace) (kube_pod_container_info{container!="linkerd-proxy"})
        unless count by (namespace) (kube_pod_container_info{container="linkerd-proxy"}))",
       {"lint/by-namespace"}},
      {R"(expr: sum by (dst_deployment, namespace) (rate(response_total{direction="inbound"}[5m])) > 5)",
       {"lint/no-such-label"}},
      {R"(expr: histogram_quantile(0.99, sum by (authority, le) (rate(response_latency_ms_bucket{direction="inbound"}[5m]))) > 500)",
       {"lint/no-such-label"}},
      {R"(expr: response_total{direction="inbound",tls="false"} > 0)",
       {"lint/never-matches", "lint/no-rate"}},
      {R"(expr: sum(response_total{direction="inbound",tls!="true"}) / sum(response_total{direction="inbound"}) > 0.1)",
       {"lint/no-rate"}},
      {R"(expr: rate(tcp_open_connections{direction="inbound"}[1m]) > 1)", {"lint/rate-of-gauge"}},
      {R"(expr: sum by (dst) (rate(response_total{direction="outbound"}[5m])) > 1)",
       {"lint/no-such-label"}},
      {R"(expr: rate(response_total{direction="outbound",http_status=~"5.."}[5m]) > 1)",
       {"lint/never-matches"}},
      {"expr: rate(linkerd_traffic_failures_total[5m]) > 0", {"lint/no-such-metric"}},
      {R"(expr: rate(response_total{direction="inbound"}[30s]) > 5)", {"lint/short-window"}},
      {R"(expr: histogram_quantile(0.99, sum by (le) (rate(response_latency_ms_bucket{direction="inbound"}[5m]))) > 250)",
       {"lint/off-bucket"}},
      {R"(expr: histogram_quantile(0.99, sum by (le) (rate(response_latency_ms_bucket{direction="inbound"}[5m]))) > 60000)",
       {"lint/never-true"}},
      {R"(expr: sum(rate(response_latency_ms_bucket{direction="inbound",le="250"}[5m])) > 5)",
       {"lint/no-such-bucket"}},
      {R"(expr: |
        1 - sum(rate(response_total{direction="inbound",classification="success"}[5m]))
          / sum(rate(response_total{direction="inbound"}[5m])) > 1
          and sum(increase(response_total{direction="inbound"}[5m])) > 50
    for: 1m)",
       {"lint/never-true"}},
      {R"(expr: |
        sum(rate(response_total{direction="inbound",classification="failure"}[5m]))
          / sum(rate(response_total{direction="inbound"}[5m])) > 0.1
          and sum(increase(response_total{direction="inbound"}[5m])) > 50)",
       {"lint/no-for"}},
      {R"(expr: up{job=~"linkerd-proxy"} == 0)", {"lint/plain-regex"}},
      {R"(expr: up{job=~"^linkerd.+$"} == 0)", {"lint/anchored-regex"}},
      {R"(expr: 'sum by (namespace) (up == 0)'
    annotations: {summary: '{{ $labels.namespace }}/{{ $labels.pod }}'})",
       {"lint/lost-label"}},
      {R"(expr: 'absent(up{job="a",pod=~".+"})'
    annotations: {summary: '{{ $labels.job }} {{ .Labels.pod }}'})",
       {"lint/lost-label"}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.rule));
    CHECK(codes_of(c.rule) == c.codes);
  }
}

TEST_CASE("an alert on the trust anchor that reads the issuer's certificate is warned of") {
  const auto codes = [](const std::string& name, const std::string& expr) {
    const Loaded loaded =
        load_text("groups: [{name: g, rules: [{alert: " + name + ", expr: '" + expr + "'}]}]");
    Codes out;
    for (const Diagnostic& d : loaded.diagnostics.all()) out.insert(d.code);
    return out;
  };
  const Codes other{"lint/other-certificate"};
  const std::string in_secret = R"(x509_cert_not_after{secret_name="linkerd-identity-issuer")";
  CHECK(codes("TrustAnchor", in_secret + "} - time() < 1814400") == other);
  CHECK(codes("linkerd_trust_anchor_expires", "issuer_cert_ttl_seconds < 1814400") == other);
  CHECK(codes("LinkerdTrustRoots", in_secret + R"(,secret_key="tls.crt"} - time() < 60)") == other);

  CHECK(codes("IssuerExpires", in_secret + "} - time() < 1814400") == Codes{});
  CHECK(codes("IssuerOrTrustAnchorExpires", "issuer_cert_ttl_seconds < 60") == Codes{});
  CHECK(codes("TrustAnchor", in_secret + R"(,secret_key="ca.crt"} - time() < 60)") == Codes{});
  CHECK(
      codes(
          "TrustAnchor",
          R"(x509_cert_not_after{configmap_name="linkerd-identity-trust-roots"} - time() < 60)") ==
      Codes{});
  CHECK(codes("TrustAnchor", "anchor_days or issuer_cert_ttl_seconds < 60") == Codes{});
}

TEST_CASE("mesh conditions are warned of as expressions are") {
  const struct {
    const char* condition;
    Codes codes;
  } cases[] = {
      {"success_rate: {below: 99%, where: {deploymnt: web}}", {"lint/never-matches"}},
      {"success_rate: {below: 99%, where: {tls: 'false'}}", {"lint/never-matches"}},
      {"success_rate: {below: 99%, over: 30s}", {"lint/short-window"}},
      {"success_rate: {below: 99%, min_requests: 0}", {"lint/no-floor"}},
      {"latency: {above: 500ms, min_requests: 0}", {"lint/no-floor"}},
      {"latency: {above: 500ms, min_requests: 0, min_rate: 1/s}", {}},
      {"traffic: {above: 100/s, min_requests: 0}", {}},
      {"success_rate: {below: 99%, over: 1m, where: {deployment: web, tls: 'true'}}", {}},
      {"success_rate: {below: 99%, by: edge, where: {client_namespace: shop}}", {}},
      {"success_rate: {below: 99%, where: {tls: '(true)?'}}", {}},
      {"success_rate: {below: 99%, where: {team: shop, env: prod, region: eu}}", {}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.condition));
    CHECK(codes_of(c.condition) == c.codes);
  }
}

TEST_CASE("a window is short where it holds fewer than four scrapes of the jobs that it reads") {
  const auto second = std::chrono::seconds(1);
  const std::vector<ScrapedJob> mesh_and_probes = {{"linkerd-proxy", 10 * second, "tocsin.yaml"},
                                                   {"linkerd-controller", 30 * second, "t.yaml"},
                                                   {"blackbox", 120 * second, "tocsin.yaml"}};
  const auto why = [](const std::string& rule, const std::vector<ScrapedJob>& jobs) {
    std::string out;
    const Loaded loaded = load_alert(rule, {.jobs = jobs});
    for (const Diagnostic& d : loaded.diagnostics.all()) {
      if (d.code == "lint/short-window") out += d.message + "; " + d.hint;
    }
    return out;
  };
  const std::string inbound = R"(expr: rate(response_total{direction="inbound")";
  CHECK(why(inbound + "}[45s]) > 1", {}) ==
        "rate() over 45s needs four scrapes in it to stand a scrape that is missed: a scrape every "
        "15s is assumed, for want of a configuration; write [1m] or more");
  CHECK(why(inbound + "}[1m]) > 1", {}).empty());
  CHECK(why(inbound + "}[30s]) > 1", mesh_and_probes) ==
        "rate() over 30s needs four scrapes in it to stand a scrape that is missed: job "
        "'linkerd-proxy' is scraped every 10s, as tocsin.yaml says; write [40s] or more");
  CHECK(why(inbound + "}[40s]) > 1", mesh_and_probes).empty());
  CHECK(why("expr: rate(proxy_inject_admission_requests_total[1m]) > 1", mesh_and_probes)
            .find("'linkerd-controller' is scraped every 30s, as t.yaml says") !=
        std::string::npos);
  CHECK(why("expr: rate(probes_total{job='blackbox'}[5m]) > 1", mesh_and_probes).find("[8m]") !=
        std::string::npos);
  // Of others, of which job's they are is not known; some are nobody's.
  CHECK(why("expr: rate(probes_total[30s]) > 1", mesh_and_probes).find("[40s]") !=
        std::string::npos);
  for (const char* none : {"probes_total{job='elsewhere'}", "job:probes:sum", "probes_total",
                           "tocsin_samples_appended_total"}) {
    CAPTURE(none);
    CHECK(why("expr: rate(" + std::string(none) + "[1m]) > 1", mesh_and_probes).empty());
  }

  const std::string success = "success_rate: {below: 99%";
  CHECK(why(success + ", over: 30s}", {}).find("write 1m or more") != std::string::npos);
  CHECK(why(success + ", over: 40s}", mesh_and_probes).empty());
  CHECK(why(success + ", over: 30s}", mesh_and_probes).find("write 40s") != std::string::npos);
  CHECK(why(success + "}", mesh_and_probes).empty());
  CHECK(why(success + "}", {{"mesh", 120 * second, "t.yaml"}}).find("'over: 5m'") == 0);
  CHECK(why("control_plane: {}", {{"mesh", 120 * second, "t.yaml"}}).empty());
}

TEST_CASE("a share can be all of the requests, or none of them") {
  const std::string share =
      R"(expr: 'sum(rate(response_total{direction="inbound",classification="failure"}[5m])) )"
      R"(/ sum(rate(response_total{direction="inbound"}[5m])) )";
  const auto is_never = [&](const std::string& comparison) {
    return codes_of(share + comparison + "'\n    for: 1m").count("lint/never-true") == 1;
  };
  CHECK_FALSE(is_never(">= 1"));
  CHECK_FALSE(is_never("<= 0"));
  CHECK_FALSE(is_never("== 1"));
  CHECK(is_never("> 1"));
  CHECK(is_never("< 0"));
  CHECK(is_never("== 5"));
}

TEST_CASE("a share is one however the outcomes are chosen") {
  const struct {
    const char* outcomes;
    const char* requests;
  } cases[] = {
      {R"(response_total{direction="inbound",classification!="success"})",
       R"(response_total{direction="inbound"})"},
      {R"(response_total{direction="inbound",status_code!~"2.."})",
       R"(response_total{direction="inbound"})"},
      {R"(outbound_http_route_request_statuses_total{error!=""})",
       "outbound_http_route_request_statuses_total"},
      {R"(outbound_http_route_request_statuses_total{error=""})",
       "outbound_http_route_request_statuses_total"},
      {R"(inbound_http_statuses_total{status=~"5.."})", "inbound_http_statuses_total"},
  };
  for (const auto& c : cases) {
    const std::string share = "sum(rate(" + std::string(c.outcomes) + "[5m])) / sum(rate(" +
                              std::string(c.requests) + "[5m]))";
    CAPTURE(share);
    const Codes both{"lint/no-floor", "lint/no-for"};
    CHECK(codes_of("expr: '" + share + " > 0.05'") == both);
    CHECK(codes_of("expr: 'avg(" + share + ") > 0.05'") == both);
    CHECK(codes_of("expr: '" + share + " > 5'\n    for: 1m") ==
          Codes{"lint/no-floor", "lint/never-true"});
  }
  CHECK(codes_of(R"(expr: sum(rate(inbound_http_statuses_total{status=~".*"}[5m])) )"
                 R"(/ sum(rate(inbound_http_statuses_total[5m])) > 2)") == Codes{});
}

TEST_CASE("templates are held against the labels that a condition's alerts have") {
  const auto code_of = [](const std::string& condition, const std::string& template_text) {
    const Codes codes = codes_of(condition + "\n    annotations: {a: '" + template_text + "'}");
    REQUIRE(codes.size() <= 1);
    return codes.empty() ? "" : *codes.begin();
  };
  const std::string workload = "success_rate: {below: 99%}";
  const std::string service = "latency: {above: 500ms, by: service}";
  const std::string edge = "success_rate: {below: 99%, by: edge}";
  const std::string certificate = "certificate: {kind: issuer, expires_within: 30d}";
  CHECK(code_of(workload, "{{ $labels.deploymnt }}") == "lint/lost-label");
  CHECK(code_of(workload, "{{ $labels.pod }}") == "lint/lost-label");
  CHECK(code_of(workload, "{{ .Labels.dst_deployment }}") == "lint/lost-label");
  CHECK(code_of(service, "{{ $labels.deployment }}") == "lint/lost-label");
  CHECK(code_of(edge, "{{ $labels.client_pod }}") == "lint/lost-label");
  CHECK(code_of(certificate, "{{ $labels.namespace }}") == "lint/lost-label");
  CHECK(code_of(workload, "{{ or $labels.deployment $labels.statefulset }}").empty());
  CHECK(code_of(workload, "{{ $labels.namespace }}").empty());
  CHECK(code_of(service, "{{ $labels.service }} in {{ $labels.namespace }}").empty());
  CHECK(code_of(edge, "{{ $labels.client_deployment }} to {{ $labels.service }}").empty());
  CHECK(codes_of(workload + "\n    labels: {team: '{{ $labels.tem }}'}") ==
        Codes{"lint/lost-label"});
}

TEST_CASE("a template that only seems to ask for a label is clean") {
  for (const char* text : {
           R"({{ range query "up" }}{{ .Labels.job }}{{ end }})",
           "say $labels.pod or .Labels.pod",
           R"({{ "$labels.pod" }})",
           "{{/* $labels.pod */}}",
       }) {
    CAPTURE(std::string(text));
    const std::string rule = "expr: sum by (namespace) (up == 0)\n    annotations: {a: '";
    CHECK(codes_of(rule + text + "'}") == Codes{});
  }
}

TEST_CASE("the same rules put right are clean") {
  for (
      const char* rule : {
          R"(expr: |
        sum by (namespace, deployment) (rate(response_total{direction="inbound",target_port!="4191",classification="failure"}[5m]))
          / sum by (namespace, deployment) (rate(response_total{direction="inbound",target_port!="4191"}[5m])) > 0.05
          and sum by (namespace, deployment) (increase(response_total{direction="inbound",target_port!="4191"}[5m])) > 50
    for: 2m
    annotations: {summary: '{{ $labels.namespace }}/{{ $labels.deployment }}'})",
          "expr: control_identity_cert_expiration_timestamp_seconds - time() < 7200",
          R"(expr: count(up{job="linkerd-controller",component="destination"} == 1) < 2)",
          R"(expr: absent(up{job="linkerd-controller",component="destination"})
    annotations: {summary: '{{ $labels.component }} is gone'})",
          R"(expr: sum by (dst_deployment) (rate(response_total{direction="outbound"}[5m])) > 5)",
          R"(expr: histogram_quantile(0.99, sum by (deployment, le) (rate(response_latency_ms_bucket{direction="inbound"}[5m]))) > 500
    annotations: {summary: '{{ $labels.deployment }}'})",
          R"(expr: rate(tcp_open_total{direction="inbound",tls!="true"}[5m]) > 1)",
          R"(expr: issuer_cert_ttl_seconds < 86400)",
          R"(expr: up * on (pod) group_left (node) kube_pod_info == 0
    annotations: {summary: '{{ $labels.node }} {{ $labels.job }}'})",
          R"(expr: label_replace(count by (pod) (up == 0), "app", "$1", "pod", "(.+)-.+")
    annotations: {summary: '{{ $labels.app }}'})",
      }) {
    CAPTURE(std::string(rule));
    CHECK(codes_of(rule) == Codes{});
  }
}

Codes codes_in_a_group(std::string_view rule) {
  std::string text = "groups:\n- name: g\n  interval: 1m\n  rules:\n  - alert: A\n    ";
  for (const char c : rule) text += c == '\n' ? "\n    " : std::string(1, c);
  const Loaded loaded = load_text(text + "\n", kWithTemplates);
  Codes out;
  for (const Diagnostic& d : loaded.diagnostics.all()) out.insert(d.code);
  const Diagnostics of_version = check_versions(loaded.rules, 19);
  for (const Diagnostic& d : of_version.all()) out.insert(d.code);
  return out;
}

TEST_CASE(
    "every check is in the list, with a rule that it finds and one that nothing is wrong with") {
  for (const LintCheck& check : lint_checks()) {
    CAPTURE(std::string(check.code));
    CHECK(!check.what.empty());
    CHECK(codes_in_a_group(check.bad).count(std::string(check.code)) == 1);
    CHECK(codes_in_a_group(check.good) == Codes{});
  }
}

}  // namespace
}  // namespace tocsin::rule
