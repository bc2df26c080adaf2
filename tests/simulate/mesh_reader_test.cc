// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <set>

#include "base/file.h"
#include "simulate/mesh_config.h"

namespace tocsin::simulate {
namespace {

using namespace std::chrono_literals;

MeshConfig read(const std::string& text, Diagnostics& diagnostics) {
  return read_mesh(yaml::Document::parse("mesh.yaml", text, diagnostics), diagnostics);
}

TEST_CASE("the examples have no mistakes") {
  for (const char* name : {"small.yaml", "demo.yaml"}) {
    const auto text = read_file(std::string(TOCSIN_SOURCE_DIR) + "/examples/meshes/" + name);
    REQUIRE(text);
    Diagnostics diagnostics;
    const MeshConfig config = read(*text, diagnostics);
    CHECK_MESSAGE(diagnostics.empty(), diagnostics.text());
    CHECK(config.workloads.size() >= 3);
  }
}

TEST_CASE("everything that is written is read") {
  Diagnostics diagnostics;
  const MeshConfig config = read(R"(
linkerd: "2.16"
workloads:
  - name: a
    namespace: n
    kind: daemonset
    replicas: 4
    services: [{name: s, port: 99, protocol: grpc, route_kind: grpc_route, routes: [{name: r, share: 2}]}]
calls: [{from: n/a, to: n/s, rate: 0.5, server_errors: 3%}]
faults: [{fault: drop, workload: n/a, start: 1m, end: 2m}]
)",
                                 diagnostics);
  CHECK_MESSAGE(diagnostics.empty(), diagnostics.text());
  CHECK(config.version == LinkerdVersion::V2_16);
  REQUIRE(config.workloads.size() == 1);
  CHECK(config.workloads[0].kind == WorkloadKind::DaemonSet);
  CHECK(config.workloads[0].services[0].routes[0].share == 2);
  REQUIRE(config.calls.size() == 1);
  CHECK(config.calls[0].server_errors == doctest::Approx(0.03));
  REQUIRE(config.faults.size() == 1);
  CHECK(config.faults[0].factor == doctest::Approx(0.1));
  CHECK(config.faults[0].end == 2min);
}

TEST_CASE("a name that nothing has is an error where it stands") {
  struct Row {
    const char* line;
    const char* complaint;
  };
  for (const Row& row : std::vector<Row>{
           {"calls: [{to: n/t}]", "there is no service 'n/t'"},
           {"calls: [{from: n/b, to: n/s}]", "there is no workload 'n/b'"},
           {"calls: [{to: n/s, server_errors: 120%}]", "must be a share between 0 and 1"},
           {"faults: [{fault: slow, start: 1m, end: 2m}]", "'workload' is missing"},
           {"faults: [{fault: slow, workload: n/a, start: 2m, end: 1m}]", "'end' is not after"},
           {"faults: [{fault: slwo, workload: n/a, start: 1m, end: 2m}]", "is 'slwo'"},
           {"faults: [{fault: component_down, component: web, start: 1m, end: 2m}]",
            "'component' must be destination"},
           {"replicas: 2", "unknown key 'replicas'"}}) {
    Diagnostics diagnostics;
    read(std::string("workloads: [{name: a, namespace: n, services: [{name: s}]}]\n") + row.line,
         diagnostics);
    REQUIRE_MESSAGE(diagnostics.has_errors(), row.line);
    CHECK(diagnostics.text().find(row.complaint) != std::string::npos);
    CHECK(diagnostics.all()[0].place.line == 2);
  }
}

TEST_CASE("in the demo each failure mode happens to another workload, within half an hour") {
  const MeshConfig config = MeshConfig::demo();
  std::set<std::string> hit;
  std::set<FaultKind> kinds;
  for (const FaultConfig& fault : config.faults) {
    CHECK(fault.start >= 3min);
    CHECK(fault.end <= 30min);
    CHECK(hit.insert(fault.workload + fault.component).second);
    kinds.insert(fault.kind);
    if (fault.kind == FaultKind::Spike) CHECK(fault.start >= 18min);
  }
  for (const FaultKind kind :
       {FaultKind::ServerErrors, FaultKind::Slow, FaultKind::Spike, FaultKind::ComponentDown,
        FaultKind::MissedRefresh, FaultKind::CrashLoop, FaultKind::TcpErrors}) {
    CHECK(kinds.contains(kind));
  }
}

}  // namespace
}  // namespace tocsin::simulate
