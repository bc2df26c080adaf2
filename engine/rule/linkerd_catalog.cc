// SPDX-License-Identifier: Apache-2.0
#include "rule/linkerd_catalog.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tocsin/diagnostics.h"

namespace tocsin::rule {
namespace {

using enum MetricType;

constexpr std::array<double, 25> kMilliseconds = {
    1,   2,   3,    4,    5,    10,   20,   30,    40,    50,    100,   200,  300,
    400, 500, 1000, 2000, 3000, 4000, 5000, 10000, 20000, 30000, 40000, 50000};
constexpr std::array<double, 4> kCoarseSeconds = {0.05, 0.5, 1, 10};
constexpr std::array<double, 7> kFineSeconds = {0.025, 0.05, 0.1, 0.25, 0.5, 1, 10};
constexpr std::array<double, 6> kQueueSeconds = {0.0005, 0.005, 0.05, 0.5, 1, 3};
constexpr std::array<double, 2> kDetectSeconds = {0.001, 0.1};
constexpr std::array<double, 10> kLagSeconds = {0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000};

constexpr std::array<LinkerdMetric, 120> kMetrics = {{
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
    {"inbound_http_request_duration_seconds", Histogram, false, kFineSeconds},
    {"inbound_http_response_duration_seconds", Histogram, false, kCoarseSeconds},
    {"inbound_grpc_requests_total", Counter},
    {"inbound_grpc_statuses_total", Counter},
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
    {"inbound_http_request_frame_size_bytes", Histogram},
    {"inbound_http_response_frame_size_bytes", Histogram},
    {"outbound_http_route_retry_requests_total", Counter},
    {"outbound_http_route_retry_successes_total", Counter},
    {"outbound_http_route_retry_limit_exceeded_total", Counter},
    {"outbound_http_route_retry_overflow_total", Counter},
    {"outbound_http_route_request_frame_size_bytes", Histogram},
    {"outbound_http_route_backend_response_frame_size_bytes", Histogram},
    {"inbound_grpc_request_duration_seconds", Histogram, false, kFineSeconds},
    {"inbound_grpc_response_duration_seconds", Histogram, false, kCoarseSeconds},
    {"inbound_grpc_request_frame_size_bytes", Histogram},
    {"inbound_grpc_response_frame_size_bytes", Histogram},
    {"outbound_grpc_route_retry_requests_total", Counter},
    {"outbound_grpc_route_retry_successes_total", Counter},
    {"outbound_grpc_route_retry_limit_exceeded_total", Counter},
    {"outbound_grpc_route_retry_overflow_total", Counter},
    {"outbound_grpc_route_request_frame_size_bytes", Histogram},
    {"outbound_grpc_route_backend_response_frame_size_bytes", Histogram},
    {"inbound_http_route_not_found_total", Counter},
    {"inbound_tcp_authz_terminate_total", Counter},
    {"inbound_tcp_detect_http_results_total", Counter},
    {"inbound_tcp_transport_header_connections_total", Counter},
    {"outbound_tcp_detect_http_results_total", Counter},
    {"outbound_tcp_route_open_total", Counter},
    {"outbound_tcp_route_close_total", Counter},
    {"outbound_tls_route_open_total", Counter},
    {"outbound_tls_route_close_total", Counter},
    {"outbound_tcp_protocol_connections_total", Counter},
    {"outbound_tcp_transfer_cost_bytes_total", Counter},
    {"identity_cert_refreshes_total", Counter},
    {"route_retryable_total", Counter},
    {"inbound_tcp_detect_http_duration_seconds", Histogram, false, kDetectSeconds},
    {"outbound_tcp_detect_http_duration_seconds", Histogram, false, kDetectSeconds},
    {"control_identity_cert_refresh_timestamp_seconds", Gauge},
    {"identity_cert_refresh_timestamp_seconds", Gauge},
    {"control_dns_resolutions_total", Counter},
    {"proxy_build_info", Gauge},
    {"rustls_info", Gauge},
    // Of the control plane: the injector, destination, policy, and the mirrors of multicluster.
    {"proxy_inject_admission_requests_total", Counter},
    {"proxy_inject_admission_responses_total", Counter},
    {"endpoints_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"endpointslices_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"services_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"servers_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"pods_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"externalworkload_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"serviceprofiles_informer_lag_seconds", Histogram, false, kLagSeconds},
    {"endpoints_subscribers", Gauge},
    {"endpoints_updates", Counter},
    {"endpoints_pods", Gauge},
    {"endpoints_exists", Gauge},
    {"servers_subscribers", Gauge},
    {"servers_updates", Counter},
    {"profile_subscribers", Gauge},
    {"profile_updates", Counter},
    {"service_subscribers", Gauge},
    {"endpoint_updates_queue_overflow", Counter},
    {"profile_updates_queue_overflow", Counter},
    {"endpoint_profile_updates_queue_overflow", Counter},
    {"cluster_store_size", Gauge},
    {"resource_status_patches_total", Counter},
    {"resource_status_patch_api_errors_total", Counter},
    {"resource_status_patch_timeouts_total", Counter},
    {"resource_status_patch_duration_seconds", Histogram},
    {"resource_status_patch_enqueue_overflows_total", Counter},
    {"resource_status_patch_drops_total", Counter},
    {"gateway_alive", Gauge},
    {"gateway_enabled", Gauge},
    {"gateway_latency", Gauge},
    {"gateway_probe_latency_ms", Histogram, false, kMilliseconds},
    {"gateway_probes", Counter},
    {"service_mirror_endpoint_repairs", Counter},
    {"probe_manager_event_enqueues", Counter},
    {"probe_manager_event_dequeues", Counter},
}};

// Every balancer has these, whatever is balanced: prefixes, and what follows one.
constexpr std::array<std::string_view, 6> kBalancers = {
    "outbound_http_balancer_",    "outbound_tcp_balancer_",        "outbound_tls_balancer_",
    "control_identity_balancer_", "control_destination_balancer_", "control_policy_balancer_"};
constexpr std::array<LinkerdMetric, 15> kOfBalancers = {{
    {"endpoints", Gauge},
    {"p2c_endpoints", Gauge},
    {"p2c_updates_total", Counter},
    {"queue_length", Gauge},
    {"queue_requests_total", Counter},
    {"queue_latency_seconds", Histogram, false, kQueueSeconds},
    {"queue_gate_open_total", Counter},
    {"queue_gate_shut_total", Counter},
    {"queue_gate_open_time_seconds", Gauge},
    {"queue_gate_shut_time_seconds", Gauge},
    {"queue_gate_timeout_seconds", Gauge},
    {"adaptive_load_average", Gauge},  // These and the next are Buoyant Enterprise's.
    {"adaptive_load_band_low", Gauge},
    {"adaptive_load_band_high", Gauge},
    {"adaptive_endpoints", Gauge},
}};

// Names that begin so are Linkerd's, and one that is not in the tables does not exist.
constexpr std::array<std::string_view, 20> kOwnPrefixes = {"outbound_http_",
                                                           "outbound_grpc_",
                                                           "outbound_tcp_",
                                                           "outbound_tls_",
                                                           "inbound_http_",
                                                           "inbound_grpc_",
                                                           "inbound_tcp_",
                                                           "response_latency_",
                                                           "control_identity_",
                                                           "control_destination_",
                                                           "control_policy_",
                                                           "control_request_",
                                                           "control_response_",
                                                           "control_dns_",
                                                           "identity_cert_",
                                                           "issuer_cert_",
                                                           "proxy_inject_",
                                                           "endpoint_updates_",
                                                           "endpoint_profile_updates_",
                                                           "service_mirror_"};

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

constexpr std::array<std::string_view, 2> kDirections = {"inbound", "outbound"};
constexpr std::array<std::string_view, 2> kOutcomes = {"success", "failure"};
constexpr std::array<std::string_view, 2> kPeers = {"src", "dst"};
constexpr std::array<std::string_view, 4> kTls = {"true", "no_identity", "disabled", "opaque"};

// In the order of their numbers.
constexpr std::array<std::string_view, 17> kGrpcNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
constexpr std::array<std::string_view, 17> kGrpcNumbers = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};

constexpr std::array<LabelValues, 10> kLabelValues = {{
    {"", "direction", kDirections},
    {"response_total", "classification", kOutcomes},
    {"route_response_total", "classification", kOutcomes},
    {"tcp_", "peer", kPeers},
    {"", "tls", kTls},
    {"response_total", "grpc_status", kGrpcNumbers, kGrpcNames},
    {"route_response_total", "grpc_status", kGrpcNumbers, kGrpcNames},
    {"route_actual_response_total", "grpc_status", kGrpcNumbers, kGrpcNames},
    {"inbound_grpc_statuses_total", "status", kGrpcNumbers, kGrpcNames},
    {"outbound_grpc_route_", "grpc_status", kGrpcNames, kGrpcNumbers},
}};

constexpr std::array<ImpossibleLabel, 30> kImpossible = {{
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
    {"request_total", "dst", "", "", "there is no label 'dst'", "use dst_service, or authority"},
    {"response_", "dst", "", "", "there is no label 'dst'", "use dst_service, or authority"},
    {"", "dst_deployment", "", "inbound", "inbound series have no 'dst_' labels",
     "use deployment, or direction=\"outbound\""},
    {"", "dst_namespace", "", "inbound", "inbound series have no 'dst_' labels",
     "use namespace, or direction=\"outbound\""},
    {"", "dst_service", "", "inbound", "inbound series have no 'dst_' labels",
     "use direction=\"outbound\""},
    {"", "authority", "", "inbound", "inbound series have no 'authority' since Linkerd 2.18",
     "use deployment, or srv_name"},
    {"response_latency_ms", "grpc_status", "", "", "latencies have no 'grpc_status'",
     "use response_total"},
    {"outbound_http_route_", "direction", "", "", "outbound_ metrics have no 'direction'",
     "leave it out"},
    {"outbound_grpc_route_", "direction", "", "", "outbound_ metrics have no 'direction'",
     "leave it out"},
    {"outbound_http_route_", "classification", "", "", "routes do not classify responses",
     "use http_status=~\"5..\" or error!=\"\""},
    {"outbound_grpc_route_", "classification", "", "", "routes do not classify responses",
     "use grpc_status, or error!=\"\""},
    {"outbound_http_route_", "status_code", "", "", "this metric has no 'status_code'",
     "use http_status"},
    {"outbound_grpc_route_", "http_status", "", "", "this metric has no 'http_status'",
     "use grpc_status"},
    {"outbound_http_", "dst_service", "", "", "outbound_ metrics have no 'dst_' labels",
     "use parent_name and parent_namespace"},
    {"outbound_grpc_", "dst_service", "", "", "outbound_ metrics have no 'dst_' labels",
     "use parent_name and parent_namespace"},
    {"inbound_http_statuses", "http_status", "", "", "this metric has no 'http_status'",
     "use status"},
    {"route_re", "tls", "", "", "metrics of ServiceProfiles have no 'tls'", "use response_total"},
    {"route_re", "dst_deployment", "", "", "metrics of ServiceProfiles have no 'dst_' labels",
     "use dst"},
    {"outbound_http_", "dst_deployment", "", "", "outbound_ metrics have no 'dst_' labels",
     "use parent_name and parent_namespace"},
    {"outbound_http_", "dst_namespace", "", "", "outbound_ metrics have no 'dst_' labels",
     "use parent_name and parent_namespace"},
    {"outbound_grpc_", "dst_deployment", "", "", "outbound_ metrics have no 'dst_' labels",
     "use parent_name and parent_namespace"},
    {"outbound_grpc_", "dst_namespace", "", "", "outbound_ metrics have no 'dst_' labels",
     "use parent_name and parent_namespace"},
}};

constexpr std::array<std::string_view, 3> kParts = {"_bucket", "_sum", "_count"};

const LinkerdMetric* find_in(std::span<const LinkerdMetric> table, std::string_view series_name) {
  const auto is_named = [](std::string_view name, MetricType type) {
    return [=](const LinkerdMetric& m) {
      return m.name == name && (m.type == Histogram) == (type == Histogram);
    };
  };
  for (const std::string_view part : kParts) {
    if (!series_name.ends_with(part)) continue;
    const auto name = series_name.substr(0, series_name.size() - part.size());
    const auto found = std::find_if(table.begin(), table.end(), is_named(name, Histogram));
    if (found != table.end()) return &*found;
  }
  const auto found = std::find_if(table.begin(), table.end(), is_named(series_name, Counter));
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

const LinkerdMetric* find_linkerd_metric(std::string_view series_name) {
  for (const std::string_view prefix : kBalancers) {
    if (!series_name.starts_with(prefix)) continue;
    if (const auto* metric = find_in(kOfBalancers, series_name.substr(prefix.size()))) {
      return metric;
    }
  }
  return find_in(kMetrics, series_name);
}

bool is_unknown_to_linkerd(std::string_view series_name) {
  const bool is_own = std::any_of(kOwnPrefixes.begin(), kOwnPrefixes.end(),
                                  [&](auto prefix) { return series_name.starts_with(prefix); });
  // With a colon it is somebody's recording.
  return is_own && series_name.find(':') == std::string_view::npos &&
         find_linkerd_metric(series_name) == nullptr;
}

std::string nearest_linkerd_metric(std::string_view series_name) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view prefix, const LinkerdMetric& metric) {
    const std::string name = std::string(prefix) + std::string(metric.name);
    if (metric.type != Histogram) return names.push_back(name);
    for (const std::string_view part : kParts) names.push_back(name + std::string(part));
  };
  for (const LinkerdMetric& metric : kMetrics) add("", metric);
  for (const std::string_view prefix : kBalancers) {
    for (const LinkerdMetric& metric : kOfBalancers) add(prefix, metric);
  }
  return nearest(series_name, names);
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

std::span<const LabelValues> label_values() { return kLabelValues; }

}  // namespace tocsin::rule
