// SPDX-License-Identifier: Apache-2.0
#include "simulate/family.h"

namespace tocsin::simulate {
namespace {

using Id = FamilyId;
using Version = LinkerdVersion;

constexpr Family legacy(Id id, std::string_view name, std::string_view help) {
  return {.id = id,
          .name = name,
          .type = Type::Counter,
          .style = Style::Legacy,
          .life = Life::UntilIdle,
          .help = help};
}
constexpr Family legacy_gauge(Id id, std::string_view name, std::string_view help) {
  Family f = legacy(id, name, help);
  f.type = Type::Gauge;
  return f;
}
constexpr Family latency(Id id, std::string_view name, std::string_view help) {
  Family f = legacy(id, name, help);
  f.type = Type::Histogram;
  f.bounds = Bounds::Milliseconds;
  return f;
}

constexpr Family counter(Id id, std::string_view name, std::string_view help,
                         Version since = Version::V2_14) {
  return {.id = id,
          .name = name,
          .type = Type::Counter,
          .style = Style::OpenMetrics,
          .life = Life::SinceUsed,
          .since = since,
          .help = help};
}
constexpr Family always(Family f) {
  f.life = Life::Always;
  return f;
}
constexpr Family gauge(Id id, std::string_view name, std::string_view help,
                       Number number = Number::Integer) {
  return {.id = id,
          .name = name,
          .type = Type::Gauge,
          .style = Style::OpenMetrics,
          .number = number,
          .help = help};
}
constexpr Family duration(Id id, std::string_view name, Bounds bounds, std::string_view help,
                          Version since) {
  return {.id = id,
          .name = name,
          .type = Type::Histogram,
          .style = Style::OpenMetrics,
          .life = Life::SinceUsed,
          .number = Number::Float,
          .bounds = bounds,
          .since = since,
          .help = help};
}

constexpr Family go(Id id, std::string_view name, Type type, std::string_view help) {
  return {.id = id,
          .name = name,
          .type = type,
          .style = Style::Go,
          .number = type == Type::Counter ? Number::Integer : Number::Float,
          .help = help};
}

constexpr Family in_versions(Family f, Version since, Version until) {
  f.since = since;
  f.until = until;
  return f;
}
constexpr Family in_floats(Family f) {
  f.number = Number::Float;
  return f;
}

constexpr std::string_view kLatencyHelp =
    "Elapsed times between a request's headers being received and its response stream completing";
constexpr std::string_view kRequestDuration =
    "The time between request initialization and response completion";
constexpr std::string_view kResponseDuration =
    "The time between request completion and response completion";
constexpr std::string_view kStatuses = "Completed request-response streams";

constexpr std::array<Family, kFamilyCount> kFamilies = {{
    legacy(Id::InboundHttpAuthzAllow, "inbound_http_authz_allow_total",
           "The total number of inbound HTTP requests that were authorized"),
    legacy(Id::InboundHttpAuthzDeny, "inbound_http_authz_deny_total",
           "The total number of inbound HTTP requests that could not be processed due to being "
           "unauthorized"),
    legacy(Id::InboundTcpAuthzAllow, "inbound_tcp_authz_allow_total",
           "The total number of inbound TCP connections that were authorized"),
    legacy(Id::OutboundHttpErrors, "outbound_http_errors_total",
           "The total number of outbound HTTP requests that could not be processed due to a proxy "
           "error"),
    legacy(Id::OutboundTcpErrors, "outbound_tcp_errors_total",
           "The total number of outbound TCP connections that could not be processed due to a "
           "proxy error"),
    legacy(Id::Request, "request_total", "Total count of HTTP requests."),
    latency(Id::ResponseLatency, "response_latency_ms", kLatencyHelp),
    legacy(Id::Response, "response_total", "Total count of HTTP responses."),
    legacy(Id::RouteRequest, "route_request_total", "Total count of HTTP requests."),
    latency(Id::RouteResponseLatency, "route_response_latency_ms", kLatencyHelp),
    legacy(Id::RouteResponse, "route_response_total", "Total count of HTTP responses."),
    legacy(Id::RouteActualRequest, "route_actual_request_total", "Total count of HTTP requests."),
    legacy(Id::RouteActualResponse, "route_actual_response_total",
           "Total count of HTTP responses."),
    legacy(Id::ControlRequest, "control_request_total", "Total count of HTTP requests."),
    latency(Id::ControlResponseLatency, "control_response_latency_ms", kLatencyHelp),
    legacy(Id::ControlResponse, "control_response_total", "Total count of HTTP responses."),
    legacy(Id::TcpOpen, "tcp_open_total", "Total count of opened connections"),
    legacy_gauge(Id::TcpOpenConnections, "tcp_open_connections",
                 "Number of currently-open connections"),
    legacy(Id::TcpReadBytes, "tcp_read_bytes_total", "Total count of bytes read from peers"),
    legacy(Id::TcpWriteBytes, "tcp_write_bytes_total", "Total count of bytes written to peers"),
    legacy(Id::TcpClose, "tcp_close_total", "Total count of closed connections"),
    legacy(Id::StackCreate, "stack_create_total", "Total number of services created"),
    legacy(Id::StackDrop, "stack_drop_total", "Total number of services dropped"),
    in_versions(
        legacy_gauge(Id::OldIdentityExpiration, "identity_cert_expiration_timestamp_seconds",
                     "Time when the this proxy's current mTLS identity certificate will "
                     "expire (in seconds since the UNIX epoch)"),
        Version::V2_14, Version::V2_14),
    in_versions(legacy(Id::OldIdentityRefreshCount, "identity_cert_refresh_count",
                       "The total number of times this proxy's mTLS identity certificate has been "
                       "refreshed by the Identity service."),
                Version::V2_14, Version::V2_14),
    in_versions(gauge(Id::ControlIdentityBalancerEndpoints, "control_identity_balancer_endpoints",
                      "The number of endpoints currently in the balancer"),
                Version::V2_16, Version::V2_20),
    always(counter(Id::ControlIdentityBalancerQueueRequests,
                   "control_identity_balancer_queue_requests",
                   "The total number of requests to a load balancer queue", Version::V2_16)),
    in_versions(
        gauge(Id::ControlDestinationBalancerEndpoints, "control_destination_balancer_endpoints",
              "The number of endpoints currently in the balancer"),
        Version::V2_16, Version::V2_20),
    in_versions(gauge(Id::ControlPolicyBalancerEndpoints, "control_policy_balancer_endpoints",
                      "The number of endpoints currently in the balancer"),
                Version::V2_16, Version::V2_20),
    in_versions(gauge(Id::IdentityExpiration, "control_identity_cert_expiration_timestamp_seconds",
                      "Time when the this proxy's current mTLS identity certificate will expire "
                      "(in seconds since the UNIX epoch)",
                      Number::Float),
                Version::V2_16, Version::V2_20),
    in_versions(gauge(Id::IdentityRefreshTime, "control_identity_cert_refresh_timestamp_seconds",
                      "Time when the this proxy's mTLS identity certificate were last updated",
                      Number::Float),
                Version::V2_16, Version::V2_20),
    always(counter(Id::IdentityRefreshes, "control_identity_cert_refreshes",
                   "The total number of times this proxy's mTLS identity certificate has been "
                   "refreshed by the Identity service",
                   Version::V2_16)),
    counter(Id::InboundHttpRequests, "inbound_http_requests",
            "The total number of requests dispatched", Version::V2_20),
    counter(Id::InboundHttpStatuses, "inbound_http_statuses", kStatuses, Version::V2_20),
    duration(Id::InboundHttpRequestDuration, "inbound_http_request_duration_seconds", Bounds::Fine,
             kRequestDuration, Version::V2_20),
    duration(Id::InboundHttpResponseDuration, "inbound_http_response_duration_seconds",
             Bounds::Coarse, kResponseDuration, Version::V2_20),
    counter(Id::InboundGrpcRequests, "inbound_grpc_requests",
            "The total number of requests dispatched", Version::V2_20),
    counter(Id::InboundGrpcStatuses, "inbound_grpc_statuses", kStatuses, Version::V2_20),
    duration(Id::InboundGrpcRequestDuration, "inbound_grpc_request_duration_seconds", Bounds::Fine,
             kRequestDuration, Version::V2_20),
    duration(Id::InboundGrpcResponseDuration, "inbound_grpc_response_duration_seconds",
             Bounds::Coarse, kResponseDuration, Version::V2_20),
    gauge(Id::OutboundHttpBalancerEndpoints, "outbound_http_balancer_endpoints",
          "The number of endpoints currently in the balancer"),
    counter(Id::OutboundHttpBalancerQueueRequests, "outbound_http_balancer_queue_requests",
            "The total number of requests to a load balancer queue", Version::V2_16),
    always(counter(Id::OutboundHttpBalancerGateOpen, "outbound_http_balancer_queue_gate_open",
                   "The total number of times that the queue's gate was opened", Version::V2_16)),
    always(counter(Id::OutboundHttpBalancerGateShut, "outbound_http_balancer_queue_gate_shut",
                   "The total number of times that the queue's gate was shut", Version::V2_16)),
    duration(Id::OutboundHttpRouteRequestDuration, "outbound_http_route_request_duration_seconds",
             Bounds::Coarse, kRequestDuration, Version::V2_16),
    counter(Id::OutboundHttpRouteRequestStatuses, "outbound_http_route_request_statuses", kStatuses,
            Version::V2_16),
    counter(Id::OutboundHttpRouteBackendRequests, "outbound_http_route_backend_requests",
            "The total number of requests dispatched"),
    duration(Id::OutboundHttpRouteBackendResponseDuration,
             "outbound_http_route_backend_response_duration_seconds", Bounds::Fine,
             kResponseDuration, Version::V2_16),
    counter(Id::OutboundHttpRouteBackendResponseStatuses,
            "outbound_http_route_backend_response_statuses", "Completed responses", Version::V2_16),
    duration(Id::OutboundGrpcRouteRequestDuration, "outbound_grpc_route_request_duration_seconds",
             Bounds::Coarse, kRequestDuration, Version::V2_16),
    counter(Id::OutboundGrpcRouteRequestStatuses, "outbound_grpc_route_request_statuses", kStatuses,
            Version::V2_16),
    counter(Id::OutboundGrpcRouteBackendRequests, "outbound_grpc_route_backend_requests",
            "The total number of requests dispatched"),
    duration(Id::OutboundGrpcRouteBackendResponseDuration,
             "outbound_grpc_route_backend_response_duration_seconds", Bounds::Fine,
             kResponseDuration, Version::V2_16),
    counter(Id::OutboundGrpcRouteBackendResponseStatuses,
            "outbound_grpc_route_backend_response_statuses", "Completed responses", Version::V2_16),
    counter(Id::OutboundTcpRouteOpen, "outbound_tcp_route_open",
            "The total number of connections opened", Version::V2_16),
    counter(Id::OutboundTcpRouteClose, "outbound_tcp_route_close",
            "The total number of connections closed", Version::V2_16),
    counter(Id::OutboundTcpProtocolConnections, "outbound_tcp_protocol_connections",
            "Outbound TCP connections by protocol", Version::V2_20),
    gauge(Id::ProcessStartTime, "process_start_time_seconds",
          "Time that the process started (in seconds since the UNIX epoch)", Number::Float),
    always(in_floats(counter(Id::ProcessUptime, "process_uptime_seconds",
                             "Total time since the process started (in seconds)"))),
    gauge(Id::ProcessClockTime, "process_clock_time_seconds", "Current system time for this proxy",
          Number::Float),
    always(in_floats(counter(Id::ProcessCpu, "process_cpu_seconds",
                             "Total user and system CPU time spent in seconds"))),
    gauge(Id::ProcessVirtualMemory, "process_virtual_memory_bytes", "Virtual memory size in bytes"),
    gauge(Id::ProcessResidentMemory, "process_resident_memory_bytes",
          "Resident memory size in bytes"),
    gauge(Id::ProcessOpenFds, "process_open_fds", "Number of open file descriptors"),
    gauge(Id::ProcessMaxFds, "process_max_fds", "Maximum number of open file descriptors"),
    gauge(Id::ProcessThreads, "process_threads", "Number of OS threads in the process"),
    gauge(Id::ProxyBuildInfo, "proxy_build_info", "Proxy build info"),
    in_versions(gauge(Id::RustlsInfo, "rustls_info", "Proxy TLS info"), Version::V2_20,
                Version::V2_20),
    go(Id::GrpcServerHandled, "grpc_server_handled_total", Type::Counter,
       "Total number of RPCs completed on the server, regardless of success or failure."),
    go(Id::GrpcServerStarted, "grpc_server_started_total", Type::Counter,
       "Total number of RPCs started on the server."),
    go(Id::GoGoroutines, "go_goroutines", Type::Gauge,
       "Number of goroutines that currently exist."),
    go(Id::HttpServerRequests, "http_server_requests_total", Type::Counter,
       "A counter for requests to the wrapped handler."),
    {.id = Id::InformerLag,
     .name = "endpointslices_informer_lag_seconds",
     .type = Type::Histogram,
     .style = Style::Go,
     .number = Number::Float,
     .bounds = Bounds::InformerLag,
     .help = "The amount of time between when an EndpointSlices resource is updated and when an "
             "informer observes it"},
    go(Id::EndpointUpdatesOverflow, "endpoint_updates_queue_overflow", Type::Counter,
       "A counter incremented whenever the endpoint updates queue overflows"),
    in_versions(go(Id::IssuerTtl, "issuer_cert_ttl_seconds", Type::Gauge,
                   "The amount of time remaining before the issuer certificate expires"),
                Version::V2_20, Version::V2_20),
    go(Id::InjectRequests, "proxy_inject_admission_requests_total", Type::Counter,
       "A counter for number of admission requests to proxy injector."),
    go(Id::InjectResponses, "proxy_inject_admission_responses_total", Type::Counter,
       "A counter for number of admission responses from proxy injector."),
    in_floats(go(Id::GoProcessCpu, "process_cpu_seconds_total", Type::Counter,
                 "Total user and system CPU time spent in seconds.")),
    go(Id::GoProcessResidentMemory, "process_resident_memory_bytes", Type::Gauge,
       "Resident memory size in bytes."),
    go(Id::GoProcessStartTime, "process_start_time_seconds", Type::Gauge,
       "Start time of the process since unix epoch in seconds."),
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    if (static_cast<std::size_t>(kFamilies[i].id) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table has the order of FamilyId");

}  // namespace

const std::array<Family, kFamilyCount>& families() { return kFamilies; }

}  // namespace tocsin::simulate
