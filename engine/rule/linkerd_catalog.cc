// SPDX-License-Identifier: Apache-2.0
#include "rule/linkerd_catalog.h"

#include <algorithm>
#include <array>

namespace tocsin::rule {
namespace {

using enum MetricType;

constexpr std::array<double, 25> kMilliseconds = {
    1,   2,   3,    4,    5,    10,   20,   30,    40,    50,    100,   200,  300,
    400, 500, 1000, 2000, 3000, 4000, 5000, 10000, 20000, 30000, 40000, 50000};
constexpr std::array<double, 4> kCoarseSeconds = {0.05, 0.5, 1, 10};
constexpr std::array<double, 7> kFineSeconds = {0.025, 0.05, 0.1, 0.25, 0.5, 1, 10};

constexpr std::array<LinkerdMetric, 48> kMetrics = {{
    {"request_total", Counter, true},
    {"response_total", Counter, true},
    {"response_latency_ms", Histogram, true, kMilliseconds},
    {"route_request_total", Counter},
    {"route_response_total", Counter},
    {"route_response_latency_ms", Histogram, false, kMilliseconds},
    {"route_actual_request_total", Counter},
    {"route_actual_response_total", Counter},
    {"control_request_total", Counter},
    {"control_response_total", Counter},
    {"control_response_latency_ms", Histogram, false, kMilliseconds},
    {"tcp_open_total", Counter, true},
    {"tcp_open_connections", Gauge, true},
    {"tcp_read_bytes_total", Counter, true},
    {"tcp_write_bytes_total", Counter, true},
    {"tcp_close_total", Counter},
    {"inbound_http_authz_allow_total", Counter},
    {"inbound_http_authz_deny_total", Counter},
    {"inbound_tcp_authz_allow_total", Counter},
    {"inbound_tcp_authz_deny_total", Counter},
    {"inbound_http_errors_total", Counter},
    {"outbound_http_errors_total", Counter},
    {"inbound_tcp_errors_total", Counter},
    {"outbound_tcp_errors_total", Counter},
    {"inbound_http_local_ratelimit_total", Counter},
    {"inbound_http_requests_total", Counter},
    {"inbound_http_statuses_total", Counter},
    {"inbound_http_request_duration_seconds", Histogram, false, kCoarseSeconds},
    {"inbound_http_response_duration_seconds", Histogram, false, kCoarseSeconds},
    {"inbound_grpc_requests_total", Counter},
    {"inbound_grpc_statuses_total", Counter},
    {"outbound_http_balancer_endpoints", Gauge},
    {"outbound_http_balancer_queue_requests_total", Counter},
    {"outbound_http_route_request_duration_seconds", Histogram, false, kCoarseSeconds},
    {"outbound_http_route_request_statuses_total", Counter},
    {"outbound_http_route_backend_requests_total", Counter},
    {"outbound_http_route_backend_response_duration_seconds", Histogram, false, kFineSeconds},
    {"outbound_http_route_backend_response_statuses_total", Counter},
    {"outbound_grpc_route_request_duration_seconds", Histogram, false, kCoarseSeconds},
    {"outbound_grpc_route_request_statuses_total", Counter},
    {"outbound_grpc_route_backend_requests_total", Counter},
    {"outbound_grpc_route_backend_response_duration_seconds", Histogram, false, kFineSeconds},
    {"outbound_grpc_route_backend_response_statuses_total", Counter},
    {"control_identity_cert_expiration_timestamp_seconds", Gauge},
    {"identity_cert_expiration_timestamp_seconds", Gauge},
    {"control_identity_cert_refreshes_total", Counter},
    {"identity_cert_refresh_count", Counter},
    {"issuer_cert_ttl_seconds", Gauge},
}};

constexpr std::array<InventedMetric, 12> kInvented = {{
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

constexpr std::array<std::string_view, 10> kTrafficPrefixes = {
    "request_total",   "response_total", "response_latency_ms", "tcp_open_",
    "tcp_read_bytes_", "tcp_write_",     "tcp_close_",          "route_re",
    "outbound_",       "inbound_"};

constexpr std::array<ImpossibleLabel, 13> kImpossible = {{
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
    {"", "dst", "", "", "there is no label 'dst'", "use dst_service, or authority"},
    {"", "dst_deployment", "", "inbound", "inbound series have no 'dst_' labels",
     "use deployment, or direction=\"outbound\""},
    {"", "dst_namespace", "", "inbound", "inbound series have no 'dst_' labels",
     "use namespace, or direction=\"outbound\""},
    {"", "dst_service", "", "inbound", "inbound series have no 'dst_' labels",
     "use direction=\"outbound\""},
    {"", "authority", "", "inbound", "inbound series have no 'authority' since Linkerd 2.18",
     "use deployment, or srv_name"},
}};

}  // namespace

const LinkerdMetric* find_linkerd_metric(std::string_view series_name) {
  constexpr std::string_view kParts[] = {"_bucket", "_sum", "_count"};
  const auto is_named = [](std::string_view name, MetricType type) {
    return [=](const LinkerdMetric& m) {
      return m.name == name && (m.type == Histogram) == (type == Histogram);
    };
  };
  for (const std::string_view part : kParts) {
    if (!series_name.ends_with(part)) continue;
    const auto name = series_name.substr(0, series_name.size() - part.size());
    const auto found = std::find_if(kMetrics.begin(), kMetrics.end(), is_named(name, Histogram));
    if (found != kMetrics.end()) return &*found;
  }
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(), is_named(series_name, Counter));
  return found == kMetrics.end() ? nullptr : &*found;
}

bool is_traffic_metric(std::string_view series_name) {
  return std::any_of(kTrafficPrefixes.begin(), kTrafficPrefixes.end(),
                     [&](std::string_view prefix) { return series_name.starts_with(prefix); });
}

const InventedMetric* find_invented_metric(std::string_view name) {
  const auto found = std::find_if(kInvented.begin(), kInvented.end(),
                                  [&](const InventedMetric& m) { return m.name == name; });
  return found == kInvented.end() ? nullptr : &*found;
}

std::span<const ImpossibleLabel> impossible_labels() { return kImpossible; }

}  // namespace tocsin::rule
