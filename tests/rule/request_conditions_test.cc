// SPDX-License-Identifier: Apache-2.0
//
// The conditions on requests: success rate, latency and traffic, in every generation of Linkerd's
// metrics.
#include "rule/condition_cases.h"

namespace tocsin::rule {
namespace {

// 2 requests/s that succeed and 0.5/s that fail: 80%.
TEST_CASE("success rate, as the workload counts") {
  const Case cases[] = {
      {"failures over all its pods", "success_rate: {below: 99%}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",pod="a",classification="success"} 0+10x60
  response_total{direction="inbound",namespace="shop",deployment="web",pod="b",classification="success"} 0+10x60
  response_total{direction="inbound",namespace="shop",deployment="web",pod="b",classification="failure",status_code="500"} 0+5x60
  response_total{direction="outbound",namespace="shop",deployment="web",pod="b",dst_namespace="shop",classification="failure"} 0+100x60
)",
       R"(  {namespace="shop",deployment="web"} 0.8)"},
      {"a StatefulSet keeps its own label", "success_rate: {below: 99%}",
       R"(
  response_total{direction="inbound",namespace="shop",statefulset="db",pod="db-0",classification="failure"} 0+10x60
)",
       R"(  {namespace="shop",statefulset="db"} 0)"},
      {"no series of failures is a success rate of 100%", "success_rate: {below: 100%}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",classification="success"} 0+10x60
)",
       ""},
      {"the admin port, probes and Linkerd itself do not count", "success_rate: {below: 99%}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",target_port="4191",classification="failure"} 0+10x60
  response_total{direction="inbound",namespace="shop",deployment="web",route_name="probe",classification="failure"} 0+10x60
  response_total{direction="inbound",namespace="linkerd",deployment="linkerd-destination",classification="failure"} 0+10x60
)",
       ""},
      {"below the floor nothing fires", "success_rate: {below: 99%, min_requests: 100}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",classification="failure"} 0+3x60
)",
       ""},
      {"above the floor it does", "success_rate: {below: 99%, min_requests: 50}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",classification="failure"} 0+3x60
)",
       R"(  {namespace="shop",deployment="web"} 0)"},
      {"a floor may be a rate", "success_rate: {below: 99%, min_rate: 1/s}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",classification="failure"} 0+3x60
)",
       ""},
      {"where narrows", "success_rate: {below: 99%, where: {deployment: 'a.*'}}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="api",classification="failure"} 0+10x60
  response_total{direction="inbound",namespace="shop",deployment="web",classification="failure"} 0+10x60
)",
       R"(  {namespace="shop",deployment="api"} 0)"},
      {"where can name Linkerd's own namespace",
       "success_rate: {below: 99%, where: {namespace: linkerd}}",
       R"(
  response_total{direction="inbound",namespace="linkerd",deployment="linkerd-identity",classification="failure"} 0+10x60
)",
       R"(  {namespace="linkerd",deployment="linkerd-identity"} 0)"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("success rate, as callers see a service") {
  const Case cases[] = {
      {"fail-fasts, 5xx and broken streams fail; a client that went away does not",
       "success_rate: {below: 99%, by: service}",
       R"(
  outbound_http_route_request_statuses_total{namespace="x",deployment="c1",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",http_status="200",error=""} 0+10x60
  outbound_http_route_request_statuses_total{namespace="x",deployment="c2",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",http_status="200",error="UNKNOWN"} 0+4x60
  outbound_http_route_request_statuses_total{namespace="x",deployment="c1",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",http_status="503",error=""} 0+2x60
  outbound_http_route_request_statuses_total{namespace="x",deployment="c1",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",http_status="",error="FAIL_FAST"} 0+3x60
  outbound_http_route_request_statuses_total{namespace="x",deployment="c1",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",http_status="200",error="RESET"} 0+1x60
)",
       R"(  {namespace="shop",service="web"} 0.7)"},
      {"no endpoints at all: only fail-fasts", "success_rate: {below: 99%, by: service}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",http_status="",error="FAIL_FAST"} 0+3x60
)",
       R"(  {namespace="shop",service="web"} 0)"},
      {"an older proxy: endpoint metrics", "success_rate: {below: 99%, by: service}",
       R"(
  response_total{direction="outbound",dst_namespace="shop",dst_service="web",classification="success"} 0+9x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="web",classification="failure"} 0+1x60
  response_total{direction="outbound",dst_namespace="",dst_service="",classification="failure"} 0+9x60
)",
       R"(  {namespace="shop",service="web"} 0.9)"},
      {"two generations at once are not added up", "success_rate: {below: 99%, by: service}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",http_status="200",error=""} 0+5x60
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",http_status="500",error=""} 0+5x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="web",classification="success",status_code="200"} 0+5x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="web",classification="failure",status_code="500"} 0+5x60
)",
       R"(  {namespace="shop",service="web"} 0.5)"},
      {"a generation that stands still does not hide the one that moves",
       "success_rate: {below: 99%, by: service}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",http_status="200",error=""} 700x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="web",classification="failure"} 0+5x60
)",
       R"(  {namespace="shop",service="web"} 0)"},
      {"a ServiceProfile: what the application saw, not each attempt",
       "success_rate: {below: 99%, by: service}",
       R"(
  route_response_total{direction="outbound",dst="web.shop.svc.cluster.local:80",rt_route="GET /",classification="success"} 0+7x60
  route_response_total{direction="outbound",dst="web.shop.svc.cluster.local:80",classification="failure",error="timeout"} 0+3x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="web",classification="failure"} 0+50x60
)",
       R"(  {namespace="shop",service="web"} 0.7)"},
      {"gRPC without a GRPCRoute: failures that the HTTP route takes for 200",
       "success_rate: {below: 99%, by: service}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="default",http_status="200",error=""} 0+10x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="cart",classification="failure",status_code="200",grpc_status="14"} 0+4x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="cart",classification="success",status_code="200",grpc_status="0"} 0+6x60
)",
       R"(  {namespace="shop",service="cart"} 0.6)"},
      {"gRPC with a GRPCRoute: counted once", "success_rate: {below: 99%, by: service}",
       R"(
  outbound_grpc_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="GRPCRoute",route_name="r",grpc_status="OK",error=""} 0+6x60
  outbound_grpc_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="GRPCRoute",route_name="r",grpc_status="UNAVAILABLE",error=""} 0+3x60
  outbound_grpc_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="GRPCRoute",route_name="r",grpc_status="NOT_FOUND",error=""} 0+1x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="cart",classification="failure",status_code="200",grpc_status="14"} 0+3x60
)",
       R"(  {namespace="shop",service="cart"} 0.7)"},
      {"HTTP and gRPC of one service are added up", "success_rate: {below: 99%, by: service}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="default",http_status="200",error=""} 0+5x60
  outbound_grpc_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="GRPCRoute",route_name="r",grpc_status="INTERNAL",error=""} 0+5x60
)",
       R"(  {namespace="shop",service="cart"} 0.5)"},
      {"where speaks of the service",
       "success_rate: {below: 99%, by: service, where: {namespace: shop, service: web}}",
       R"(
  route_response_total{direction="outbound",dst="web.shop.svc.cluster.local:80",classification="failure"} 0+7x60
  route_response_total{direction="outbound",dst="cart.shop.svc.cluster.local:80",classification="failure"} 0+7x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="api",classification="failure"} 0+50x60
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="blog",parent_name="web",route_kind="default",http_status="500",error=""} 0+5x60
)",
       R"(  {namespace="shop",service="web"} 0)"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("success rate by route, by edge, and of a workload as its callers see it") {
  const Case cases[] = {
      {"three generations of routes have one label", "success_rate: {below: 99%, by: route}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="HTTPRoute",route_namespace="shop",route_name="checkout",http_status="500",error=""} 0+5x60
  outbound_grpc_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="GRPCRoute",route_name="add",grpc_status="INTERNAL",error=""} 0+5x60
  route_response_total{direction="outbound",dst="books.shop.svc.cluster.local:80",rt_route="GET /books/{id}",classification="failure"} 0+7x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="old",classification="failure"} 0+50x60
)",
       R"(  {namespace="shop",service="web",route="checkout"} 0
  {namespace="shop",service="cart",route="add"} 0
  {namespace="shop",service="books",route="GET /books/{id}"} 0)"},
      {"hidden gRPC failures belong to the default route", "success_rate: {below: 99%, by: route}",
       R"(
  outbound_http_route_request_statuses_total{parent_kind="Service",parent_namespace="shop",parent_name="cart",route_kind="default",route_name="http",http_status="200",error=""} 0+10x60
  response_total{direction="outbound",dst_namespace="shop",dst_service="cart",classification="failure",status_code="200",grpc_status="14"} 0+4x60
)",
       R"(  {namespace="shop",service="cart",route="http"} 0.6)"},
      {"a workload's own routes", "success_rate: {below: 99%, by: route, side: server}",
       R"(
  response_total{direction="inbound",namespace="shop",deployment="web",route_kind="HTTPRoute",route_name="checkout",classification="failure"} 0+7x60
  response_total{direction="inbound",namespace="shop",deployment="web",route_kind="HTTPRoute",route_name="home",classification="success"} 0+7x60
  response_total{direction="inbound",namespace="shop",deployment="books",route_kind="default",route_name="default",classification="failure"} 0+7x60
  route_response_total{direction="inbound",namespace="shop",deployment="books",dst="books.shop.svc.cluster.local:80",rt_route="GET /",classification="failure"} 0+7x60
)",
       R"(  {namespace="shop",deployment="web",route="checkout"} 0
  {namespace="shop",deployment="books",service="books",route="GET /"} 0)"},
      {"an edge names both ends", "success_rate: {below: 99%, by: edge}",
       R"(
  outbound_http_route_request_statuses_total{namespace="front",deployment="ui",pod="a",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",http_status="500",error=""} 0+5x60
  outbound_http_route_request_statuses_total{namespace="front",deployment="bot",pod="b",parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",http_status="200",error=""} 0+5x60
  response_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="web",dst_deployment="web-v1",classification="failure"} 0+5x60
  response_total{direction="outbound",namespace="front",statefulset="old",dst_namespace="shop",dst_service="web",dst_deployment="web-v1",classification="failure"} 0+5x60
)",
       R"(  {client_namespace="front",client_deployment="ui",namespace="shop",service="web"} 0
  {client_namespace="front",client_statefulset="old",namespace="shop",service="web",deployment="web-v1"} 0)"},
      {"a workload as its callers see it", "success_rate: {below: 99%, side: client}",
       R"(
  response_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="web",dst_deployment="web-v1",classification="failure"} 0+5x60
)",
       R"(  {namespace="shop",deployment="web-v1"} 0)"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("latency is in seconds, whatever the histogram counts in") {
  const Case cases[] = {
      {"a workload's milliseconds", "latency: {quantile: 0.5, above: 500ms}",
       R"(
  response_latency_ms_bucket{direction="inbound",namespace="shop",deployment="web",le="1000.0"} 0+0x60
  response_latency_ms_bucket{direction="inbound",namespace="shop",deployment="web",le="2000.0"} 0+5x60
  response_latency_ms_bucket{direction="inbound",namespace="shop",deployment="web",le="+Inf"} 0+5x60
  response_latency_ms_count{direction="inbound",namespace="shop",deployment="web"} 0+5x60
)",
       R"(  {namespace="shop",deployment="web"} 1.5)"},
      {"too few requests", "latency: {quantile: 0.5, above: 500ms, min_requests: 1000}",
       R"(
  response_latency_ms_bucket{direction="inbound",namespace="shop",deployment="web",le="2000.0"} 0+5x60
  response_latency_ms_bucket{direction="inbound",namespace="shop",deployment="web",le="+Inf"} 0+5x60
  response_latency_ms_count{direction="inbound",namespace="shop",deployment="web"} 0+5x60
)",
       ""},
      {"a route's seconds, and a profile's milliseconds",
       "latency: {quantile: 0.5, above: 500ms, by: route}",
       R"(
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",le="0.5"} 0+0x60
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",le="1.0"} 0+5x60
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http",le="+Inf"} 0+5x60
  outbound_http_route_request_duration_seconds_count{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http"} 0+5x60
  route_response_latency_ms_bucket{direction="outbound",dst="books.shop.svc.cluster.local:80",rt_route="GET /",le="1000.0"} 0+0x60
  route_response_latency_ms_bucket{direction="outbound",dst="books.shop.svc.cluster.local:80",rt_route="GET /",le="2000.0"} 0+5x60
  route_response_latency_ms_bucket{direction="outbound",dst="books.shop.svc.cluster.local:80",rt_route="GET /",le="+Inf"} 0+5x60
  route_response_latency_ms_count{direction="outbound",dst="books.shop.svc.cluster.local:80",rt_route="GET /"} 0+5x60
)",
       R"(  {namespace="shop",service="web",route="http"} 0.75
  {namespace="shop",service="books",route="GET /"} 1.5)"},
      {"between the route histogram's bounds the finer one is asked",
       "latency: {quantile: 0.5, above: 200ms, by: service}",
       R"(
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",le="0.05"} 0+0x60
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",le="0.5"} 0+5x60
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",le="+Inf"} 0+5x60
  outbound_http_route_request_duration_seconds_count{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default"} 0+5x60
  response_latency_ms_bucket{direction="outbound",dst_namespace="shop",dst_service="web",le="50.0"} 0+0x60
  response_latency_ms_bucket{direction="outbound",dst_namespace="shop",dst_service="web",le="100.0"} 0+5x60
  response_latency_ms_bucket{direction="outbound",dst_namespace="shop",dst_service="web",le="+Inf"} 0+5x60
  response_latency_ms_count{direction="outbound",dst_namespace="shop",dst_service="web"} 0+5x60
)",
       ""},
      {"a histogram that stands still does not hide the one that moves",
       "latency: {quantile: 0.5, above: 500ms, by: service}",
       R"(
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",le="0.5"} 70x60
  outbound_http_route_request_duration_seconds_bucket{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",le="+Inf"} 70x60
  outbound_http_route_request_duration_seconds_count{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default"} 70x60
  response_latency_ms_bucket{direction="outbound",dst_namespace="shop",dst_service="web",le="1000.0"} 0+0x60
  response_latency_ms_bucket{direction="outbound",dst_namespace="shop",dst_service="web",le="2000.0"} 0+5x60
  response_latency_ms_bucket{direction="outbound",dst_namespace="shop",dst_service="web",le="+Inf"} 0+5x60
  response_latency_ms_count{direction="outbound",dst_namespace="shop",dst_service="web"} 0+5x60
)",
       R"(  {namespace="shop",service="web"} 1.5)"},
  };
  for (const Case& c : cases) check(c);
}

// 1 request/s for an hour, 1/s or less or more since; the question is asked five minutes later.
TEST_CASE("traffic against its baseline, evaluated again") {
  const Case cases[] = {
      {"a spike is a multiple of the median before the window", "traffic: {above: 3x baseline}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="web"} 0+10x390 3940+40x40
  request_total{direction="inbound",namespace="shop",deployment="calm",target_port="80"} 0+10x430
)",
       R"(  {namespace="shop",deployment="web"} 4)"},
      {"a spike below min_rate is none", "traffic: {above: 3x baseline, min_rate: 10/s}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="web"} 0+10x390 3940+40x40
)",
       ""},
      {"what has no past is learning", "traffic: {above: 3x baseline}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="new"} _x330 0+10x60 640+400x40
)",
       ""},
      {"a drop", "traffic: {below: 0.5x baseline}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="web"} 0+10x390 3901+1x40
)",
       R"(  {namespace="shop",deployment="web"} 0.1)"},
      {"traffic that is gone is zero while its proxies report", "traffic: {below: 0.5x baseline}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="web"} 0+10x350 stale
  proxy_build_info{namespace="shop",deployment="web",pod="a"} 1x430
)",
       R"(  {namespace="shop",deployment="web"} 0)"},
      {"and unknown when they do not", "traffic: {below: 0.5x baseline}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="web"} 0+10x350 stale
  proxy_build_info{namespace="shop",deployment="web",pod="a"} 1x350 stale
)",
       ""},
      {"or when one of them cannot be scraped", "traffic: {below: 0.5x baseline}",
       R"(
  request_total{direction="inbound",namespace="shop",deployment="web",pod="a"} 0+10x410 stale
  up{job="linkerd-proxy",namespace="shop",deployment="web",pod="a"} 1x410 0x20
)",
       ""},
      {"the drop of a service", "traffic: {below: 0.5x baseline, by: service}",
       R"(
  request_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="web"} 0+10x350 stale
  proxy_build_info{namespace="front",deployment="ui",pod="a"} 1x430
)",
       R"(  {namespace="shop",service="web"} 0)"},
      {"the drop of an edge", "traffic: {below: 0.5x baseline, by: edge, baseline_over: 20m}",
       R"(
  request_total{direction="outbound",namespace="front",deployment="ui",dst_namespace="shop",dst_service="web",dst_deployment="web"} 0+10x350 stale
  request_total{direction="outbound",namespace="front",deployment="gone",dst_namespace="shop",dst_service="web",dst_deployment="web"} 0+10x350 stale
  proxy_build_info{namespace="front",deployment="ui",pod="a"} 1x430
)",
       R"(  {client_namespace="front",client_deployment="ui",namespace="shop",service="web",deployment="web"} 0)"},
      {"a rate of its own needs no baseline", "traffic: {above: 3/s, by: route}",
       R"(
  outbound_http_route_backend_requests_total{parent_kind="Service",parent_namespace="shop",parent_name="web",route_kind="default",route_name="http"} _x400 0+40x30
)",
       R"(  {namespace="shop",service="web",route="http"} 4)"},
  };
  for (const Case& c : cases) check(c, "71m40s");
}

TEST_CASE("traffic against its baseline, recorded") {
  const Loaded loaded = load_alert("traffic: {above: 3x baseline}");
  const auto& rules = loaded.rules.groups.at(0).rules;
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].generated);
  CHECK(rules[0].name == "tocsin:traffic_rate5m:by_workload_server");
  const std::string series = R"(
  tocsin:traffic_rate5m:by_workload_server{namespace="shop",deployment="web"} 10x420 50x10
  tocsin:traffic_rate5m:by_workload_server{namespace="shop",deployment="new"} _x360 10x60 50x10
  tocsin:traffic_rate5m:by_workload_server{namespace="shop",deployment="calm"} 10x430
)";
  const promql::ScriptReport report = promql::run_script(script_of(
      rules[1].expr_text, series, R"(  {namespace="shop",deployment="web"} 5)", "71m40s"));
  CHECK(report.passed == 1);
  for (const auto& failure : report.failures) FAIL_CHECK(failure.actual);
}

TEST_CASE("conditions that agree on what they remember share one recording") {
  const Loaded loaded = load_text(
      "groups:\n- name: g\n  rules:\n"
      "  - alert: Spike\n    traffic: {above: 3x baseline}\n"
      "  - alert: Drop\n    traffic: {below: 0.5x baseline}\n"
      "  - alert: ShopSpike\n    traffic: {above: 3x baseline, where: {namespace: shop}}\n");
  std::vector<std::string> names;
  for (const Rule& rule : loaded.rules.groups.at(0).rules) names.push_back(rule.name);
  CHECK(names ==
        std::vector<std::string>{"tocsin:traffic_rate5m:by_workload_server", "Spike", "Drop",
                                 "tocsin:traffic_rate5m:by_workload_server:f20b58e4", "ShopSpike"});
}

}  // namespace
}  // namespace tocsin::rule
