// SPDX-License-Identifier: Apache-2.0
//
// What each fault moves, and what it leaves quiet.
#include <doctest/doctest.h>

#include "simulate/mesh.h"
#include "simulate/pages.h"

namespace tocsin::simulate {
namespace {

using namespace std::chrono_literals;

// A mesh with one fault from the second minute on, before and in it.
class FaultyMesh {
 public:
  explicit FaultyMesh(FaultConfig fault, MeshConfig config = small_mesh())
      : mesh_(with(std::move(config), std::move(fault)), kStart) {
    mesh_.advance(kStart + 59s);
  }

  Mesh& mesh() { return mesh_; }
  void at(Duration elapsed) { mesh_.advance(kStart + elapsed); }

  // Over the pages of the workload.
  double now(const std::string& workload, const std::string& name, const Wanted& wanted = {}) {
    const auto kind = workload == "store" ? "statefulset" : "deployment";
    return sum_of(pages_with(mesh_, kind, workload), name, wanted);
  }
  // How much it grows in the next minute.
  double growth(const std::string& workload, const std::string& name, const Wanted& wanted = {}) {
    Mesh copy_of_time = Mesh(config_, kStart);
    copy_of_time.advance(mesh_.now() + 1min);
    const auto kind = workload == "store" ? "statefulset" : "deployment";
    return sum_of(pages_with(copy_of_time, kind, workload), name, wanted) -
           now(workload, name, wanted);
  }

 private:
  MeshConfig with(MeshConfig config, FaultConfig fault) {
    fault.start = 1min;
    fault.end = 6min;
    config.faults.push_back(std::move(fault));
    config_ = config;
    return config;
  }

  MeshConfig config_;
  Mesh mesh_;
};

FaultConfig on_back(FaultKind kind, double ratio = 0.2) {
  FaultConfig fault;
  fault.kind = kind;
  fault.workload = "shop/back";
  fault.ratio = ratio;
  return fault;
}

const Wanted kInbound = {
    {"direction", "inbound"}, {"target_port", "8080"}, {"route_name", "default"}};
const Wanted kOutbound = {{"direction", "outbound"}, {"dst_deployment", "back"}};

Wanted with(Wanted wanted, const std::string& name, const std::string& value) {
  wanted.emplace_back(name, value);
  return wanted;
}

TEST_CASE("server errors fail on both sides, under a status that was not there before") {
  FaultyMesh m(on_back(FaultKind::ServerErrors));
  CHECK(m.now("back", "response_total", with(kInbound, "status_code", "503")) == 0);
  const double asked = 30 * 60;
  CHECK(m.growth("back", "response_total", with(kInbound, "classification", "failure")) ==
        doctest::Approx(0.2 * asked).epsilon(0.15));
  CHECK(m.growth("front", "response_total", with(kOutbound, "status_code", "503")) ==
        doctest::Approx(0.2 * asked).epsilon(0.15));
  CHECK(m.growth("front", "outbound_http_route_request_statuses_total",
                 {{"http_status", "503"}, {"parent_name", "back"}}) ==
        doctest::Approx(0.2 * asked).epsilon(0.15));
  CHECK(m.growth("front", "response_total",
                 with({{"direction", "inbound"}, {"target_port", "8080"}}, "status_code", "503")) ==
        0);
  m.at(7min);
  CHECK(m.growth("back", "response_total", with(kInbound, "status_code", "503")) == 0);
}

TEST_CASE("client errors are successes") {
  FaultyMesh m(on_back(FaultKind::ClientErrors, 0.5));
  CHECK(m.growth("back", "response_total", with(kInbound, "status_code", "404")) > 700);
  CHECK(m.growth("back", "response_total", with(kInbound, "classification", "failure")) < 5);
}

TEST_CASE("a gRPC failure stands behind the status 200") {
  MeshConfig config = small_mesh();
  config.workloads[1].services[0].protocol = Protocol::Grpc;
  FaultyMesh m(on_back(FaultKind::GrpcErrors), config);
  CHECK(m.growth("back", "response_total",
                 {{"classification", "failure"}, {"status_code", "200"}, {"grpc_status", "13"}}) >
        300);
  CHECK(m.growth("front", "outbound_http_route_request_statuses_total", {{"http_status", "500"}}) ==
        0);
  CHECK(m.growth("front", "outbound_http_route_request_statuses_total", {{"http_status", "200"}}) >
        1500);
}

TEST_CASE("a slow service is slow on both sides, without an error") {
  FaultConfig fault = on_back(FaultKind::Slow);
  fault.factor = 100;
  FaultyMesh m(fault);
  const double answers = m.growth("back", "response_latency_ms_count", kInbound);
  CHECK(m.growth("back", "response_latency_ms_bucket", with(kInbound, "le", "500.0")) <
        0.5 * answers);
  CHECK(m.growth("front", "response_latency_ms_bucket", with(kOutbound, "le", "500.0")) <
        0.5 * answers);
  CHECK(m.growth("back", "response_total", with(kInbound, "classification", "failure")) < 5);
}

TEST_CASE("a spike and a drop change the traffic of the workload alone") {
  for (const double factor : {6.0, 0.1}) {
    FaultConfig fault = on_back(factor > 1 ? FaultKind::Spike : FaultKind::Drop);
    fault.factor = factor;
    FaultyMesh m(fault);
    CHECK(m.growth("back", "request_total", kInbound) ==
          doctest::Approx(factor * 1800).epsilon(0.2));
    CHECK(m.growth("front", "request_total", kInbound) == doctest::Approx(1200).epsilon(0.12));
  }
}

TEST_CASE("requests that hang have begun and never end") {
  FaultyMesh m(on_back(FaultKind::Hang, 1));
  CHECK(m.growth("back", "request_total", kInbound) > 1500);
  CHECK(m.growth("front", "outbound_http_route_backend_requests_total") > 1500);
  // What was asked in the last healthy second.
  CHECK(m.growth("back", "response_total", kInbound) == 0);
  CHECK(m.growth("front", "response_total", kOutbound) == 0);
  CHECK(m.growth("front", "outbound_http_route_request_statuses_total") == 0);
  CHECK(m.growth("front", "outbound_http_route_backend_response_statuses_total") == 0);
}

TEST_CASE("without a pod requests fail fast, and no response is counted") {
  FaultyMesh m(on_back(FaultKind::ScaleToZero));
  const double failed = 30 * 57;
  CHECK(m.growth("front", "outbound_http_errors_total", {{"error", "failfast"}}) ==
        doctest::Approx(failed).epsilon(0.15));
  CHECK(m.growth("front", "outbound_http_route_request_statuses_total",
                 {{"error", "FAIL_FAST"}, {"http_status", ""}}) ==
        doctest::Approx(failed).epsilon(0.15));
  CHECK(m.growth("front", "response_total", kOutbound) == 0);
  m.at(2min);
  CHECK(m.now("front", "outbound_http_balancer_endpoints", {{"endpoint_state", "ready"}}) == 0);
  CHECK(m.now("front", "outbound_http_balancer_queue_gate_shut_total") == 2);
  CHECK(pages_with(m.mesh(), "deployment", "back").empty());
  m.at(7min);
  CHECK(m.now("front", "outbound_http_balancer_endpoints", {{"endpoint_state", "ready"}}) == 6);
}

TEST_CASE("identity down: renewals stop and new pods wait in Init, traffic goes on") {
  MeshConfig config = small_mesh();
  config.leaf_lifetime = 4min;
  FaultConfig down;
  down.kind = FaultKind::ComponentDown;
  down.component = "identity";
  FaultyMesh m(down, config);
  m.at(5min);
  std::string page;
  CHECK(m.mesh().render("/components/identity-0/metrics", page) == Mesh::Answer::Unreachable);
  CHECK(m.mesh().render("/components/policy-0/metrics", page) == Mesh::Answer::Page);
  int missed = 0;
  for (const ReadPage& proxy : pages_with(m.mesh(), "job", "linkerd-proxy")) {
    const double left = proxy.sum("control_identity_cert_expiration_timestamp_seconds") -
                        to_seconds(m.mesh().now());
    if (left / 260 < 0.28) ++missed;
    CHECK(proxy.sum("control_identity_cert_refreshes_total", {{"result", "error"}}) == 0);
  }
  CHECK(missed > 5);
  CHECK(m.growth("back", "response_total", kInbound) > 1500);
}

TEST_CASE("a pod born while identity is down does not get ready") {
  MeshConfig config = small_mesh();
  FaultConfig down;
  down.kind = FaultKind::ComponentDown;
  down.component = "identity";
  down.start = 30s;
  down.end = 5min;
  config.faults.push_back(down);
  FaultConfig rollout;
  rollout.kind = FaultKind::Rollout;
  rollout.workload = "shop/back";
  FaultyMesh m(rollout, config);
  m.at(4min);
  const ReadPage state(page_of(m.mesh(), "/kube-state-metrics/metrics"));
  CHECK(state.sum("kube_pod_status_phase", {{"phase", "Pending"}}) == 1);
  CHECK(state.sum("kube_pod_init_container_status_restarts_total",
                  {{"container", "linkerd-proxy"}}) == 1);
  m.at(6min);
  const ReadPage after(page_of(m.mesh(), "/kube-state-metrics/metrics"));
  CHECK(after.sum("kube_pod_status_phase", {{"phase", "Pending"}}) == 0);
}

TEST_CASE("a missed refresh leaves little of the leaf's life until the fault ends") {
  FaultConfig fault = on_back(FaultKind::MissedRefresh);
  fault.remaining = 0.25;
  FaultyMesh m(fault);
  const auto least_left = [&](const char* workload) {
    double least = 1;
    for (const ReadPage& page : pages_with(m.mesh(), "deployment", workload)) {
      const double left = page.sum("control_identity_cert_expiration_timestamp_seconds") -
                          to_seconds(m.mesh().now());
      least = std::min(least, left / 86420);
    }
    return least;
  };
  CHECK(least_left("back") > 0.279);
  m.at(2min);
  CHECK(least_left("back") < 0.26);
  CHECK(least_left("front") > 0.279);
  m.at(6min + 1s);
  CHECK(least_left("back") > 0.9);
}

TEST_CASE("an issuer that expires says so") {
  FaultConfig fault;
  fault.kind = FaultKind::IssuerExpiring;
  fault.left = 2h;
  FaultyMesh m(fault);
  const auto ttl = [&] {
    return ReadPage(page_of(m.mesh(), "/components/identity-0/metrics"))
        .sum("issuer_cert_ttl_seconds");
  };
  CHECK(ttl() > 86400 * 200);
  m.at(2min);
  CHECK(ttl() == 7200);
}

TEST_CASE("a crashing proxy restarts, waits in CrashLoopBackOff, and counts from zero") {
  FaultyMesh m(on_back(FaultKind::CrashLoop));
  const Wanted proxy = {{"container", "linkerd-proxy"}};
  bool waited = false;
  bool ran = false;
  for (int second = 60; second < 350; second += 5) {
    m.at(second * 1s);
    const ReadPage state(page_of(m.mesh(), "/kube-state-metrics/metrics"));
    const bool waits = state.sum("kube_pod_init_container_status_waiting_reason",
                                 {{"reason", "CrashLoopBackOff"}}) > 0;
    waited = waited || waits;
    ran = ran || (second > 90 && !waits);
    CHECK(pages_with(m.mesh(), "deployment", "back").size() == (waits ? 2 : 3));
  }
  CHECK(waited);
  CHECK(ran);
  const ReadPage state(page_of(m.mesh(), "/kube-state-metrics/metrics"));
  CHECK(state.sum("kube_pod_init_container_status_restarts_total", proxy) >= 4);
  m.at(12min);
  double least = 1e9;
  double latest = 0;
  for (const ReadPage& page : pages_with(m.mesh(), "deployment", "back")) {
    least = std::min(least, page.sum("request_total", kInbound));
    latest = std::max(latest, page.sum("process_start_time_seconds"));
  }
  CHECK(least < 10 * 600);
  CHECK(latest > to_seconds(kStart));
}

TEST_CASE("a rollout brings other pods and harms nobody") {
  FaultyMesh m(on_back(FaultKind::Rollout));
  const auto before = m.mesh().endpoints();
  const double asked = m.now("front", "request_total", kOutbound);
  const double failed =
      m.now("front", "response_total", with(kOutbound, "classification", "failure"));
  m.at(4min);
  for (const Endpoint& endpoint : m.mesh().endpoints()) {
    if (endpoint.labels.get("deployment") != "back") continue;
    for (const Endpoint& old : before) CHECK(old.path != endpoint.path);
  }
  CHECK(pages_with(m.mesh(), "deployment", "back").size() == 3);
  CHECK(m.now("front", "request_total", kOutbound) - asked > 30 * 180 * 0.85);
  CHECK(m.now("front", "response_total", with(kOutbound, "classification", "failure")) - failed <
        10);
  // The series of the old pods are idle, and are forgotten after ten minutes.
  const auto series = [&] {
    return pages_with(m.mesh(), "deployment", "front")[0].count("request_total", kOutbound);
  };
  CHECK(series() == 6);
  m.at(15min);
  CHECK(series() == 3);
}

TEST_CASE("in a scrape gap pages are not served, and counting goes on") {
  FaultyMesh m(on_back(FaultKind::ScrapeGap));
  const double before = m.now("back", "request_total", kInbound);
  m.at(2min);
  CHECK(pages_with(m.mesh(), "deployment", "back").empty());
  CHECK(pages_with(m.mesh(), "deployment", "front").size() == 2);
  m.at(6min);
  CHECK(m.now("back", "request_total", kInbound) - before > 30 * 300 * 0.85);
}

TEST_CASE("a request that policy denies is no response of the server") {
  FaultyMesh m(on_back(FaultKind::Deny, 0.5));
  CHECK(m.growth("back", "inbound_http_authz_deny_total") > 700);
  CHECK(m.growth("back", "response_total", kInbound) < 1100);
  CHECK(m.growth("front", "response_total", with(kOutbound, "status_code", "403")) > 700);
  CHECK(m.growth("front", "response_total", with(kOutbound, "classification", "failure")) < 5);
}

TEST_CASE("refused TCP connections are closed with an errno") {
  FaultConfig fault;
  fault.kind = FaultKind::TcpErrors;
  fault.workload = "shop/store";
  fault.ratio = 0.5;
  FaultyMesh m(fault);
  CHECK(m.now("back", "tcp_close_total", {{"errno", "ECONNREFUSED"}}) == 0);
  CHECK(m.growth("back", "tcp_close_total", {{"errno", "ECONNREFUSED"}}) > 90);
  CHECK(m.growth("back", "outbound_tcp_route_close_total", {{"error", "unexpected"}}) > 90);
  CHECK(m.growth("store", "tcp_open_total", {{"direction", "inbound"}, {"target_port", "5432"}}) >
        90);
}

TEST_CASE("failures that propagate make the caller fail as well") {
  MeshConfig config = small_mesh();
  config.calls[1].propagates = 1;
  FaultyMesh m(on_back(FaultKind::ServerErrors, 0.5), config);
  CHECK(m.growth("front", "response_total", with(kInbound, "classification", "failure")) > 400);
}

}  // namespace
}  // namespace tocsin::simulate
