// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "simulate/mesh_config.h"
#include "tocsin/sample.h"
#include "yaml/mapping.h"

namespace tocsin::simulate {
namespace {

using yaml::Mapping;
using yaml::Reporter;

// A share: "2%" or 0.02.
struct Share {
  double value = 0;
};

bool convert(const yaml::Node& node, std::string_view name, Reporter& report, Share& out) {
  std::string_view text = node.text();
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const std::optional<double> number = node.is_scalar() ? parse_number(text) : std::nullopt;
  const double share = number.value_or(-1) / (percent ? 100 : 1);
  if (!(share >= 0 && share <= 1)) {
    report.error(node, "type", "'" + std::string(name) + "' must be a share between 0 and 1",
                 "write 2% or 0.02");
    return false;
  }
  out.value = share;
  return true;
}

void read_share(Mapping& m, std::string_view key, double& out) {
  Share share;
  if (m.read(key, share)) out = share.value;
}

void read_positive(Mapping& m, std::string_view key, double& out) {
  if (m.read(key, out) && !(out > 0)) {
    m.error(key, "'" + std::string(key) + "' must be greater than zero");
  }
}

void read_route(Mapping& m, RouteConfig& route) {
  m.require("name", route.name);
  read_positive(m, "share", route.share);
  read_positive(m, "slower", route.slower);
}

void read_service(Mapping& m, ServiceConfig& service) {
  m.require("name", service.name);
  m.read("port", service.port);
  m.choice("protocol", service.protocol,
           {{"http", Protocol::Http}, {"grpc", Protocol::Grpc}, {"tcp", Protocol::Tcp}});
  m.choice("route_kind", service.route_kind,
           {{"service_profile", RouteKind::ServiceProfile},
            {"http_route", RouteKind::HttpRoute},
            {"grpc_route", RouteKind::GrpcRoute}});
  m.read("routes", service.routes, read_route);
  if (service.routes.empty() != (service.route_kind == RouteKind::Default)) {
    m.error_here("'route_kind' and 'routes' belong together");
  }
}

void read_policy(Mapping& m, PolicyConfig& policy) {
  m.require("server", policy.server);
  m.require("authorization", policy.authorization);
}

void read_workload(Mapping& m, WorkloadConfig& w) {
  m.require("name", w.name);
  m.require("namespace", w.name_space);
  m.choice("kind", w.kind,
           {{"deployment", WorkloadKind::Deployment},
            {"statefulset", WorkloadKind::StatefulSet},
            {"daemonset", WorkloadKind::DaemonSet}});
  if (m.read("replicas", w.replicas) && w.replicas < 1) {
    m.error("replicas", "'replicas' must be at least 1");
  }
  m.read("service_account", w.service_account);
  m.read("services", w.services, read_service);
  m.read("policy", w.policy, read_policy);
}

bool has_workload(const MeshConfig& config, const std::string& id) {
  return std::any_of(config.workloads.begin(), config.workloads.end(),
                     [&](const WorkloadConfig& w) { return w.id() == id; });
}

bool has_service(const MeshConfig& config, const std::string& id) {
  for (const WorkloadConfig& w : config.workloads) {
    for (const ServiceConfig& service : w.services) {
      if (w.name_space + "/" + service.name == id) return true;
    }
  }
  return false;
}

void check_workload(Mapping& m, std::string_view key, const std::string& id,
                    const MeshConfig& config) {
  if (id.empty() || has_workload(config, id)) return;
  std::vector<std::string> ids;
  for (const WorkloadConfig& w : config.workloads) ids.push_back(w.id());
  const std::string near = nearest(id, ids);
  m.error(key, "there is no workload '" + id + "'",
          near.empty() ? "write it as namespace/name" : "did you mean '" + near + "'?");
}

void read_call(Mapping& m, const MeshConfig& config, CallConfig& call) {
  m.read("from", call.from);
  check_workload(m, "from", call.from, config);
  if (m.require("to", call.to) && !has_service(config, call.to)) {
    m.error("to", "there is no service '" + call.to + "'", "write it as namespace/service");
  }
  read_positive(m, "rate", call.rate);
  read_positive(m, "median_ms", call.median_ms);
  read_positive(m, "p99_ms", call.p99_ms);
  read_share(m, "server_errors", call.server_errors);
  read_share(m, "client_errors", call.client_errors);
  read_share(m, "propagates", call.propagates);
  read_positive(m, "bytes", call.bytes);
  read_positive(m, "connection_seconds", call.connection_seconds);
  if (call.p99_ms < call.median_ms) m.error("p99_ms", "'p99_ms' is below 'median_ms'");
}

constexpr std::array<std::string_view, 5> kComponents = {"destination", "identity", "policy",
                                                         "proxy-injector", "sp-validator"};

void check_target(Mapping& m, const MeshConfig& config, const FaultConfig& fault) {
  if (const auto missing = missing_target(fault)) m.error_here(*missing);
  check_workload(m, "workload", fault.workload, config);
  check_workload(m, "from", fault.from, config);
  if (fault.end <= fault.start) m.error("end", "'end' is not after 'start'");
}

void read_fault(Mapping& m, const MeshConfig& config, FaultConfig& fault) {
  if (!m.has("fault")) m.error_here("'fault' is missing");
  m.choice("fault", fault.kind, fault_words());
  if (fault.kind == FaultKind::Drop) fault.factor = 0.1;
  m.require("start", fault.start);
  m.require("end", fault.end);
  m.read("workload", fault.workload);
  m.read("from", fault.from);
  m.read("route", fault.route);
  m.read("component", fault.component);
  read_share(m, "ratio", fault.ratio);
  read_positive(m, "factor", fault.factor);
  m.read("pods", fault.pods);
  read_share(m, "remaining", fault.remaining);
  m.read("left", fault.left);
  check_target(m, config, fault);
}

void read_config(Mapping& m, MeshConfig& config) {
  m.choice("linkerd", config.version,
           {{"2.14", LinkerdVersion::V2_14},
            {"2.16", LinkerdVersion::V2_16},
            {"2.20", LinkerdVersion::V2_20}});
  m.read("leaf_lifetime", config.leaf_lifetime);
  m.read("issuer_left", config.issuer_left);
  m.read("control_plane_replicas", config.control_plane_replicas);
  m.require("workloads", config.workloads, read_workload);
  m.read("calls", config.calls,
         [&](Mapping& call, CallConfig& out) { read_call(call, config, out); });
  m.read("faults", config.faults,
         [&](Mapping& fault, FaultConfig& out) { read_fault(fault, config, out); });
}

}  // namespace

std::optional<std::string> missing_target(const FaultConfig& fault) {
  const bool anywhere =
      fault.kind == FaultKind::IssuerExpiring || fault.kind == FaultKind::ScrapeGap;
  if (fault.kind == FaultKind::ComponentDown) {
    const bool is_there =
        std::find(kComponents.begin(), kComponents.end(), fault.component) != kComponents.end();
    if (is_there) return std::nullopt;
    return "'component' must be destination, identity, policy, proxy-injector or sp-validator";
  }
  if (fault.workload.empty() && !anywhere) return "'workload' is missing";
  return std::nullopt;
}

MeshConfig read_mesh(const yaml::Document& document, Diagnostics& diagnostics) {
  MeshConfig config;
  Reporter report(diagnostics, "mesh");
  yaml::read_object(document.root(), report, config, read_config, "the mesh");
  return config;
}

}  // namespace tocsin::simulate
