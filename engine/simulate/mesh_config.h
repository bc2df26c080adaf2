// SPDX-License-Identifier: Apache-2.0
//
// What a simulated mesh consists of: workloads, who calls whom and how often, how long answers
// take, and what goes wrong when. It says nothing about how the mesh behaves; that is mesh.h.
// Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/diagnostics.h"
#include "yaml/document.h"

namespace tocsin::simulate {

// Each prints the metric names of its time. In order of age.
enum class LinkerdVersion { V2_14, V2_16, V2_20 };
enum class WorkloadKind { Deployment, StatefulSet, DaemonSet };
enum class Protocol { Http, Grpc, Tcp };
enum class RouteKind { Default, ServiceProfile, HttpRoute, GrpcRoute };

struct RouteConfig {
  std::string name;
  double share = 1;   // Of the service's requests, relative to the other routes.
  double slower = 1;  // Times the call's latency.
};

struct ServiceConfig {
  std::string name;
  std::int64_t port = 8080;
  Protocol protocol = Protocol::Http;
  RouteKind route_kind = RouteKind::Default;
  std::vector<RouteConfig> routes;  // Empty exactly where route_kind is Default.
};

// A Server and the AuthorizationPolicy for it; without one, everybody may ask.
struct PolicyConfig {
  std::string server;
  std::string authorization;
};

struct WorkloadConfig {
  std::string name_space;
  std::string name;
  WorkloadKind kind = WorkloadKind::Deployment;
  std::int64_t replicas = 2;
  std::string service_account = "default";
  std::vector<ServiceConfig> services;
  std::optional<PolicyConfig> policy;

  std::string id() const { return name_space + "/" + name; }
};

// One client workload that calls one service. From outside the mesh where `from` is empty.
struct CallConfig {
  std::string from;  // "namespace/workload"
  std::string to;    // "namespace/service"
  double rate = 10;  // Per second, of the whole workload: requests, or connections of TCP.
  double median_ms = 8;
  double p99_ms = 60;
  double server_errors = 0.0005;  // Shares of the answers, when all is well.
  double client_errors = 0.01;
  // Share of failed calls that make the caller's own answers fail: how a cascade begins.
  double propagates = 0;
  double bytes = 2000;             // Per answer, or per TCP connection.
  double connection_seconds = 20;  // How long a TCP connection stays open.
};

enum class FaultKind {
  ServerErrors,    // The app answers 503 to `ratio` of the requests.
  ClientErrors,    // 404: a success to Linkerd.
  GrpcErrors,      // grpc-status 13 behind HTTP's 200.
  Slow,            // Latency times `factor`.
  Spike,           // Traffic times `factor`.
  Drop,            // Traffic times `factor`, which is below 1.
  Hang,            // `ratio` of the clients give up before there is an answer.
  ScaleToZero,     // No pod is left.
  ComponentDown,   // A component of the control plane answers nobody.
  MissedRefresh,   // Leaf certificates are not renewed and have `remaining` of their life left.
  IssuerExpiring,  // The issuer certificate has `left` to live.
  CrashLoop,       // The proxies of `pods` pods restart again and again.
  Rollout,         // Every pod is replaced, one after another.
  ScrapeGap,       // Pages are not served; of one workload, or of all.
  Deny,            // Policy refuses `ratio` of the requests.
  TcpErrors,       // `ratio` of the connections are refused.
};

// "server_errors", the word of the YAML.
std::string_view name_of(FaultKind kind);
const std::vector<std::pair<std::string_view, FaultKind>>& fault_words();

struct FaultConfig {
  FaultKind kind = FaultKind::ServerErrors;
  Duration start{};  // Since the beginning of the mesh.
  Duration end{};
  std::string workload;   // "namespace/workload"
  std::string from;       // Only calls of this workload; empty: all.
  std::string route;      // Only this route; empty: all.
  std::string component;  // "identity"
  double ratio = 0.2;
  double factor = 5;
  std::int64_t pods = 1;
  double remaining = 0.25;
  Duration left = std::chrono::hours(12);
};

struct MeshConfig {
  LinkerdVersion version = LinkerdVersion::V2_20;
  Duration leaf_lifetime = std::chrono::hours(24);
  Duration issuer_left = std::chrono::hours(24 * 300);
  std::int64_t control_plane_replicas = 1;
  std::vector<WorkloadConfig> workloads;
  std::vector<CallConfig> calls;
  std::vector<FaultConfig> faults;

  // The mesh of `tocsin demo`, examples/meshes/demo.yaml: within half an hour each failure mode
  // happens to another workload and ends again.
  static MeshConfig demo();
  // A healthy mesh with that many proxies of about 300 series each, control plane aside.
  static MeshConfig sized(std::size_t proxies);
};

// Why a fault would happen nowhere, as a sentence; nothing where it says what it is to happen to.
std::optional<std::string> missing_target(const FaultConfig& fault);

// Reads the format that examples/meshes/small.yaml explains. Complaints go to `diagnostics`, those
// about calls and faults that name what does not exist included.
MeshConfig read_mesh(const yaml::Document& document, Diagnostics& diagnostics);

}  // namespace tocsin::simulate
