// SPDX-License-Identifier: Apache-2.0
//
// The label sets of a proxy's series, in the order in which a proxy prints them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "simulate/mesh_config.h"
#include "simulate/pod.h"

namespace tocsin::simulate {

inline constexpr std::string_view kControlPlane = "linkerd";

// "deployment", "statefulset", "daemonset": the label that a workload of the kind has.
std::string_view kind_label(WorkloadKind kind);

// "web.emojivoto.serviceaccount.identity.linkerd.cluster.local"
std::string identity_of(const WorkloadConfig& workload);
// "web-svc.emojivoto.svc.cluster.local:80"
std::string authority_of(std::string_view name_space, const ServiceConfig& service);

// target_addr, target_ip, target_port
std::string target_labels(std::string_view ip, std::int64_t port);
// tls and the name of the other side; empty: it is outside the mesh.
std::string client_tls(std::string_view client_id);
// authority, target_*, tls, server_id and dst_* of one endpoint; without `direction`.
std::string endpoint_labels(const Pod& server, const ServiceConfig& service);

// srv_*, with srv_port from 2.18 on.
std::string server_policy(const WorkloadConfig& workload, std::int64_t port,
                          LinkerdVersion version);
// route_* and authz_*; `route` is "default" or "probe".
std::string inbound_route(std::string_view route);
std::string authorization(const WorkloadConfig& workload, std::string_view route);

// parent_* and route_* of outbound_…_route_…
std::string parent_route(std::string_view name_space, const ServiceConfig& service,
                         std::string_view route);
std::string parent_labels(std::string_view name_space, const ServiceConfig& service);
std::string backend_labels(std::string_view name_space, const ServiceConfig& service);
// parent_* and route_* of inbound_…_requests_total
std::string inbound_parent(const WorkloadConfig& workload, std::int64_t port);

}  // namespace tocsin::simulate
