// SPDX-License-Identifier: Apache-2.0
//
// The list of checks, as people read it.
#include <array>

#include "rule/lint.h"

namespace tocsin::rule {
namespace {

constexpr std::array<LintCheck, 27> kChecks = {{
    {"lint/no-direction", "Requests are counted by the client's proxy and by the server's.",
     R"(expr: sum(rate(response_total[5m])) > 100)",
     R"(expr: sum(rate(response_total{direction="inbound"}[5m])) > 100)"},
    {"lint/no-such-metric", "No version of Linkerd has a metric of this name.",
     R"(expr: rate(request_errors_total[5m]) > 1)",
     R"(expr: rate(response_total{direction="inbound",classification="failure"}[5m]) > 1)"},
    {"lint/renamed-metric", "The metric has another name in newer versions.",
     R"(expr: identity_cert_expiration_timestamp_seconds - time() < 3600)",
     R"(expr: control_identity_cert_expiration_timestamp_seconds - time() < 3600)"},
    {"lint/not-in-version",
     "The version of Linkerd that --linkerd-version names does not have the metric.",
     R"(expr: rate(inbound_http_statuses_total{status=~"5.."}[5m]) > 1)",
     R"(expr: rate(inbound_http_statuses_total{status=~"5.."}[5m]) > 1 or rate(response_total{direction="inbound",status_code=~"5.."}[5m]) > 1)"},
    {"lint/never-matches", "The metric never has this label, or this value.",
     R"(expr: rate(response_total{direction="inbound",tls="false"}[5m]) > 1)",
     R"(expr: rate(response_total{direction="inbound",tls!="true"}[5m]) > 1)"},
    {"lint/no-such-label", "Grouping by a label that the series never have.",
     R"(expr: sum by (dst_deployment) (rate(response_total{direction="inbound"}[5m])) > 100)",
     R"(expr: sum by (deployment) (rate(response_total{direction="inbound"}[5m])) > 100)"},
    {"lint/no-such-bucket", "The histogram has no such bound.",
     R"(expr: rate(response_latency_ms_bucket{direction="inbound",le="250"}[5m]) < 1)",
     R"(expr: rate(response_latency_ms_bucket{direction="inbound",le="200"}[5m]) < 1)"},
    {"lint/rate-of-gauge", "rate() is for counters.",
     R"(expr: rate(tcp_open_connections{direction="inbound"}[5m]) > 10)",
     R"(expr: deriv(tcp_open_connections{direction="inbound"}[5m]) > 10)"},
    {"lint/no-rate", "A counter's value says how long its proxy has been running.",
     R"(expr: sum(response_total{direction="inbound"}) > 100)",
     R"(expr: sum(increase(response_total{direction="inbound"}[5m])) > 100)"},
    {"lint/short-window", "A window that holds too few scrapes.",
     R"(expr: rate(response_total{direction="inbound"}[30s]) > 100)",
     R"(expr: rate(response_total{direction="inbound"}[2m]) > 100)"},
    {"lint/off-bucket", "A threshold between two bounds of the histogram: the quantile is a guess.",
     R"(expr: histogram_quantile(0.99, sum by (le) (rate(response_latency_ms_bucket{direction="inbound"}[5m]))) > 250)",
     R"(expr: histogram_quantile(0.99, sum by (le) (rate(response_latency_ms_bucket{direction="inbound"}[5m]))) > 200)"},
    {"lint/never-true", "A comparison that nothing can satisfy.",
     R"(expr: count(up{job="linkerd-controller"} == 1) == 0)",
     R"(expr: absent(up{job="linkerd-controller"} == 1))"},
    {"lint/always-true", "A comparison that everything satisfies.",
     R"(expr: sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / sum(rate(response_total{direction="inbound"}[5m])) < 5
for: 2m)",
     R"(expr: |
  sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / sum(rate(response_total{direction="inbound"}[5m])) > 0.05
    and sum(increase(response_total{direction="inbound"}[5m])) > 100
for: 2m)"},
    {"lint/healthy-leaf", "Leaf certificates live 24 hours and are renewed when 7 are left.",
     R"(expr: control_identity_cert_expiration_timestamp_seconds - time() < 86400)",
     R"(expr: control_identity_cert_expiration_timestamp_seconds - time() < 7200)"},
    {"lint/other-certificate", "An alert on the trust anchor that reads the issuer's certificate.",
     R"(expr: x509_cert_not_after{secret_name="linkerd-identity-issuer"} - time() < 30 * 86400
annotations: {summary: 'The trust anchor expires'})",
     R"(certificate: {kind: trust-anchor, expires_within: 30d}
annotations: {summary: 'The trust anchor expires'})"},
    {"lint/no-floor", "A share of requests that one failure at night turns into 50 %.",
     R"(expr: sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / sum(rate(response_total{direction="inbound"}[5m])) > 0.05
for: 2m)",
     R"(expr: |
  sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / sum(rate(response_total{direction="inbound"}[5m])) > 0.05
    and sum(increase(response_total{direction="inbound"}[5m])) > 100
for: 2m)"},
    {"lint/no-for", "A share of requests that a single evaluation decides on.",
     R"(expr: |
  sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / sum(rate(response_total{direction="inbound"}[5m])) > 0.05
    and sum(increase(response_total{direction="inbound"}[5m])) > 100)",
     R"(expr: |
  sum(rate(response_total{direction="inbound",classification="failure"}[5m])) / sum(rate(response_total{direction="inbound"}[5m])) > 0.05
    and sum(increase(response_total{direction="inbound"}[5m])) > 100
for: 2m)"},
    {"lint/short-for",
     "'for' is shorter than the time between two evaluations (the group's interval, here 1m).",
     R"(expr: up == 0
for: 30s)",
     R"(expr: up == 0
for: 2m)"},
    {"lint/lost-label", "A template asks for a label that the expression has removed.",
     R"(expr: sum by (namespace) (up) == 0
annotations: {summary: '{{ $labels.pod }} is down'})",
     R"(expr: sum by (namespace, pod) (up) == 0
annotations: {summary: '{{ $labels.pod }} is down'})"},
    {"lint/never-pairs", "Two sides of an operator that have different labels.",
     R"(expr: sum by (pod) (up == 0) and count by (node) (kube_node_info))",
     R"(expr: sum by (pod) (up == 0) and count by (pod) (kube_pod_info))"},
    {"lint/absent-of-many", "absent() is true once all that would match are gone.",
     R"(expr: absent(up{component=~"identity|destination"}))",
     R"(expr: absent(up{component="identity"}) or absent(up{component="destination"}))"},
    {"lint/no-absent", "Whoever is gone from discovery is not even down.",
     R"(expr: up{job="linkerd-controller",component="destination"} == 0
for: 1m)",
     R"(expr: up{job="linkerd-controller",component="destination"} == 0 or absent(up{job="linkerd-controller",component="destination"})
for: 1m)"},
    {"lint/idle", "Something that nobody uses is not broken.",
     R"(expr: tcp_open_connections{direction="inbound",peer="src"} == 0)",
     R"(traffic: {below: 0.5x baseline, over: 5m, min_rate: 5/s})"},
    {"lint/by-namespace", "One pod with a proxy hides the others.",
     R"(expr: count by (namespace) (kube_pod_info) unless count by (namespace) (kube_pod_container_info{container="linkerd-proxy"}))",
     R"(expr: count by (namespace, pod) (kube_pod_info) unless count by (namespace, pod) (kube_pod_container_info{container="linkerd-proxy"}))"},
    {"lint/plain-regex", "An expression that is a plain text.", R"(expr: up{job=~"linkerd"} == 0)",
     R"(expr: up{job="linkerd"} == 0)"},
    {"lint/bad-regex", "A regular expression that does not compile: every evaluation fails.",
     R"(expr: label_replace(up, "app", "$1", "pod", "(.+-.+") == 0)",
     R"(expr: label_replace(up, "app", "$1", "pod", "(.+)-.+") == 0)"},
    {"lint/anchored-regex", "Matchers are for the whole value anyway.",
     R"(expr: up{job=~"^linkerd.*$"} == 0)", R"(expr: up{job=~"linkerd.*"} == 0)"},
}};

constexpr std::string_view kHead = R"(# What `tocsin check` looks for

Beside mistakes, which are errors, `tocsin check` warns of what a rule most likely did not mean. Each
warning has a code; with `--strict` warnings fail the check. This page is printed by
`tocsin check --list --output=markdown`.

A comment on a rule, or above it, silences one there; on the head of a group, or above it, in the
group; above `groups` in the whole file:

```yaml
- alert: NightlyJobFails
  # tocsin: disable=no-floor
  expr: …
```
)";

std::string in_yaml(std::string_view rule) {
  std::string out = "```yaml\n- alert: Example\n  ";
  for (const char c : rule) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out + "\n```\n";
}

}  // namespace

std::span<const LintCheck> lint_checks() { return kChecks; }

std::string lint_markdown() {
  std::string out(kHead);
  for (const LintCheck& check : kChecks) {
    const std::string code(check.code);
    out += "\n## " + code + "\n\n" + std::string(check.what) + "\n\nNot like this:\n\n" +
           in_yaml(check.bad) + "\nLike this:\n\n" + in_yaml(check.good) +
           "\nSilenced by `# tocsin: disable=" + code.substr(code.find('/') + 1) + "`.\n";
  }
  return out;
}

}  // namespace tocsin::rule
