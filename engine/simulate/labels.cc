// SPDX-License-Identifier: Apache-2.0
#include "simulate/labels.h"

#include <map>

namespace tocsin::simulate {
namespace {

std::string name_of_route(const ServiceConfig& service, std::string_view route) {
  if (service.route_kind != RouteKind::Default) return std::string(route);
  return service.protocol == Protocol::Tcp ? "opaq" : "http";
}

std::string_view kind_of_route(RouteKind kind) {
  switch (kind) {
    case RouteKind::HttpRoute:
      return "HTTPRoute";
    case RouteKind::GrpcRoute:
      return "GRPCRoute";
    case RouteKind::Default:
    case RouteKind::ServiceProfile:
      break;
  }
  return "default";
}

constexpr std::string_view kDefaultPolicy = "all-unauthenticated";

}  // namespace

std::string_view kind_label(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::Deployment:
      return "deployment";
    case WorkloadKind::StatefulSet:
      return "statefulset";
    case WorkloadKind::DaemonSet:
      return "daemonset";
  }
  return "deployment";
}

std::string identity_of(const WorkloadConfig& workload) {
  return workload.service_account + "." + workload.name_space +
         ".serviceaccount.identity.linkerd.cluster.local";
}

std::string authority_of(std::string_view name_space, const ServiceConfig& service) {
  return service.name + "." + std::string(name_space) +
         ".svc.cluster.local:" + std::to_string(service.port);
}

std::string target_labels(std::string_view ip, std::int64_t port) {
  const std::string port_text = std::to_string(port);
  return label_text({{"target_addr", std::string(ip) + ":" + port_text},
                     {"target_ip", ip},
                     {"target_port", port_text}});
}

std::string client_tls(std::string_view client_id) {
  if (!client_id.empty()) return label_text({{"tls", "true"}, {"client_id", client_id}});
  return label_text({{"tls", "no_identity"}, {"no_tls_reason", "no_tls_from_remote"}});
}

std::string endpoint_labels(const Pod& server, const ServiceConfig& service) {
  const WorkloadConfig& w = *server.workload;
  const bool hashed = w.kind == WorkloadKind::Deployment;
  std::map<std::string, std::string> dst = {
      {"control_plane_ns", std::string(kControlPlane)},
      {std::string(kind_label(w.kind)), w.name},
      {"namespace", w.name_space},
      {"pod", server.name},
      {hashed ? "pod_template_hash" : "controller_revision_hash", server.template_hash},
      {"service", service.name},
      {"serviceaccount", w.service_account},
      {"zone", ""},
      {"zone_locality", "unknown"}};
  std::string out = label_text({{"authority", authority_of(w.name_space, service)}});
  out = label_text(out, target_labels(server.ip, service.port));
  out = label_text(out, label_text({{"tls", "true"}, {"server_id", identity_of(w)}}));
  for (const auto& [name, value] : dst) {
    out = label_text(out, label_text({{"dst_" + name, value}}));
  }
  return out;
}

std::string server_policy(const WorkloadConfig& workload, std::int64_t port,
                          LinkerdVersion version) {
  std::string out =
      label_text({{"srv_group", ""}, {"srv_kind", "default"}, {"srv_name", kDefaultPolicy}});
  if (workload.policy) {
    out = label_text({{"srv_group", "policy.linkerd.io"},
                      {"srv_kind", "server"},
                      {"srv_name", workload.policy->server}});
  }
  if (version < LinkerdVersion::V2_20) return out;
  return label_text(out, label_text({{"srv_port", std::to_string(port)}}));
}

std::string inbound_route(std::string_view route) {
  return label_text({{"route_group", ""}, {"route_kind", "default"}, {"route_name", route}});
}

std::string authorization(const WorkloadConfig& workload, std::string_view route) {
  if (workload.policy && route != "probe") {
    return label_text({{"authz_group", "policy.linkerd.io"},
                       {"authz_kind", "authorizationpolicy"},
                       {"authz_name", workload.policy->authorization}});
  }
  const std::string_view name = route == "probe" ? route : kDefaultPolicy;
  return label_text({{"authz_group", ""}, {"authz_kind", "default"}, {"authz_name", name}});
}

std::string parent_labels(std::string_view name_space, const ServiceConfig& service) {
  return label_text({{"parent_group", "core"},
                     {"parent_kind", "Service"},
                     {"parent_namespace", name_space},
                     {"parent_name", service.name},
                     {"parent_port", std::to_string(service.port)},
                     {"parent_section_name", ""}});
}

std::string parent_route(std::string_view name_space, const ServiceConfig& service,
                         std::string_view route) {
  const bool by_default = kind_of_route(service.route_kind) == "default";
  return label_text(parent_labels(name_space, service),
                    label_text({{"route_group", by_default ? "" : "gateway.networking.k8s.io"},
                                {"route_kind", kind_of_route(service.route_kind)},
                                {"route_namespace", by_default ? "" : name_space},
                                {"route_name", name_of_route(service, route)}}));
}

std::string backend_labels(std::string_view name_space, const ServiceConfig& service) {
  return label_text({{"backend_group", "core"},
                     {"backend_kind", "Service"},
                     {"backend_namespace", name_space},
                     {"backend_name", service.name},
                     {"backend_port", std::to_string(service.port)},
                     {"backend_section_name", ""}});
}

std::string inbound_parent(const WorkloadConfig& workload, std::int64_t port) {
  const bool by_default = !workload.policy;
  return label_text({{"parent_group", by_default ? "" : "policy.linkerd.io"},
                     {"parent_kind", by_default ? "default" : "server"},
                     {"parent_name", by_default ? kDefaultPolicy : workload.policy->server},
                     {"parent_port", std::to_string(port)},
                     {"route_group", ""},
                     {"route_kind", "default"},
                     {"route_name", "default"}});
}

}  // namespace tocsin::simulate
