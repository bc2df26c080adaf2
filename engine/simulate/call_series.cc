// SPDX-License-Identifier: Apache-2.0
#include "simulate/call_series.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "simulate/labels.h"

namespace tocsin::simulate {
namespace {

std::string service_ip(const Call& call) {
  const std::uint64_t hash = hash_bytes(call.config.to);
  return "10.43." + std::to_string(hash / 250 % 250) + "." + std::to_string(hash % 250 + 2);
}

std::string profile_labels(std::string_view direction, const Call& call, std::string_view route) {
  return label_text({{"direction", direction},
                     {"dst", authority_of(call.server->config.name_space, call.service)},
                     {"rt_route", route}});
}

ClientRouteSeries profile_route(Page& page, const Call& call, const std::string& route) {
  ClientRouteSeries out;
  const LabelText labels = share(profile_labels("outbound", call, route));
  out.profile = request_series(page, kProfile, labels);
  out.actual_request = page.series(FamilyId::RouteActualRequest, labels);
  return out;
}

ClientRouteSeries policy_route(Page& page, const Call& call, const std::string& route) {
  const bool grpc = call.service.route_kind == RouteKind::GrpcRoute;
  const std::string& name_space = call.server->config.name_space;
  const LabelText parent = share(parent_route(name_space, call.service, route));
  const LabelText backend = share(label_text(*parent, backend_labels(name_space, call.service)));
  const std::string hostname = "hostname=\"\"";
  ClientRouteSeries out;
  out.duration = page.series(grpc ? FamilyId::OutboundGrpcRouteRequestDuration
                                  : FamilyId::OutboundHttpRouteRequestDuration,
                             parent, hostname);
  out.backend_requests = page.series(grpc ? FamilyId::OutboundGrpcRouteBackendRequests
                                          : FamilyId::OutboundHttpRouteBackendRequests,
                                     backend);
  out.backend_duration = page.series(grpc ? FamilyId::OutboundGrpcRouteBackendResponseDuration
                                          : FamilyId::OutboundHttpRouteBackendResponseDuration,
                                     backend);
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const OutcomeLabels& o = labels_of(static_cast<Outcome>(i), call.service.protocol);
    const std::string status = grpc ? label_text({{"grpc_status", o.grpc_name}, {"error", o.error}})
                                    : label_text({{"http_status", o.status}, {"error", o.error}});
    out.statuses[i] = page.series(grpc ? FamilyId::OutboundGrpcRouteRequestStatuses
                                       : FamilyId::OutboundHttpRouteRequestStatuses,
                                  parent, label_text(hostname, status));
    out.backend_statuses[i] = page.series(grpc ? FamilyId::OutboundGrpcRouteBackendResponseStatuses
                                               : FamilyId::OutboundHttpRouteBackendResponseStatuses,
                                          backend, status);
  }
  return out;
}

void add_balancer(Page& page, const Call& call, ClientSide& side) {
  const std::string& name_space = call.server->config.name_space;
  const LabelText of = share(label_text(parent_labels(name_space, call.service),
                                        backend_labels(name_space, call.service)));
  const auto endpoints = [&](std::string_view state) {
    return page.series(FamilyId::OutboundHttpBalancerEndpoints,
                       share(label_text({{"endpoint_state", state}})), *of);
  };
  side.balancer_pending = endpoints("pending");
  side.balancer_ready = endpoints("ready");
  side.balancer_queued = page.series(FamilyId::OutboundHttpBalancerQueueRequests, of);
  side.gate_open = page.series(FamilyId::OutboundHttpBalancerGateOpen, of);
  side.gate_shut = page.series(FamilyId::OutboundHttpBalancerGateShut, of);
}

void add_tcp_route(Page& page, const Call& call, ClientSide& side) {
  const std::string& name_space = call.server->config.name_space;
  const LabelText route = share(label_text(
      parent_route(name_space, call.service, "opaq"),
      label_text({{"target_ip", ""}, {"target_port", std::to_string(call.service.port)}})));
  side.tcp_route_open = page.series(FamilyId::OutboundTcpRouteOpen, route);
  side.tcp_route_close = page.series(FamilyId::OutboundTcpRouteClose, route, "error=\"\"");
  side.tcp_route_error =
      page.series(FamilyId::OutboundTcpRouteClose, route, "error=\"unexpected\"");
}

std::string_view protocol_word(Protocol protocol) {
  switch (protocol) {
    case Protocol::Http:
      return "http/1";
    case Protocol::Grpc:
      return "http/2";
    case Protocol::Tcp:
      return "opaq";
  }
  return "detect";
}

ClientSide new_client_side(Pod& client, const Call& call) {
  Page& page = client.page;
  ClientSide side;
  side.call = call.number;
  side.app =
      tcp_series(page, "outbound", "src",
                 label_text(target_labels(service_ip(call), call.service.port),
                            label_text({{"tls", "no_identity"}, {"no_tls_reason", "loopback"}})));
  side.protocol =
      page.series(FamilyId::OutboundTcpProtocolConnections,
                  share(label_text({{"protocol", protocol_word(call.service.protocol)}})),
                  parent_labels(call.server->config.name_space, call.service));
  if (call.service.protocol == Protocol::Tcp) {
    add_tcp_route(page, call, side);
    return side;
  }
  side.fail_fast =
      page.series(FamilyId::OutboundHttpErrors, share(label_text({{"error", "failfast"}})));
  const bool profile = call.service.route_kind == RouteKind::ServiceProfile;
  if (!profile) add_balancer(page, call, side);
  for (const Call::Route& route : call.routes) {
    side.routes.push_back(profile ? profile_route(page, call, route.name)
                                  : policy_route(page, call, route.name));
  }
  return side;
}

ServerRouteSeries inbound_route_series(Pod& server, const Call& call, const std::string& route) {
  Page& page = server.page;
  const bool grpc = call.service.protocol == Protocol::Grpc;
  const LabelText parent = share(inbound_parent(*server.workload, call.service.port));
  ServerRouteSeries out;
  out.requests =
      page.series(grpc ? FamilyId::InboundGrpcRequests : FamilyId::InboundHttpRequests, parent);
  out.request_duration = page.series(
      grpc ? FamilyId::InboundGrpcRequestDuration : FamilyId::InboundHttpRequestDuration, parent);
  out.response_duration = page.series(
      grpc ? FamilyId::InboundGrpcResponseDuration : FamilyId::InboundHttpResponseDuration, parent);
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const OutcomeLabels& o = labels_of(static_cast<Outcome>(i), call.service.protocol);
    out.statuses[i] =
        page.series(grpc ? FamilyId::InboundGrpcStatuses : FamilyId::InboundHttpStatuses, parent,
                    label_text({{"status", grpc ? o.grpc_status : o.status}}));
  }
  // The route is known only when the client's proxy named the service.
  if (call.service.route_kind == RouteKind::ServiceProfile && call.client != nullptr) {
    out.profile = request_series(page, kProfile, share(profile_labels("inbound", call, route)));
  }
  return out;
}

ServerSide new_server_side(Pod& server, const Call& call, LinkerdVersion version) {
  Page& page = server.page;
  const WorkloadConfig& w = *server.workload;
  const std::string target = target_labels(server.ip, call.service.port);
  const std::string tls = client_tls(call.client_id());
  const std::string policy = server_policy(w, call.service.port, version);
  ServerSide side;
  side.call = call.number;
  side.tcp = tcp_series(page, "inbound", "src", label_text(label_text(target, tls), policy));
  const std::string route = inbound_route("default");
  const std::string authz = authorization(w, "default");
  if (call.service.protocol == Protocol::Tcp) {
    side.allowed = page.series(FamilyId::InboundTcpAuthzAllow,
                               share(label_text(label_text(target, policy), authz)), tls);
    return side;
  }
  const std::string rules = label_text(policy, route);
  side.allowed = page.series(FamilyId::InboundHttpAuthzAllow,
                             share(label_text(label_text(target, rules), authz)), tls);
  side.denied = page.series(FamilyId::InboundHttpAuthzDeny, share(label_text(target, rules)), tls);
  std::string labels = label_text({{"direction", "inbound"}});
  if (version < LinkerdVersion::V2_20) {
    labels =
        label_text(labels, label_text({{"authority", authority_of(w.name_space, call.service)}}));
  }
  labels = label_text(label_text(labels, target), tls);
  side.requests =
      request_series(page, kEndpoint, share(label_text(label_text(labels, rules), authz)));
  for (const Call::Route& r : call.routes) {
    side.routes.push_back(inbound_route_series(server, call, r.name));
  }
  return side;
}

}  // namespace

RequestSeries request_series(Page& page, const RequestFamilies& families, LabelText labels) {
  RequestSeries out;
  out.request = page.series(families.request, labels);
  out.labels = std::move(labels);
  return out;
}

std::string response_labels(Outcome outcome, Protocol protocol) {
  const OutcomeLabels& o = labels_of(outcome, protocol);
  return label_text({{"status_code", o.status},
                     {"classification", o.failure ? "failure" : "success"},
                     {"grpc_status", o.grpc_status},
                     {"error", ""}});
}

void count_answers(Page& page, const RequestFamilies& families, RequestSeries& series,
                   const Answers& answers, const Distribution& latency) {
  if (answers.count <= 0) return;
  Response& response = series.responses[static_cast<std::size_t>(answers.outcome)];
  if (!response.total.valid()) {
    response.total = page.series(families.response, series.labels,
                                 response_labels(answers.outcome, answers.protocol));
    const OutcomeLabels& o = labels_of(answers.outcome, answers.protocol);
    response.latency =
        page.series(families.latency, series.labels, label_text({{"status_code", o.status}}));
  }
  page.add(response.total, answers.count);
  page.observe(response.latency, answers.count, latency);
}

TcpSeries tcp_series(Page& page, std::string_view direction, std::string_view peer,
                     const std::string& labels) {
  const LabelText text =
      share(label_text(label_text({{"direction", direction}, {"peer", peer}}), labels));
  return {.open = page.series(FamilyId::TcpOpen, text),
          .connections = page.series(FamilyId::TcpOpenConnections, text),
          .read = page.series(FamilyId::TcpReadBytes, text),
          .written = page.series(FamilyId::TcpWriteBytes, text),
          .closed = page.series(FamilyId::TcpClose, text, "errno=\"\"")};
}

void set_connections(Page& page, TcpSeries& tcp, double count) {
  const double change = count - tcp.held;
  if (change == 0) return;
  page.add(change > 0 ? tcp.open : tcp.closed, std::abs(change));
  page.set(tcp.connections, page.value(tcp.connections) + change);
  tcp.held = count;
}

ClientSide& client_side(Pod& client, const Call& call) {
  const auto found = std::find_if(client.calls_out.begin(), client.calls_out.end(),
                                  [&](const ClientSide& s) { return s.call == call.number; });
  if (found != client.calls_out.end()) return *found;
  return client.calls_out.emplace_back(new_client_side(client, call));
}

ServerSide& server_side(Pod& server, const Call& call, LinkerdVersion version) {
  const auto found = std::find_if(server.calls_in.begin(), server.calls_in.end(),
                                  [&](const ServerSide& s) { return s.call == call.number; });
  if (found != server.calls_in.end()) return *found;
  return server.calls_in.emplace_back(new_server_side(server, call, version));
}

ClientSide::Endpoint& endpoint_of(Pod& client, ClientSide& side, const Call& call,
                                  const Pod& server) {
  for (ClientSide::Endpoint& endpoint : side.endpoints) {
    if (endpoint.server == server.number) return endpoint;
  }
  Page& page = client.page;
  const std::string labels = endpoint_labels(server, call.service);
  ClientSide::Endpoint out{.server = server.number};
  out.tcp = tcp_series(page, "outbound", "dst", labels);
  out.refused = page.series(
      FamilyId::TcpClose,
      share(label_text(label_text({{"direction", "outbound"}, {"peer", "dst"}}), labels)),
      "errno=\"ECONNREFUSED\"");
  if (call.service.protocol == Protocol::Tcp) {
    out.refused_open = page.series(FamilyId::OutboundTcpErrors,
                                   share(label_text(target_labels(server.ip, call.service.port),
                                                    label_text({{"error", "i/o"}}))));
  } else {
    out.requests = request_series(
        page, kEndpoint, share(label_text(label_text({{"direction", "outbound"}}), labels)));
  }
  return side.endpoints.emplace_back(std::move(out));
}

}  // namespace tocsin::simulate
