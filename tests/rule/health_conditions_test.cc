// SPDX-License-Identifier: Apache-2.0
//
// The conditions on the mesh itself: control plane, certificates and restarts, in every generation
// of Linkerd's metrics.
#include "rule/condition_cases.h"

namespace tocsin::rule {
namespace {

TEST_CASE("control plane") {
  const Case cases[] = {
      {"one replica of two is enough", "control_plane: {component: identity}",
       R"(
  up{job="linkerd-controller",component="identity",instance="a"} 1x60
  up{job="linkerd-controller",component="identity",instance="b"} 0x60
)",
       ""},
      {"none is not", "control_plane: {component: [identity, destination]}",
       R"(
  up{job="linkerd/linkerd-controller",component="identity",instance="a"} 0x60
  up{job="linkerd/linkerd-controller",component="identity",instance="b"} 0x60
  up{job="linkerd/linkerd-controller",component="destination",instance="c"} 1x60
)",
       R"(  {component="identity"} 0)"},
      {"a component that nobody reports is down",
       "control_plane: {component: [identity, destination]}",
       R"(
  up{job="linkerd-controller",component="destination",instance="c"} 1x60
)",
       R"(  {component="identity"} 0)"},
      {"who sees hardly any proxy either is blind", "control_plane: {component: identity}",
       R"(
  up{job="linkerd-controller",component="identity",instance="a"} 0x60
  up{job="linkerd-proxy",namespace="shop",pod="a"} 0x60
  up{job="linkerd-proxy",namespace="shop",pod="b"} 0x60
  up{job="linkerd-proxy",namespace="shop",pod="c"} 1x60
)",
       ""},
      {"a series that a user records counts, down and up",
       "control_plane: {component: [identity, destination]}",
       R"(
  control_plane_alive{component="identity"} 1x60
  control_plane_alive{component="destination"} 0x60
)",
       R"(  {component="destination"} 0)"},
      {"all of it is four components", "control_plane: {}", "\n  up{job=\"other\"} 1x60\n",
       R"(  {component="identity"} 0
  {component="destination"} 0
  {component="policy"} 0
  {component="proxy-injector"} 0)"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("certificates") {
  // At 10m it is second 600; a leaf of 24 hours is renewed when 25,920 seconds are left.
  const Case cases[] = {
      {"a missed renewal, new names; the worst proxy speaks for its workload",
       "certificate: {kind: leaf}",
       R"(
  control_identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="web",pod="a"} 20600x60
  control_identity_cert_refresh_timestamp_seconds{namespace="shop",deployment="web",pod="a"} -65800x60
  control_identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="web",pod="b"} 10600x60
  control_identity_cert_refresh_timestamp_seconds{namespace="shop",deployment="web",pod="b"} -75800x60
  control_identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="fine",pod="c"} 30600x60
  control_identity_cert_refresh_timestamp_seconds{namespace="shop",deployment="fine",pod="c"} -55800x60
  control_identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="starting",pod="d"} 0x60
  control_identity_cert_refresh_timestamp_seconds{namespace="shop",deployment="starting",pod="d"} 0x60
)",
       R"(  {namespace="shop",deployment="web"} 10000)"},
      {"old names, without a time of renewal", "certificate: {kind: leaf}",
       R"(
  identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="web",pod="a"} 20600x60
  identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="fine",pod="b"} 30600x60
)",
       R"(  {namespace="shop",deployment="web"} 20000)"},
      {"two missed renewals", "certificate: {kind: leaf, missed_refreshes: 2}",
       R"(
  identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="web",pod="a"} 20600x60
  identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="late",pod="b"} 4600x60
)",
       R"(  {namespace="shop",deployment="late"} 4000)"},
      {"short-lived leaves are measured by their own life", "certificate: {kind: leaf}",
       R"(
  control_identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="web",pod="a"} 1600x60
  control_identity_cert_refresh_timestamp_seconds{namespace="shop",deployment="web",pod="a"} 0x60
)",
       ""},
      {"a leaf by its seconds", "certificate: {kind: leaf, expires_within: 2h}",
       R"(
  control_identity_cert_expiration_timestamp_seconds{namespace="shop",deployment="web",pod="a"} 5600x60
)",
       R"(  {namespace="shop",deployment="web"} 5000)"},
      {"the issuer, as identity knows it", "certificate: {kind: issuer, expires_within: 1d}",
       R"(
  issuer_cert_ttl_seconds{component="identity",instance="a"} 5000x60
  issuer_cert_ttl_seconds{component="identity",instance="b"} 4000x60
  tocsin_certificate_not_after_timestamp_seconds{name="file",kind="issuer"} 1600x60
)",
       R"(  {kind="issuer",name="issuer"} 4000)"},
      {"the issuer, as its file has it", "certificate: {kind: issuer, expires_within: 1d}",
       R"(
  tocsin_certificate_not_after_timestamp_seconds{name="file",kind="issuer"} 1600x60
)",
       R"(  {kind="issuer",name="file"} 1000)"},
      {"the trust anchor", "certificate: {kind: trust-anchor, expires_within: 1d}",
       R"(
  tocsin_certificate_not_after_timestamp_seconds{name="trust-anchor",kind="trust-anchor"} 1600x60
  tocsin_certificate_not_after_timestamp_seconds{name="hook",kind="webhook"} 1600x60
)",
       R"(  {kind="trust-anchor",name="trust-anchor"} 1000)"},
  };
  for (const Case& c : cases) check(c);
}

constexpr const char* kOwners = R"(
  kube_pod_owner{namespace="shop",pod="web-1",uid="u1",owner_kind="ReplicaSet",owner_name="web-abc"} 1x120
  kube_replicaset_owner{namespace="shop",replicaset="web-abc",owner_kind="Deployment",owner_name="web"} 1x120
  kube_pod_owner{namespace="shop",pod="db-0",uid="u2",owner_kind="StatefulSet",owner_name="db"} 1x120
)";

TEST_CASE("proxy restarts") {
  const struct {
    const char* name;
    const char* series;
    bool with_owners;
    const char* expected;
  } cases[] = {
      {"a container that restarts, by the workload that owns its pod",
       R"(  kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0x60 1+0.5x60
  kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="app"} 0+1x120
)",
       true, R"(  {namespace="shop",deployment="web"} 30.5)"},
      {"a native sidecar is an init container",
       R"(  kube_pod_init_container_status_restarts_total{namespace="shop",pod="db-0",uid="u2",container="linkerd-proxy"} 0+0.1x120
)",
       true, R"(  {namespace="shop",statefulset="db"} 9)"},
      {"without owners the namespace stands for its pods",
       R"(  kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0+0.1x120
)",
       false, R"(  {namespace="shop"} 9)"},
      {"CrashLoopBackOff counts at once",
       R"(  kube_pod_init_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-init"} 0x120
  kube_pod_init_container_status_waiting_reason{namespace="shop",pod="web-1",uid="u1",container="linkerd-init",reason="CrashLoopBackOff"} _x100 1x10 stale
)",
       true, R"(  {namespace="shop",deployment="web"} 0)"},
      {"stuck in Init for three minutes",
       R"(  kube_pod_init_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0x120
  kube_pod_init_container_status_ready{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0x120
  kube_pod_status_phase{namespace="shop",pod="web-1",uid="u1",phase="Pending"} 0x90 1x30
)",
       true, R"(  {namespace="shop",deployment="web"} 0)"},
      {"a pod that has only begun to start is not stuck",
       R"(  kube_pod_init_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0x120
  kube_pod_init_container_status_ready{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0x120
  kube_pod_status_phase{namespace="shop",pod="web-1",uid="u1",phase="Pending"} _x112 1x10
)",
       true, ""},
      {"a rollout is not a restart",
       R"(  kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 7x60 stale
  kube_pod_container_status_restarts_total{namespace="shop",pod="web-2",uid="u3",container="linkerd-proxy"} _x60 0x60
  process_start_time_seconds{job="linkerd-proxy",namespace="shop",deployment="web",pod="web-1"} 5x60 stale
  process_start_time_seconds{job="linkerd-proxy",namespace="shop",deployment="web",pod="web-2"} _x60 600x60
)",
       true, ""},
      {"without kube-state-metrics start times tell",
       R"(  process_start_time_seconds{job="linkerd-proxy",namespace="shop",deployment="web",pod="web-1"} 0x60 1x10 2x10 3x10 4x10 5x20
  process_start_time_seconds{job="linkerd-proxy",namespace="shop",deployment="fine",pod="fine-1"} 7x120
)",
       true, R"(  {namespace="shop",deployment="web"} 5)"},
      {"with it they are not asked",
       R"(  kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",uid="u1",container="linkerd-proxy"} 0x120
  process_start_time_seconds{job="linkerd-proxy",namespace="shop",deployment="web",pod="web-1"} 0x60 1x10 2x10 3x10 4x10 5x20
)",
       true, ""},
  };
  for (const auto& c : cases) {
    const std::string series = std::string(c.with_owners ? kOwners : "\n") + c.series;
    check({c.name, "proxy_restarts: {more_than: 3, over: 15m}", series.c_str(), c.expected}, "20m");
  }
}

}  // namespace
}  // namespace tocsin::rule
