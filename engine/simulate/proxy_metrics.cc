// SPDX-License-Identifier: Apache-2.0
#include "simulate/proxy_metrics.h"

#include <algorithm>

#include "simulate/call_series.h"
#include "simulate/labels.h"

namespace tocsin::simulate {
namespace {

constexpr std::int64_t kAdminPort = 4191;
constexpr double kScrapesPerSecond = 0.1;
constexpr double kProbesPerSecond = 0.2;  // Readiness and liveness, every ten seconds each.

const Distribution& quick() {
  static const Distribution d(0.6, 3);
  return d;
}
const Distribution& streams() {
  static const Distribution d(3, 40);
  return d;
}

// One address of the control plane, as a proxy sees it.
struct Address {
  std::string_view workload;
  std::string_view component;
  std::string_view service;
  std::int64_t port;
  double per_second;  // Of one proxy: streams that end, and certificates.
  double failures;    // At rest: streams are cut when a controller is busy.
  FamilyId endpoints;
  bool connected;  // At rest; the identity client is built on demand.
};
constexpr std::array<Address, 3> kAddresses = {{
    {"linkerd-destination", "destination", "linkerd-dst-headless", 8086, 0.02, 0.02,
     FamilyId::ControlDestinationBalancerEndpoints, true},
    {"linkerd-destination", "policy", "linkerd-policy", 8090, 0.01, 0.01,
     FamilyId::ControlPolicyBalancerEndpoints, true},
    {"linkerd-identity", "identity", "linkerd-identity-headless", 8080, 0.00002, 0,
     FamilyId::ControlIdentityBalancerEndpoints, false},
}};

constexpr double kRetriesPerSecond = 0.05;  // While nobody answers.

std::string_view proxy_version(LinkerdVersion version) {
  switch (version) {
    case LinkerdVersion::V2_14:
      return "2.210.4";
    case LinkerdVersion::V2_16:
      return "2.246.0";
    case LinkerdVersion::V2_20:
      return "2.359.0";
  }
  return "";
}

RequestSeries admin_requests(Page& page, const Pod& pod, LinkerdVersion version,
                             std::string_view route) {
  const WorkloadConfig nobody;  // The admin port has the default policy, whatever the app has.
  std::string labels = label_text({{"direction", "inbound"}});
  labels = label_text(labels, target_labels(pod.ip, kAdminPort));
  labels = label_text(labels, client_tls(""));
  labels = label_text(labels, server_policy(nobody, kAdminPort, version));
  labels = label_text(labels, inbound_route(route));
  return request_series(page, kEndpoint, share(label_text(labels, authorization(nobody, route))));
}

RequestSeries app_probes(Page& page, const Pod& pod, LinkerdVersion version) {
  const WorkloadConfig& w = *pod.workload;
  const std::int64_t port = w.services.front().port;
  std::string labels = label_text({{"direction", "inbound"}});
  labels = label_text(labels, target_labels(pod.ip, port));
  labels = label_text(labels, client_tls(""));
  labels = label_text(labels, server_policy(w, port, version));
  labels = label_text(labels, inbound_route("probe"));
  return request_series(page, kEndpoint, share(label_text(labels, authorization(w, "probe"))));
}

SeriesId allowed(Page& page, const Pod& pod, LinkerdVersion version, std::string_view route) {
  const WorkloadConfig nobody;
  std::string labels = target_labels(pod.ip, kAdminPort);
  labels = label_text(labels, server_policy(nobody, kAdminPort, version));
  labels = label_text(labels, inbound_route(route));
  labels = label_text(labels, authorization(nobody, route));
  return page.series(FamilyId::InboundHttpAuthzAllow, share(labels), client_tls(""));
}

void add_process(Page& page, LinkerdVersion version, OwnSeries& own) {
  const LabelText none = share("");
  own.start_time = page.series(FamilyId::ProcessStartTime, none);
  own.uptime = page.series(FamilyId::ProcessUptime, none);
  own.clock_time = page.series(FamilyId::ProcessClockTime, none);
  own.cpu = page.series(FamilyId::ProcessCpu, none);
  own.virtual_memory = page.series(FamilyId::ProcessVirtualMemory, none);
  own.resident_memory = page.series(FamilyId::ProcessResidentMemory, none);
  own.open_fds = page.series(FamilyId::ProcessOpenFds, none);
  own.max_fds = page.series(FamilyId::ProcessMaxFds, none);
  own.threads = page.series(FamilyId::ProcessThreads, none);
  own.build_info = page.series(FamilyId::ProxyBuildInfo,
                               share(label_text({{"date", "2026-06-11T15:03:16Z"},
                                                 {"git_sha", "29637b64f"},
                                                 {"profile", "release"},
                                                 {"vendor", "linkerd"},
                                                 {"version", proxy_version(version)}})));
  own.rustls_info = page.series(FamilyId::RustlsInfo,
                                share(label_text({{"tls_suites", "TLS13_AES_128_GCM_SHA256"},
                                                  {"tls_kx_groups", "X25519"},
                                                  {"tls_rand", "aws-lc-rs"},
                                                  {"tls_key_provider", "aws-lc-rs"},
                                                  {"tls_fips", "false"}})));
  own.expiration = page.series(FamilyId::IdentityExpiration, none);
  own.refresh_time = page.series(FamilyId::IdentityRefreshTime, none);
  own.refreshes_error =
      page.series(FamilyId::IdentityRefreshes, share(label_text({{"result", "error"}})));
  own.refreshes_ok =
      page.series(FamilyId::IdentityRefreshes, share(label_text({{"result", "ok"}})));
  own.old_expiration = page.series(FamilyId::OldIdentityExpiration, none);
  own.old_refresh_count = page.series(FamilyId::OldIdentityRefreshCount, none);
  const LabelText stack =
      share(label_text({{"direction", "inbound"}, {"protocol", "http"}, {"name", "logical"}}));
  own.stack_create = page.series(FamilyId::StackCreate, stack);
  own.stack_drop = page.series(FamilyId::StackDrop, stack);
}

OwnSeries own_series(Pod& pod, LinkerdVersion version) {
  Page& page = pod.page;
  OwnSeries own;
  own.scrapes = admin_requests(page, pod, version, "default");
  own.probes = admin_requests(page, pod, version, "probe");
  if (!pod.workload->services.empty() && pod.workload->services.front().protocol != Protocol::Tcp) {
    own.app_probes = app_probes(page, pod, version);
  }
  own.not_ready = page.series(FamilyId::Response, own.probes.labels,
                              label_text({{"status_code", "503"},
                                          {"classification", "failure"},
                                          {"grpc_status", ""},
                                          {"error", ""}}));
  own.scrapes_allowed = allowed(page, pod, version, "default");
  own.probes_allowed = allowed(page, pod, version, "probe");
  const WorkloadConfig nobody;
  own.admin =
      tcp_series(page, "inbound", "src",
                 label_text(label_text(target_labels("0.0.0.0", kAdminPort), client_tls("")),
                            server_policy(nobody, kAdminPort, version)));
  own.app = tcp_series(page, "inbound", "dst",
                       label_text({{"tls", "no_identity"}, {"no_tls_reason", "loopback"}}));
  add_process(page, version, own);
  return own;
}

void count_ok(Page& page, RequestSeries& series, double count) {
  if (series.labels == nullptr) return;
  page.add(series.request, count);
  count_answers(page, kEndpoint, series, {Outcome::Ok, Protocol::Http, count}, quick());
}

std::string address_of(const Address& address) {
  return std::string(address.service) +
         ".linkerd.svc.cluster.local:" + std::to_string(address.port);
}

std::vector<ControlSeries> control_series(Page& page) {
  std::vector<ControlSeries> out;
  for (const Address& address : kAddresses) {
    const std::string addr = label_text({{"addr", address_of(address)}});
    WorkloadConfig w{.name_space = std::string(kControlPlane)};
    w.service_account = std::string(address.workload);
    const std::string server = label_text({{"tls", "true"}, {"server_id", identity_of(w)}});
    ControlSeries series;
    series.requests = request_series(page, kControl, share(label_text(addr, server)));
    series.endpoints =
        page.series(address.endpoints, share(label_text({{"endpoint_state", "ready"}})), addr);
    if (address.component == "identity") {
      series.queued = page.series(FamilyId::ControlIdentityBalancerQueueRequests, share(addr));
    }
    out.push_back(std::move(series));
  }
  return out;
}

RequestSeries control_inbound(Pod& server, const Address& address, const std::string& client,
                              LinkerdVersion version) {
  const WorkloadConfig& w = *server.workload;
  std::string labels = label_text({{"direction", "inbound"}});
  labels = label_text(labels, target_labels(server.ip, address.port));
  labels = label_text(labels, client_tls(client));
  labels = label_text(labels, server_policy(w, address.port, version));
  labels = label_text(labels, inbound_route("default"));
  return request_series(server.page, kEndpoint,
                        share(label_text(labels, authorization(w, "default"))));
}

}  // namespace

void ProxyMetrics::step(const Population& population, const Step& step,
                        const FaultSchedule& faults) {
  asked_.clear();
  for (const auto& w : population.workloads()) {
    for (const auto& pod : w->pods) {
      if (pod->phase == ProxyPhase::BackingOff) continue;
      if (!pod->own) pod->own = own_series(*pod, version_);
      if (pod->control.empty()) pod->control = control_series(pod->page);
      step_admin(*pod, step);
      step_process(*pod, step);
      step_certificate(*pod);
      step_control(*pod, step, faults);
    }
  }
  step_control_servers(population);
}

void ProxyMetrics::step_admin(Pod& pod, const Step& step) const {
  Page& page = pod.page;
  OwnSeries& own = *pod.own;
  const double scrapes = kScrapesPerSecond * step.seconds;
  count_ok(page, own.scrapes, scrapes);
  page.add(own.scrapes_allowed, scrapes);
  page.add(own.admin.open, scrapes);
  page.add(own.admin.closed, scrapes);
  page.set(own.admin.connections, 1);
  page.add(own.admin.written, scrapes * 20000);
  page.add(own.admin.read, scrapes * 200);
  page.add(own.app.open, kProbesPerSecond * step.seconds);
  page.set(own.app.connections, 2);
  page.add(own.app.read, kProbesPerSecond * step.seconds * 400);
  page.add(own.app.written, kProbesPerSecond * step.seconds * 200);
  if (!pod.ready()) {
    // The startup probe asks every second.
    page.add(own.probes.request, step.seconds);
    page.add(own.not_ready, step.seconds);
    return;
  }
  const double probes = kProbesPerSecond * step.seconds;
  count_ok(page, own.probes, probes);
  count_ok(page, own.app_probes, probes);
  page.add(own.probes_allowed, probes);
}

void ProxyMetrics::step_process(Pod& pod, const Step& step) const {
  Page& page = pod.page;
  const OwnSeries& own = *pod.own;
  page.set(own.start_time, to_seconds(pod.proxy_started));
  page.set(own.uptime, to_seconds(step.now - pod.proxy_started));
  page.set(own.clock_time, to_seconds(step.now));
  page.add(own.cpu, 0.004 * step.seconds);
  page.set(own.virtual_memory, 178'000'000);
  page.set(own.resident_memory, 21'000'000 + 4096 * (pod.number % 512));
  page.set(own.open_fds, 40);
  page.set(own.max_fds, 1'048'576);
  page.set(own.threads, 2);
  page.set(own.build_info, 1);
  page.set(own.rustls_info, 1);
  if (page.value(own.stack_create) == 0) page.add(own.stack_create, 12);
  if (page.value(own.stack_drop) == 0) page.add(own.stack_drop, 4);
}

void ProxyMetrics::step_certificate(Pod& pod) const {
  Page& page = pod.page;
  const OwnSeries& own = *pod.own;
  const double expires = pod.leaf.issued() ? to_seconds(pod.leaf.expires()) : 0;
  page.set(own.expiration, expires);
  page.set(own.refresh_time, pod.leaf.issued() ? to_seconds(pod.leaf.refreshed()) : 0);
  page.set(own.refreshes_ok, pod.leaf.refreshes());
  page.set(own.refreshes_error, 0);
  page.set(own.old_expiration, expires);
  page.set(own.old_refresh_count, pod.leaf.refreshes());
}

void ProxyMetrics::step_control(Pod& pod, const Step& step, const FaultSchedule& faults) {
  Page& page = pod.page;
  auto& asked = asked_[identity_of(*pod.workload)];
  for (std::size_t i = 0; i < kAddresses.size(); ++i) {
    const Address& address = kAddresses[i];
    ControlSeries& series = pod.control[i];
    const bool down = faults.component_down(address.component);
    page.set(series.endpoints, address.connected && !down ? 1 : 0);
    const bool wants = address.connected || !pod.leaf.issued();
    double count = address.per_second * step.seconds;
    if (down && wants) count = kRetriesPerSecond * step.seconds;
    const double failed = down ? count : count * address.failures;
    page.add(series.queued, count);
    page.add(series.requests.request, count);
    count_answers(page, kControl, series.requests, {Outcome::Ok, Protocol::Grpc, count - failed},
                  streams());
    count_answers(page, kControl, series.requests, {Outcome::Unavailable, Protocol::Grpc, failed},
                  streams());
    if (!down) asked[i] += count;
  }
}

// The same requests, on the pages of those who answer.
void ProxyMetrics::step_control_servers(const Population& population) {
  for (std::size_t i = 0; i < kAddresses.size(); ++i) {
    const Address& address = kAddresses[i];
    const Workload* w = population.find("linkerd/" + std::string(address.workload));
    const std::vector<Pod*> servers = w == nullptr ? std::vector<Pod*>() : w->ready_pods();
    for (Pod* server : servers) {
      for (const auto& [client, counts] : asked_) {
        const double count = counts[i] / static_cast<double>(servers.size());
        if (count <= 0) continue;
        RequestSeries& series = server->control_in[{i, client}];
        if (series.labels == nullptr) series = control_inbound(*server, address, client, version_);
        server->page.add(series.request, count);
        const double failed = count * address.failures;
        count_answers(server->page, kEndpoint, series,
                      {Outcome::Ok, Protocol::Grpc, count - failed}, streams());
        count_answers(server->page, kEndpoint, series,
                      {Outcome::Unavailable, Protocol::Grpc, failed}, streams());
      }
    }
  }
}

}  // namespace tocsin::simulate
