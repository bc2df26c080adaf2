// SPDX-License-Identifier: Apache-2.0
#include "simulate/control_plane.h"

#include <array>

namespace tocsin::simulate {
namespace {

struct Container {
  std::string_view name;
  std::string_view workload;
  int port;
};
constexpr std::array<Container, 5> kContainers = {
    {{"destination", "linkerd-destination", 9996},
     {"sp-validator", "linkerd-destination", 9997},
     {"policy", "linkerd-destination", 9990},
     {"identity", "linkerd-identity", 9990},
     {"proxy-injector", "linkerd-proxy-injector", 9995}}};

// What a component's gRPC server answers, per proxy and second.
struct Method {
  std::string_view component;
  std::string_view type;
  std::string_view service;
  std::string_view method;
  std::string_view code;
  double per_second;
};
constexpr std::array<Method, 6> kMethods = {{
    {"destination", "server_stream", "io.linkerd.proxy.destination.Destination", "Get", "OK", 0.01},
    {"destination", "server_stream", "io.linkerd.proxy.destination.Destination", "Get",
     "Unavailable", 0.0004},
    {"destination", "server_stream", "io.linkerd.proxy.destination.Destination", "GetProfile", "OK",
     0.01},
    {"policy", "server_stream", "io.linkerd.proxy.outbound.OutboundPolicies", "Watch", "OK", 0.01},
    {"policy", "server_stream", "io.linkerd.proxy.inbound.InboundServerPolicies", "WatchPort", "OK",
     0.01},
    {"identity", "unary", "io.linkerd.proxy.identity.Identity", "Certify", "OK", 0.00002},
}};

const Distribution& informer_lag() {
  static const Distribution d(200, 900);
  return d;
}

void count_methods(Component& component, double proxy_seconds) {
  for (const Method& m : kMethods) {
    if (m.component != component.name) continue;
    const LabelText labels = share(label_text({{"grpc_code", m.code},
                                               {"grpc_method", m.method},
                                               {"grpc_service", m.service},
                                               {"grpc_type", m.type}}));
    const double count = m.per_second * proxy_seconds;
    component.page.add(component.page.series(FamilyId::GrpcServerHandled, labels), count);
    const LabelText started = share(label_text(
        {{"grpc_method", m.method}, {"grpc_service", m.service}, {"grpc_type", m.type}}));
    component.page.add(component.page.series(FamilyId::GrpcServerStarted, started), count);
  }
}

// The issuer certificate as identity has loaded it.
Duration issuer_rest(Duration rest, const FaultSchedule& faults) {
  for (const FaultConfig* fault : faults.active()) {
    if (fault->kind == FaultKind::IssuerExpiring) return fault->left;
  }
  return rest;
}

}  // namespace

ControlPlane::ControlPlane(const MeshConfig& config, Timestamp start)
    : start_(start), issuer_left_(config.issuer_left) {
  for (const Container& c : kContainers) {
    for (int replica = 0; replica < config.control_plane_replicas; ++replica) {
      components_.push_back({.name = std::string(c.name),
                             .workload = "linkerd/" + std::string(c.workload),
                             .port = c.port,
                             .replica = replica,
                             .page = Page(Page::Owner::Component, config.version)});
    }
  }
}

void ControlPlane::step(const Step& step, const Population& population,
                        const FaultSchedule& faults) {
  double proxies = 0;
  for (const auto& w : population.workloads()) proxies += static_cast<double>(w->pods.size());
  for (Component& component : components_) {
    component.page.set_time(step.now);
    if (faults.component_down(component.name)) continue;
    step_component(component, step, proxies);
    if (component.name != "identity") continue;
    const Duration rest = issuer_rest(issuer_left_ - (step.now - start_), faults);
    component.page.set(component.page.series(FamilyId::IssuerTtl, share("")), to_seconds(rest));
  }
}

void ControlPlane::step_component(Component& component, const Step& step, double proxies) {
  Page& page = component.page;
  const LabelText none = share("");
  page.set(page.series(FamilyId::GoGoroutines, none), 80 + proxies);
  page.add(page.series(FamilyId::GoProcessCpu, none), 0.002 * step.seconds);
  page.set(page.series(FamilyId::GoProcessResidentMemory, none), 42'000'000);
  page.set(page.series(FamilyId::GoProcessStartTime, none),
           to_seconds(start_ - std::chrono::hours(30)));
  count_methods(component, proxies * step.seconds);
  if (component.name == "destination") {
    page.observe(page.series(FamilyId::InformerLag, none), 0.05 * step.seconds, informer_lag());
    page.add(page.series(FamilyId::EndpointUpdatesOverflow, none), 0);
  }
  if (component.name == "proxy-injector") {
    const LabelText by = share(label_text({{"annotation_at", "namespace"},
                                           {"namespace", "emojivoto"},
                                           {"owner_kind", "deployment"}}));
    page.add(page.series(FamilyId::InjectRequests, by), 0.002 * step.seconds);
    page.add(page.series(FamilyId::InjectResponses, by,
                         label_text({{"skip", "false"}, {"skip_reason", ""}})),
             0.002 * step.seconds);
  }
}

}  // namespace tocsin::simulate
