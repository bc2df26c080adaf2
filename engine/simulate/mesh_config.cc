// SPDX-License-Identifier: Apache-2.0
#include "simulate/mesh_config.h"

#include <algorithm>

#include "simulate/demo_mesh.h"

namespace tocsin::simulate {
namespace {

constexpr std::size_t kReplicas = 2;
constexpr std::size_t kWorkloadsPerNamespace = 25;

std::string namespace_of(std::size_t workload) {
  return "team-" + std::to_string(workload / kWorkloadsPerNamespace);
}
std::string name_of_workload(std::size_t workload) { return "app-" + std::to_string(workload); }

WorkloadConfig numbered_workload(std::size_t i, std::size_t replicas) {
  WorkloadConfig w;
  w.name_space = namespace_of(i);
  w.name = name_of_workload(i);
  w.replicas = static_cast<std::int64_t>(replicas);
  w.services.push_back({.name = w.name});
  if (i % 4 == 3) w.services.front().protocol = Protocol::Grpc;
  return w;
}

CallConfig numbered_call(std::size_t from, std::size_t to) {
  CallConfig call;
  call.from = namespace_of(from) + "/" + name_of_workload(from);
  call.to = namespace_of(to) + "/" + name_of_workload(to);
  call.rate = 15;
  call.client_errors = 0;  // Each status has a histogram of its own.
  if (from % 4 != 0) call.server_errors = 0;
  return call;
}

}  // namespace

const std::vector<std::pair<std::string_view, FaultKind>>& fault_words() {
  static const std::vector<std::pair<std::string_view, FaultKind>> words = {
      {"server_errors", FaultKind::ServerErrors},
      {"client_errors", FaultKind::ClientErrors},
      {"grpc_errors", FaultKind::GrpcErrors},
      {"slow", FaultKind::Slow},
      {"spike", FaultKind::Spike},
      {"drop", FaultKind::Drop},
      {"hang", FaultKind::Hang},
      {"scale_to_zero", FaultKind::ScaleToZero},
      {"component_down", FaultKind::ComponentDown},
      {"missed_refresh", FaultKind::MissedRefresh},
      {"issuer_expiring", FaultKind::IssuerExpiring},
      {"crash_loop", FaultKind::CrashLoop},
      {"rollout", FaultKind::Rollout},
      {"scrape_gap", FaultKind::ScrapeGap},
      {"deny", FaultKind::Deny},
      {"tcp_errors", FaultKind::TcpErrors},
  };
  return words;
}

std::string_view name_of(FaultKind kind) {
  for (const auto& [word, value] : fault_words()) {
    if (value == kind) return word;
  }
  return "";
}

MeshConfig MeshConfig::demo() {
  Diagnostics diagnostics;
  const auto document = yaml::Document::parse("demo.yaml", kDemoMesh, diagnostics);
  return read_mesh(document, diagnostics);
}

// A binary tree of workloads: each calls two others and is called by one.
MeshConfig MeshConfig::sized(std::size_t proxies) {
  MeshConfig config;
  const std::size_t workloads = (proxies + kReplicas - 1) / kReplicas;
  for (std::size_t i = 0; i < workloads; ++i) {
    const std::size_t left = proxies - i * kReplicas;
    config.workloads.push_back(numbered_workload(i, std::min(left, kReplicas)));
    for (const std::size_t next : {2 * i + 1, 2 * i + 2}) {
      if (next < workloads) config.calls.push_back(numbered_call(i, next));
    }
  }
  if (workloads > 0) {
    CallConfig front = numbered_call(0, 0);
    front.from.clear();
    config.calls.push_back(std::move(front));
  }
  return config;
}

}  // namespace tocsin::simulate
