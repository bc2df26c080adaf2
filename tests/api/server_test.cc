// SPDX-License-Identifier: Apache-2.0
#include "api/server.h"

#include <doctest/doctest.h>

#include "api/asking.h"
#include "tocsin/version.h"

namespace tocsin::api {
namespace {

using testing::ask;
using testing::FakeBackend;
using testing::get;

TEST_CASE("an unknown path is 404, a wrong method 405 with the right ones") {
  FakeBackend b;
  for (const char* path : {"/nope", "/api/v1/nope", "/api/v1/label/values", "/api/v1/label//values",
                           "/api/v1/query/", "/-/", ""}) {
    CAPTURE(path);
    CHECK(ask(b, "GET", path).status == 404);
  }
  struct Case {
    const char* method;
    const char* path;
    const char* allow;
  };
  const Case cases[] = {{"DELETE", "/api/v1/query", "GET, OPTIONS, POST"},
                        {"POST", "/api/v1/rules", "GET, OPTIONS"},
                        {"GET", "/-/reload", "POST, PUT"},
                        {"BREW", "/", "GET"}};
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const auto answer = ask(b, c.method, c.path);
    CHECK(answer.status == 405);
    CHECK(net::find_header(answer.headers, "Allow") == c.allow);
  }
}

TEST_CASE(
    "of two replicas one says which it is, whose turn it is, and to the other what it has told") {
  FakeBackend b;
  CHECK(ask(b, "GET", "/api/v1/replica").status == 404);
  CHECK(get(b, "/-/ready") == "Tocsin is Ready.\n");
  CHECK(get(b, "/metrics").find("tocsin_replica_tells{") == std::string::npos);
  b.info.replica =
      ReplicaStatus{false, false, "http://first:9467", true, "connection refused", std::nullopt, 3};
  b.report = "{}";
  CHECK(ask(b, "GET", "/api/v1/replica").body == "{}");
  CHECK(ask(b, "POST", "/api/v1/replica").status == 405);
  CHECK(get(b, "/-/ready").find("the standby of two replicas, and silent.") != std::string::npos);
  const std::string metrics = get(b, "/metrics");
  CHECK(metrics.find("tocsin_replica_tells{role=\"standby\"} 0\n") != std::string::npos);
  CHECK(metrics.find("tocsin_replica_peer_up{role=\"standby\"} 0\n") != std::string::npos);
  CHECK(metrics.find("tocsin_replica_takeovers_total{role=\"standby\"} 3\n") != std::string::npos);
  CHECK(get(b, "/").find("http://first:9467") != std::string::npos);
  b.info.replica->tells = true;
  CHECK(get(b, "/-/ready").find("and tells receivers.") != std::string::npos);
}

TEST_CASE("a page of another origin may read the API, and only the API") {
  FakeBackend b;
  auto request = testing::request_of("GET", "/api/v1/query?query=1");
  CHECK(net::find_header(ask(b, request).headers, "Access-Control-Allow-Origin").empty());
  request.headers.emplace_back("Origin", "https://grafana.example.org");
  CHECK(net::find_header(ask(b, request).headers, "Access-Control-Allow-Origin") == "*");
  request.method = "OPTIONS";
  CHECK(ask(b, request).status == 204);
  auto page = testing::request_of("GET", "/");
  page.headers.emplace_back("Origin", "https://grafana.example.org");
  CHECK(net::find_header(ask(b, page).headers, "Access-Control-Allow-Origin").empty());
}

TEST_CASE("the link of an alert shows the expression and what it says now, escaped") {
  FakeBackend b;
  b.sample({{"__name__", "up"}, {"job", "<b>"}}, 0);
  const std::string page = get(b, "/graph?g0.expr=up%20%3C%201&g0.tab=1");
  CHECK(page.find("up &lt; 1") != std::string::npos);
  CHECK(page.find("job=&quot;&lt;b&gt;&quot;") != std::string::npos);
  CHECK(page.find("<b>\"") == std::string::npos);
  const std::string broken = get(b, "/graph?g0.expr=upp(");
  CHECK(broken.find("class=\"error\"") != std::string::npos);
}

TEST_CASE("series, label names and label values list what the store has") {
  FakeBackend b;
  b.sample({{"__name__", "up"}, {"job", "api"}, {"instance", "b:1"}}, 0);
  b.sample({{"__name__", "up"}, {"job", "api"}, {"instance", "a:1"}}, 1);
  b.sample({{"__name__", "x"}, {"zone", "\"z\""}}, 1);
  CHECK(
      get(b, "/api/v1/series?match[]=up") ==
      R"j({"status":"success","data":[{"__name__":"up","instance":"a:1","job":"api"},{"__name__":"up","instance":"b:1","job":"api"}]})j");
  CHECK(
      get(b, "/api/v1/series?match[]=up&match[]={instance=\"a:1\"}&limit=1") ==
      R"j({"status":"success","data":[{"__name__":"up","instance":"a:1","job":"api"}],"warnings":["results truncated due to limit"]})j");
  CHECK(get(b, "/api/v1/labels") ==
        R"j({"status":"success","data":["__name__","instance","job","zone"]})j");
  CHECK(get(b, "/api/v1/labels?match[]=x") ==
        R"j({"status":"success","data":["__name__","zone"]})j");
  CHECK(get(b, "/api/v1/label/zone/values") == R"j({"status":"success","data":["\"z\""]})j");
  CHECK(get(b, "/api/v1/label/instance/values?limit=1") ==
        R"j({"status":"success","data":["a:1"],"warnings":["results truncated due to limit"]})j");
  CHECK(get(b, "/api/v1/label/nope/values") == R"j({"status":"success","data":[]})j");
  CHECK(get(b, "/api/v1/series") ==
        R"j({"status":"error","errorType":"bad_data","error":"no match[] parameter provided"})j");
  for (const char* bad : {"series?match[]=up%2B1", "series?match[]={}", "labels?start=x",
                          "labels?match[]=rate(up[1m])", "label/job/values?limit=x"}) {
    CAPTURE(bad);
    CHECK(ask(b, "GET", std::string("/api/v1/") + bad).status == 400);
  }
}

TEST_CASE("federation gives the newest samples with their own timestamps") {
  FakeBackend b;
  b.info.external_labels = {{"cluster", "prod"}, {"job", "not this one"}};
  b.sample({{"__name__", "up"}, {"job", "api"}, {"instance", "a:1"}}, 0,
           FakeBackend::kNow - Duration(9000));
  b.sample({{"__name__", "up"}, {"job", "api"}, {"instance", "a:1"}}, 1,
           FakeBackend::kNow - Duration(4156));
  b.sample({{"__name__", "a:b"}, {"path", "C:\\\n\""}}, 1e-9, FakeBackend::kNow);
  b.sample({{"__name__", "old"}}, 1, FakeBackend::kNow - std::chrono::minutes(6));
  const auto answer = ask(b, "GET", "/federate?match[]=up&match[]={__name__=~\"a:b|old|up\"}");
  CHECK(answer.status == 200);
  CHECK(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(answer.body ==
        "# TYPE a:b untyped\n"
        "a:b{path=\"C:\\\\\\n\\\"\",cluster=\"prod\",job=\"not this one\",instance=\"\"} 1e-09 "
        "1795369320000\n"
        "# TYPE up untyped\n"
        "up{instance=\"a:1\",job=\"api\",cluster=\"prod\"} 1 1795369315844\n");
  CHECK(get(b, "/federate") == "");
  CHECK(ask(b, "GET", "/federate?match[]=up%2B").status == 400);
  b.query_error = Error{ErrorCode::Limit, "too much"};
  CHECK(ask(b, "GET", "/federate?match[]=up").status == 422);
}

TEST_CASE("health, readiness and reload are what Kubernetes and operators expect") {
  FakeBackend b;
  CHECK(ask(b, "GET", "/-/healthy").status == 200);
  CHECK(ask(b, "HEAD", "/-/healthy").status == 200);
  CHECK(ask(b, "GET", "/-/ready").status == 200);
  b.is_ready_now = false;
  CHECK(ask(b, "GET", "/-/ready").status == 503);
  CHECK(ask(b, "GET", "/-/healthy").status == 200);
  CHECK(ask(b, "POST", "/-/reload").status == 200);
  b.reload_result = fail(ErrorCode::InvalidArgument, "tocsin.yaml:3:1: error: unknown key 'x'");
  const auto refused = ask(b, "PUT", "/-/reload");
  CHECK(refused.status == 500);
  CHECK(refused.body.find("tocsin.yaml:3:1: error: unknown key 'x'") != std::string::npos);
  CHECK(b.reloads == 2);
}

TEST_CASE("the build tells its version where Prometheus does") {
  FakeBackend b;
  CHECK(get(b, "/api/v1/status/buildinfo")
            .starts_with(R"j({"status":"success","data":{"version":")j" + std::string(version())));
}

TEST_CASE(
    "the status of the store has Prometheus' shape, and knows the metrics with the most series") {
  FakeBackend b;
  b.sample({{"__name__", "up"}}, 1);
  b.all_kept = testing::kept_metrics();
  const std::string head =
      R"j({"status":"success","data":{"headStats":{"numSeries":1,"numLabelPairs":0,"chunkCount":0,)j"
      R"j("minTime":1795365420000,"maxTime":1795369320000},"seriesCountByMetricName":[)j"
      R"j({"name":"response_latency_ms_bucket","value":98400},{"name":"response_total","value":7200})j";
  const std::string tail = R"j(],"labelValueCountByLabelName":[],"memoryInBytesByLabelName":[],)j"
                           R"j("seriesCountByLabelValuePair":[]}})j";
  CHECK(get(b, "/api/v1/status/tsdb?limit=2") == head + tail);
  const std::string all = get(b, "/api/v1/status/tsdb");
  CHECK(all.starts_with(head));
  CHECK(all.find(R"j({"name":"up","value":1}])j") != std::string::npos);
  CHECK(ask(b, "GET", "/api/v1/status/tsdb?limit=x").status == 400);
}

TEST_CASE("targets are listed as Prometheus lists them") {
  FakeBackend b;
  b.info.external_url = "https://tocsin.example.org/t";
  b.all_targets = {testing::target("zed", "10.0.0.1:4191", source::Health::Up),
                   testing::target("api", "127.0.0.1:1", source::Health::Down)};
  b.all_targets[1].last_error = "connection refused";
  b.all_targets[1].last_scrape.reset();
  b.all_dropped = {{"api", Labels{{"__address__", "c:1"}}}};
  CHECK(
      get(b, "/api/v1/targets") ==
      R"j({"status":"success","data":{"activeTargets":[)j"
      R"j({"discoveredLabels":{"__address__":"127.0.0.1:1","job":"api"},"labels":{"instance":"127.0.0.1:1","job":"api"},)j"
      R"j("scrapePool":"api","scrapeUrl":"http://127.0.0.1:1/metrics","globalUrl":"http://tocsin.example.org:1/metrics",)j"
      R"j("lastError":"connection refused","lastScrape":"0001-01-01T00:00:00Z","lastScrapeDuration":0.012,"health":"down",)j"
      R"j("scrapeInterval":"10s","scrapeTimeout":"5s"},)j"
      R"j({"discoveredLabels":{"__address__":"10.0.0.1:4191","job":"zed"},"labels":{"instance":"10.0.0.1:4191","job":"zed"},)j"
      R"j("scrapePool":"zed","scrapeUrl":"http://10.0.0.1:4191/metrics","globalUrl":"http://10.0.0.1:4191/metrics",)j"
      R"j("lastError":"","lastScrape":"2026-11-22T17:41:56.000Z","lastScrapeDuration":0.012,"health":"up",)j"
      R"j("scrapeInterval":"10s","scrapeTimeout":"5s"}],)j"
      R"j("droppedTargets":[{"discoveredLabels":{"__address__":"c:1"},"scrapePool":"api"}],"droppedTargetCounts":{"api":1}}})j");
  CHECK(
      get(b, "/api/v1/targets?state=dropped") ==
      R"j({"status":"success","data":{"activeTargets":[],"droppedTargets":[{"discoveredLabels":{"__address__":"c:1"},"scrapePool":"api"}],"droppedTargetCounts":{"api":1}}})j");
  CHECK(get(b, "/api/v1/targets?state=active&scrapePool=none") ==
        R"j({"status":"success","data":{"activeTargets":[],"droppedTargets":[]}})j");
}

}  // namespace
}  // namespace tocsin::api
