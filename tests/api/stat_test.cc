// SPDX-License-Identifier: Apache-2.0
#include "api/stat.h"

#include <doctest/doctest.h>

#include "support/fake_backend.h"

namespace tocsin::api {
namespace {

using namespace std::chrono_literals;
using testing::FakeBackend;

constexpr Timestamp kNow = FakeBackend::kNow;

// A counter that stood at `first` one minute ago and grew evenly to `last`.
void counter(FakeBackend& b, const Labels& labels, double first, double last) {
  for (int i = 0; i <= 6; ++i) {
    b.sample(labels, first + (last - first) * i / 6, kNow - 60s + i * 10s);
  }
}

Labels with_all(Labels labels, const Labels& more) {
  for (const LabelView& label : more) labels = labels.with(label.name, label.value);
  return labels;
}

// What the proxies of a workload count of `requests` requests, of which some fail.
void workload(FakeBackend& b, const Labels& own, double good, double bad) {
  const Labels inbound =
      with_all(own, {{"direction", "inbound"}, {"target_port", "8080"}, {"tls", "true"}});
  counter(b, with_all(inbound, {{"__name__", "response_total"}, {"classification", "success"}}),
          100, 100 + good);
  if (bad > 0) {
    counter(b, with_all(inbound, {{"__name__", "response_total"}, {"classification", "failure"}}),
            10, 10 + bad);
  }
  for (const char* bound : {"1", "10", "100", "+Inf"}) {
    counter(b, with_all(inbound, {{"__name__", "response_latency_ms_bucket"}, {"le", bound}}), 0,
            std::string_view(bound) == "1" ? 0 : good + bad);
  }
  b.sample(with_all(inbound, {{"__name__", "tcp_open_connections"}, {"peer", "src"}}), 3);
  b.sample(with_all(inbound, {{"__name__", "tcp_open_connections"}, {"peer", "dst"}}), 3);
  // The proxy's own port is nobody's traffic.
  counter(b,
          with_all(own, {{"__name__", "response_total"},
                         {"direction", "inbound"},
                         {"target_port", "4191"},
                         {"classification", "success"}}),
          0, 6000);
}

std::string table_of(FakeBackend& b, const StatOptions& options) {
  const std::vector<StatQuery> queries = stat_queries(options);
  std::vector<promql::Vector> answers;
  for (const StatQuery& query : queries) {
    b.query({.expr = query.expr, .start = kNow, .end = kNow}, [&](Result<promql::Answer> answer) {
      REQUIRE_MESSAGE(answer.has_value(), query.expr);
      answers.push_back(std::get<promql::Vector>(answer->value));
    });
  }
  return stat_table(options, queries, answers);
}

TEST_CASE("workloads are listed in Linkerd's columns") {
  FakeBackend b;
  workload(b, {{"namespace", "shop"}, {"deployment", "web"}, {"pod", "web-1"}}, 90, 30);
  workload(b, {{"namespace", "shop"}, {"deployment", "web"}, {"pod", "web-2"}}, 120, 0);
  workload(b, {{"namespace", "shop"}, {"statefulset", "db"}, {"pod", "db-0"}}, 60, 0);
  workload(b, {{"namespace", "linkerd"}, {"deployment", "linkerd-identity"}}, 60, 60);
  CHECK(table_of(b, {}) ==
        "NAMESPACE   NAME         SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   "
        "TCP_CONN\n"
        "shop        deploy/web    87.50%   4.0rps           6ms          10ms          10ms   "
        "       6\n"
        "shop        sts/db       100.00%   1.0rps           6ms          10ms          10ms   "
        "       3\n");
  const std::string one = table_of(b, {.where = {{"namespace", "linkerd"}}});
  CHECK(one.find("deploy/linkerd-identity    50.00%") != std::string::npos);
  CHECK(one.find("shop") == std::string::npos);
}

TEST_CASE("a single page tells what happened since its proxies started, by pod") {
  FakeBackend b;
  const Labels web = {{"pod", "web-1"}, {"direction", "inbound"}, {"target_port", "8080"}};
  b.sample(with_all(web, {{"__name__", "response_total"}, {"classification", "success"}}), 300);
  b.sample(with_all(web, {{"__name__", "response_total"}, {"classification", "failure"}}), 100);
  b.sample(with_all(web, {{"__name__", "response_latency_ms_bucket"}, {"le", "10"}}), 400);
  b.sample(with_all(web, {{"__name__", "response_latency_ms_bucket"}, {"le", "+Inf"}}), 400);
  CHECK(table_of(b, {.resource = StatResource::Pod, .window = 0s}) ==
        "NAMESPACE   NAME    SUCCESS   REQUESTS   LATENCY_P50   LATENCY_P95   LATENCY_P99   "
        "TCP_CONN\n"
        "-           web-1    75.00%        400           5ms          10ms          10ms   "
        "       -\n");
}

TEST_CASE("services and routes are seen through their callers") {
  FakeBackend b;
  const Labels route = {{"namespace", "front"},      {"deployment", "ingress"},
                        {"parent_kind", "Service"},  {"parent_namespace", "shop"},
                        {"parent_name", "checkout"}, {"route_kind", "HTTPRoute"},
                        {"route_name", "orders"},    {"direction", ""}};
  const std::string statuses = "outbound_http_route_request_statuses_total";
  counter(b, with_all(route, {{"__name__", statuses}, {"http_status", "200"}}), 5, 59);
  counter(b, with_all(route, {{"__name__", statuses}, {"http_status", "503"}}), 5, 11);
  b.sample({{"__name__", "tcp_open_connections"},
            {"direction", "outbound"},
            {"peer", "dst"},
            {"target_port", "8080"},
            {"dst_namespace", "shop"},
            {"dst_service", "checkout"}},
           2);
  CHECK(table_of(b, {.resource = StatResource::Service}) ==
        "NAMESPACE   NAME       SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   "
        "TCP_CONN\n"
        "shop        checkout    90.00%   1.0rps             -             -             -   "
        "       2\n");
  CHECK(table_of(b, {.resource = StatResource::Route}) ==
        "NAMESPACE   NAME       ROUTE    SUCCESS      RPS   LATENCY_P50   LATENCY_P95   "
        "LATENCY_P99\n"
        "shop        checkout   orders    90.00%   1.0rps             -             -         "
        "    -\n");
}

TEST_CASE("where there is no traffic the table says so") {
  FakeBackend b;
  CHECK(table_of(b, {}) == "No traffic found.\n");
}

}  // namespace
}  // namespace tocsin::api
