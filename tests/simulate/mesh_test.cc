// SPDX-License-Identifier: Apache-2.0
#include "simulate/mesh.h"

#include <doctest/doctest.h>

#include <cmath>

#include "simulate/pages.h"

namespace tocsin::simulate {
namespace {

using namespace std::chrono_literals;

const Wanted kApp = {{"direction", "inbound"}, {"target_port", "8080"}, {"route_name", "default"}};

TEST_CASE("every page of the demo is read to its end, without a series twice") {
  Mesh mesh(MeshConfig::demo(), kStart);
  mesh.advance(kStart + 2min);
  std::size_t samples = 0;
  for (const Endpoint& endpoint : mesh.endpoints()) {
    samples += ReadPage(page_of(mesh, endpoint.path)).values().size();
  }
  CHECK(samples > 5000);
}

TEST_CASE("a proxy prints its two parts one after the other, with # EOF in the end") {
  Mesh mesh(small_mesh(), kStart);
  mesh.advance(kStart + 1min);
  for (const Endpoint& endpoint : mesh.endpoints()) {
    if (endpoint.labels.get("deployment") != "front") continue;
    const std::string page = page_of(mesh, endpoint.path);
    CHECK(page.ends_with("\n# EOF\n"));
    const std::size_t legacy = page.find("# TYPE request_total counter\nrequest_total{direction=");
    const std::size_t modern = page.find(
        "# TYPE outbound_http_route_request_statuses counter\n"
        "outbound_http_route_request_statuses_total{parent_group=\"core\",parent_kind=\"Service\"");
    REQUIRE(legacy != std::string::npos);
    REQUIRE(modern != std::string::npos);
    CHECK(legacy < modern);
    CHECK(page.find(",le=\"+Inf\"} ") < modern);
    CHECK(page.find("_bucket{le=\"0.05\",parent_group=") > legacy);
    CHECK(page.find("grpc_status=\"\",error=\"\"}") != std::string::npos);
    CHECK(page.find("control_identity_cert_refreshes_total{result=\"error\"} 0\n") !=
          std::string::npos);
  }
}

TEST_CASE("an outbound series names its server as the proxy does") {
  Mesh mesh(small_mesh(), kStart);
  mesh.advance(kStart + 1min);
  const std::vector<ReadPage> pages = pages_with(mesh, "deployment", "front");
  REQUIRE(pages.size() == 2);
  const std::string& text = pages[0].text();
  const std::size_t begin = text.find("\nrequest_total{direction=\"outbound\",authority=") + 1;
  REQUIRE(begin != 0);
  const std::string line = text.substr(begin, text.find('\n', begin) - begin);
  std::size_t at = 0;
  for (const char* label :
       {"authority=\"back.shop.svc.cluster.local:8080\"",
        "target_addr=", "target_ip=", "target_port=\"8080\"", "tls=\"true\"",
        "server_id=\"back.shop.serviceaccount.identity.linkerd.cluster.local\"",
        "dst_control_plane_ns=\"linkerd\"", "dst_deployment=\"back\"", "dst_namespace=\"shop\"",
        "dst_pod=\"back-", "dst_pod_template_hash=", "dst_service=\"back\"",
        "dst_serviceaccount=\"back\"", "dst_zone=\"\"", "dst_zone_locality="}) {
    const std::size_t found = line.find(label, at);
    CHECK_MESSAGE(found != std::string::npos, label, " in ", line);
    if (found != std::string::npos) at = found;
  }
}

TEST_CASE("the same instant is the same page, however it was reached") {
  Mesh in_steps(MeshConfig::demo(), kStart);
  for (Duration at = 7s; at <= 11min; at += 7s) in_steps.advance(kStart + at);
  in_steps.advance(kStart + 11min);
  Mesh at_once(MeshConfig::demo(), kStart);
  at_once.advance(kStart + 11min);
  CHECK(in_steps.generation() == at_once.generation());
  for (const Endpoint& endpoint : in_steps.endpoints()) {
    std::string a;
    std::string b;
    CHECK(in_steps.render(endpoint.path, a) == at_once.render(endpoint.path, b));
    CHECK(a == b);
  }
}

bool is_counter(std::string_view name) {
  return name.ends_with("_total") || name.ends_with("_bucket") || name.ends_with("_count");
}

TEST_CASE("counters never go down") {
  Mesh mesh(small_mesh(), kStart);
  std::map<std::string, ReadPage> before;
  for (int i = 0; i < 30; ++i) {
    mesh.advance(kStart + i * 10s);
    for (const Endpoint& endpoint : mesh.endpoints()) {
      ReadPage page(page_of(mesh, endpoint.path));
      const auto old = before.find(endpoint.path);
      if (old != before.end()) {
        for (const auto& [labels, value] : old->second.values()) {
          if (!is_counter(labels.metric_name())) continue;
          const auto now = page.values().find(labels);
          REQUIRE_MESSAGE(now != page.values().end(), labels.text());
          CHECK_MESSAGE(now->second >= value, labels.text());
        }
      }
      before.insert_or_assign(endpoint.path, std::move(page));
    }
  }
}

TEST_CASE("what clients count is what servers count, and what was asked for") {
  Mesh mesh(small_mesh(), kStart);
  const auto counts = [&] {
    const double sent = sum_of(pages_with(mesh, "deployment", "front"), "request_total",
                               {{"direction", "outbound"}, {"dst_deployment", "back"}});
    return std::pair(sent, sum_of(pages_with(mesh, "deployment", "back"), "request_total", kApp));
  };
  mesh.advance(kStart);
  const auto [sent_before, got_before] = counts();
  mesh.advance(kStart + 5min);
  const auto [sent, got] = counts();
  // Six pairs and three servers, each rounded down.
  CHECK(std::abs(sent - got) <= 6);
  CHECK(sent - sent_before == doctest::Approx(30 * 300).epsilon(0.11));
  CHECK(got - got_before == doctest::Approx(30 * 300).epsilon(0.11));
}

TEST_CASE("buckets are cumulative and the last one is the count") {
  Mesh mesh(small_mesh(), kStart);
  mesh.advance(kStart + 3min);
  int histograms = 0;
  for (const Endpoint& endpoint : mesh.endpoints()) {
    const ReadPage page(page_of(mesh, endpoint.path));
    std::map<Labels, std::map<double, double>> buckets;
    for (const auto& [labels, value] : page.values()) {
      if (!labels.metric_name().ends_with("_bucket")) continue;
      const std::string le(labels.get("le"));
      buckets[labels.without("le")][le == "+Inf" ? INFINITY : std::stod(le)] = value;
    }
    for (const auto& [labels, by_bound] : buckets) {
      double last = 0;
      for (const auto& [bound, value] : by_bound) {
        CHECK_MESSAGE(value >= last, labels.text());
        last = value;
      }
      std::string name(labels.metric_name());
      name.replace(name.size() - 7, 7, "_count");
      const auto count = page.values().find(labels.with(kMetricName, name));
      REQUIRE(count != page.values().end());
      CHECK(count->second == last);
      ++histograms;
    }
  }
  CHECK(histograms > 20);
}

TEST_CASE("inbound latency is below outbound latency") {
  Mesh mesh(small_mesh(), kStart);
  const auto mean = [&](const char* deployment, const Wanted& wanted) {
    const auto pages = pages_with(mesh, "deployment", deployment);
    return sum_of(pages, "response_latency_ms_sum", wanted) /
           sum_of(pages, "response_latency_ms_count", wanted);
  };
  CHECK(mean("back", kApp) < mean("front", {{"direction", "outbound"}}));
}

TEST_CASE("leaf certificates have between 30% and all of their life left, and are renewed") {
  MeshConfig config = small_mesh();
  config.leaf_lifetime = 10min;
  Mesh mesh(config, kStart);
  double least = 1;
  double most = 0;
  for (int i = 0; i < 60; ++i) {
    mesh.advance(kStart + i * 15s);
    for (const ReadPage& page : pages_with(mesh, "job", "linkerd-proxy")) {
      const double expires = page.sum("control_identity_cert_expiration_timestamp_seconds");
      const double refreshed = page.sum("control_identity_cert_refresh_timestamp_seconds");
      CHECK(expires - refreshed == doctest::Approx(620));
      const double left = (expires - to_seconds(mesh.now())) / 620;
      least = std::min(least, left);
      most = std::max(most, left);
    }
  }
  CHECK(least > 0.279);
  CHECK(least < 0.35);
  CHECK(most > 0.95);
}

TEST_CASE("the metric names are those of the version") {
  struct Row {
    LinkerdVersion version;
    const char* name;
    bool printed;
  };
  for (const Row& row : std::vector<Row>{
           {LinkerdVersion::V2_14, "identity_cert_expiration_timestamp_seconds", true},
           {LinkerdVersion::V2_14, "control_identity_cert_expiration_timestamp_seconds", false},
           {LinkerdVersion::V2_14, "outbound_http_route_request_statuses_total", false},
           {LinkerdVersion::V2_14, "outbound_http_route_backend_requests_total", true},
           {LinkerdVersion::V2_16, "identity_cert_expiration_timestamp_seconds", false},
           {LinkerdVersion::V2_16, "control_identity_cert_expiration_timestamp_seconds", true},
           {LinkerdVersion::V2_16, "outbound_http_route_request_statuses_total", true},
           {LinkerdVersion::V2_16, "inbound_http_requests_total", false},
           {LinkerdVersion::V2_20, "inbound_http_requests_total", true},
           {LinkerdVersion::V2_20, "inbound_http_statuses_total", true}}) {
    MeshConfig config = small_mesh();
    config.version = row.version;
    const Mesh mesh(config, kStart);
    double found = 0;
    for (const ReadPage& page : pages_with(mesh, "job", "linkerd-proxy")) {
      found += static_cast<double>(page.count(row.name));
    }
    CHECK_MESSAGE((found > 0) == row.printed, row.name);
  }
}

TEST_CASE("inbound series have an authority before 2.18 and srv_port after it") {
  for (const LinkerdVersion version : {LinkerdVersion::V2_16, LinkerdVersion::V2_20}) {
    MeshConfig config = small_mesh();
    config.version = version;
    const Mesh mesh(config, kStart);
    const bool old = version == LinkerdVersion::V2_16;
    for (const ReadPage& page : pages_with(mesh, "deployment", "back")) {
      for (const auto& [labels, value] : page.values()) {
        if (labels.metric_name() != "response_total") continue;
        if (labels.get("direction") != "inbound" || labels.get("route_name") == "probe") continue;
        if (labels.get("target_port") != "8080") continue;
        CHECK(labels.has("authority") == old);
        CHECK(labels.has("srv_port") == !old);
      }
    }
  }
}

TEST_CASE("kube-state-metrics tells of the proxy as an init container since 2.20") {
  for (const LinkerdVersion version : {LinkerdVersion::V2_16, LinkerdVersion::V2_20}) {
    MeshConfig config = small_mesh();
    config.version = version;
    const Mesh mesh(config, kStart);
    const ReadPage page(page_of(mesh, "/kube-state-metrics/metrics"));
    const Wanted proxy = {{"container", "linkerd-proxy"}};
    const bool native = version == LinkerdVersion::V2_20;
    CHECK(page.count("kube_pod_init_container_status_restarts_total", proxy) == (native ? 9 : 0));
    CHECK(page.count("kube_pod_container_status_restarts_total", proxy) == (native ? 0 : 9));
    CHECK(page.count("kube_pod_owner", {{"owner_kind", "StatefulSet"}}) == 1);
    CHECK(page.count("kube_replicaset_owner", {{"owner_name", "back"}}) == 1);
    CHECK(page.sum("kube_pod_status_phase", {{"phase", "Running"}}) == 9);
  }
}

TEST_CASE("targets carry what Prometheus would attach") {
  const Mesh mesh(small_mesh(), kStart);
  std::map<std::string, int> jobs;
  std::map<std::string, int> instances;
  for (const Endpoint& endpoint : mesh.endpoints()) {
    ++jobs[std::string(endpoint.labels.get("job"))];
    ++instances[std::string(endpoint.labels.get("instance"))];
    if (endpoint.labels.get("job") == "linkerd-controller") {
      CHECK(endpoint.labels.has("component"));
      CHECK_FALSE(endpoint.labels.has("namespace"));
    }
  }
  CHECK(jobs == std::map<std::string, int>{
                    {"kube-state-metrics", 1}, {"linkerd-controller", 5}, {"linkerd-proxy", 9}});
  CHECK(instances.size() == 15);
}

TEST_CASE("a mesh of a thousand proxies has three hundred series each") {
  Mesh mesh(MeshConfig::sized(1000), kStart);
  mesh.advance(kStart + 10s);
  CHECK(mesh.endpoints().size() == 1000 + 3 + 5 + 1);
  const double each = static_cast<double>(mesh.series()) / 1003;
  CHECK(each > 250);
  CHECK(each < 400);
  std::size_t bytes = 0;
  std::string page;
  for (const Endpoint& endpoint : mesh.endpoints()) {
    page.clear();
    REQUIRE(mesh.render(endpoint.path, page) == Mesh::Answer::Page);
    if (endpoint.labels.get("job") == "linkerd-proxy") bytes = std::max(bytes, page.size());
  }
  CHECK(bytes < std::size_t{1} << 20U);
}

}  // namespace
}  // namespace tocsin::simulate
