// SPDX-License-Identifier: Apache-2.0
#include "rule/lint.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "promql/ast.h"
#include "promql/functions.h"

namespace tocsin::rule {
namespace {

using promql::VectorSelector;

// Counted by the client's proxy and again by the server's.
constexpr std::array<std::string_view, 9> kCountedTwice = {"request_total",
                                                           "response_total",
                                                           "response_latency_ms_bucket",
                                                           "response_latency_ms_count",
                                                           "response_latency_ms_sum",
                                                           "tcp_open_total",
                                                           "tcp_open_connections",
                                                           "tcp_read_bytes_total",
                                                           "tcp_write_bytes_total"};

constexpr std::array<std::string_view, 6> kGauges = {
    "tcp_open_connections",
    "control_identity_cert_expiration_timestamp_seconds",
    "identity_cert_expiration_timestamp_seconds",
    "issuer_cert_ttl_seconds",
    "outbound_http_balancer_endpoints",
    "up"};

struct Invented {
  std::string_view name;
  std::string_view instead;
};
constexpr std::array<Invented, 12> kInvented = {{
    {"request_errors_total", "response_total{classification=\"failure\"}"},
    {"destination_service_requests_total", "request_total{direction=\"outbound\",dst_service=…}"},
    {"tcp_connection_duration_ms_bucket",
     "tcp_open_total and tcp_close_total; it was removed in 2.10"},
    {"identity_cert_expiry_timestamp", "control_identity_cert_expiration_timestamp_seconds"},
    {"linkerd_identity_cert_expiration_timestamp_seconds",
     "control_identity_cert_expiration_timestamp_seconds"},
    {"linkerd_identity_cert_expiry_timestamp_seconds",
     "control_identity_cert_expiration_timestamp_seconds"},
    {"linkerd_identity_tls_valid_until_seconds",
     "control_identity_cert_expiration_timestamp_seconds"},
    {"linkerd_server_tls_handshake_total", "tcp_open_total by (tls)"},
    {"linkerd_circuit_breaker_trips_total", "outbound_http_balancer_endpoints"},
    {"linkerd_proxy_inbound_tls_disabled_total",
     "tcp_open_total{direction=\"inbound\",tls!=\"true\"}"},
    {"linkerd_traffic_failures_total", "response_total{classification=\"failure\"}"},
    {"route_response_errors_total", "route_response_total{classification=\"failure\"}"},
}};

constexpr std::array<std::string_view, 10> kLinkerdPrefixes = {
    "request_total",   "response_total", "response_latency_ms", "tcp_open_",
    "tcp_read_bytes_", "tcp_write_",     "tcp_close_",          "route_re",
    "outbound_",       "inbound_"};

// A label, or a label with a value, that series of these metrics never have. An empty prefix is
// every metric of the proxy, an empty value any value.
struct Impossible {
  std::string_view metric_prefix;
  std::string_view label;
  std::string_view value;
  std::string_view direction;  // Only there, unless empty.
  std::string_view reason;
  std::string_view hint;
};
constexpr std::array<Impossible, 12> kImpossible = {{
    {"", "tls", "false", "", "'tls' is never \"false\"", "write tls!=\"true\""},
    {"request_total", "status_code", "", "", "requests have no status yet", "use response_total"},
    {"request_total", "classification", "", "", "requests are not classified yet",
     "use response_total"},
    {"response_latency_ms", "classification", "", "", "latencies are not classified",
     "use status_code"},
    {"response_total", "http_status", "", "", "this metric has no 'http_status'",
     "use status_code"},
    {"response_", "grpc_status_code", "", "", "there is no 'grpc_status_code'", "use grpc_status"},
    {"response_", "route", "", "", "there is no label 'route'",
     "use route_name, or rt_route on route_response_total"},
    {"request_total", "route", "", "", "there is no label 'route'",
     "use route_name, or rt_route on route_request_total"},
    {"", "dst_deployment", "", "inbound", "inbound series have no 'dst_' labels",
     "use deployment, or direction=\"outbound\""},
    {"", "dst_namespace", "", "inbound", "inbound series have no 'dst_' labels",
     "use namespace, or direction=\"outbound\""},
    {"", "dst_service", "", "inbound", "inbound series have no 'dst_' labels",
     "use direction=\"outbound\""},
    {"", "authority", "", "inbound", "inbound series have no 'authority' since Linkerd 2.18",
     "use deployment, or srv_name"},
}};

template <class Table>
bool contains(const Table& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

bool is_linkerd(std::string_view metric) {
  return std::any_of(kLinkerdPrefixes.begin(), kLinkerdPrefixes.end(),
                     [&](std::string_view prefix) { return metric.starts_with(prefix); });
}

class Linter {
 public:
  explicit Linter(const promql::Expr& root) : text_(promql::print(root)) {}

  void walk(const promql::Expr& expr) {
    if (const auto* selector = promql::as<VectorSelector>(expr)) check(*selector, expr);
    if (const auto* matrix = promql::as<promql::MatrixSelector>(expr)) check(matrix->vector, expr);
    if (const auto* call = promql::as<promql::Call>(expr)) check(*call, expr);
    for (const promql::ExprPtr& child : promql::children_of(expr)) walk(*child);
  }
  // What PromQL itself has to say, unless something was found there already.
  void add_annotations(const promql::Annotations& annotations) {
    for (const auto* list : {&annotations.warnings, &annotations.infos}) {
      for (const promql::Annotation& note : *list) {
        const bool known = std::any_of(findings_.begin(), findings_.end(), [&](const auto& f) {
          return f.begin <= note.begin && note.end <= f.end;
        });
        if (!known) findings_.push_back({"promql/note", plain(note), "", note.begin, note.end});
      }
    }
  }
  std::vector<LintFinding> take() { return std::move(findings_); }

 private:
  // Without "PromQL warning: ": a diagnostic says that itself.
  static std::string plain(const promql::Annotation& note) {
    return note.message.substr(note.message.find(": ") + 2);
  }

  void add(std::string_view code, std::string message, std::string hint,
           const promql::Expr& where) {
    findings_.push_back(
        {"lint/" + std::string(code), std::move(message), std::move(hint), where.begin, where.end});
  }

  void check(const VectorSelector& selector, const promql::Expr& where) {
    const bool names_direction = text_.find("direction") != std::string::npos;
    if (contains(kCountedTwice, selector.name) && !names_direction) {
      add("no-direction",
          "'" + selector.name +
              "' without a direction counts everything between two meshed "
              "workloads twice",
          "add direction=\"inbound\" for what a workload did, \"outbound\" for what it saw", where);
    }
    for (const Invented& invented : kInvented) {
      if (selector.name != invented.name) continue;
      add("no-such-metric", "Linkerd exports no '" + selector.name + "': this never matches",
          "use " + std::string(invented.instead), where);
    }
    if (selector.name == "identity_cert_expiration_timestamp_seconds" &&
        text_.find("control_" + selector.name) == std::string::npos) {
      add("renamed-metric",
          "'" + selector.name + "' is called control_" + selector.name + " since Linkerd 2.16",
          "use the condition 'certificate', or both names joined with 'or'", where);
    }
    check_labels(selector, where);
  }

  void check_labels(const VectorSelector& selector, const promql::Expr& where) {
    if (!is_linkerd(selector.name)) return;
    std::string_view direction;
    for (const Matcher& m : selector.matchers) {
      if (m.name() == "direction" && m.op() == Matcher::Op::Equal) direction = m.value();
    }
    for (const Matcher& m : selector.matchers) {
      if (m.matches_empty()) continue;
      for (const Impossible& impossible : kImpossible) {
        const bool applies = m.name() == impossible.label &&
                             selector.name.starts_with(impossible.metric_prefix) &&
                             (impossible.direction.empty() || impossible.direction == direction) &&
                             (impossible.value.empty() ||
                              (m.op() == Matcher::Op::Equal && m.value() == impossible.value));
        if (!applies) continue;
        add("never-matches", std::string(impossible.reason) + ": this never matches",
            std::string(impossible.hint), where);
      }
    }
  }

  void check(const promql::Call& call, const promql::Expr& where) {
    constexpr std::array<std::string_view, 3> kOfCounters = {"rate", "irate", "increase"};
    if (!contains(kOfCounters, call.function->name) || call.args.empty()) return;
    const auto* matrix = promql::as<promql::MatrixSelector>(promql::unwrap(*call.args.front()));
    if (matrix == nullptr || !contains(kGauges, matrix->vector.name)) return;
    add("rate-of-gauge",
        "'" + matrix->vector.name + "' is a gauge: its " + std::string(call.function->name) +
            "() is meaningless",
        "use delta(), deriv() or the value itself", where);
  }

  std::string text_;
  std::vector<LintFinding> findings_;
};

}  // namespace

std::vector<LintFinding> lint(const promql::Expr& expr) {
  Linter linter(expr);
  linter.walk(expr);
  linter.add_annotations(promql::inspect(expr));
  return linter.take();
}

}  // namespace tocsin::rule
