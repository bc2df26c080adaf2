// SPDX-License-Identifier: Apache-2.0
#include "source/remote_query.h"

#include <doctest/doctest.h>

#include "promql/histogram_notation.h"
#include "support/executors.h"
#include "support/fake_web.h"

namespace tocsin::source {
namespace {

Result<promql::Answer> read(int status, const std::string& body) {
  return read_answer(net::HttpResponse{.status = status, .body = body});
}

std::string success(const std::string& data) {
  return R"({"status":"success","data":)" + data + "}";
}

TEST_CASE("requests are forms that name time, step and timeout") {
  const RemoteConfig config{.url = "http://p:9090/prom/", .timeout = Duration(2500)};
  const auto instant = instant_request(config, "sum(a) + b", from_millis(1'500));
  REQUIRE(instant);
  CHECK(instant->method == "POST");
  CHECK(instant->url == "http://p:9090/prom/api/v1/query");
  CHECK(instant->body == "query=sum%28a%29%20%2B%20b&time=1.5&timeout=2500ms");
  CHECK(instant->timeout == Duration(2500));
  const auto range =
      range_request(config, "a", {from_millis(0), from_millis(60'000), Duration(500)});
  REQUIRE(range);
  CHECK(range->url == "http://p:9090/prom/api/v1/query_range");
  CHECK(range->body == "query=a&start=0&end=60&step=0.5&timeout=2500ms");
}

TEST_CASE("every kind of value is read") {
  const auto vector = read(200, success(R"({"resultType":"vector","result":[
      {"metric":{"__name__":"up","job":"j"},"value":[1700000000.123,"1"]},
      {"metric":{},"value":[1700000000,"NaN"]},
      {"metric":{"h":"x"},"histogram":[2,{"count":"7","sum":"2.5","buckets":
          [[1,"-2","-1","4"],[3,"-0.5","0.5","1"],[0,"0.5","1","2"]]}]}]})"));
  REQUIRE_MESSAGE(vector, vector.error().message);
  const auto& elements = std::get<promql::Vector>(vector->value);
  REQUIRE(elements.size() == 3);
  CHECK(elements[2].sample.at == from_millis(2000));
  REQUIRE(elements[2].histogram);
  CHECK(promql::histogram_notation(*elements[2].histogram) ==
        "{{count:7 sum:2.5 z_bucket:1 z_bucket_w:0.5 buckets:[2] n_offset:1 n_buckets:[4]}}");
  CHECK(elements[0].labels.text() == R"(up{job="j"})");
  CHECK(elements[0].sample == Sample{from_millis(1'700'000'000'123), 1});
  CHECK(format_value(elements[1].sample.value) == "NaN");

  const auto matrix = read(200, success(R"({"resultType":"matrix","result":[
      {"metric":{"a":"b"},"values":[[1,"1"],[2.5,"+Inf"]],
       "histograms":[[3,{"count":"0","sum":"0"}]]}]})"));
  REQUIRE(matrix);
  const auto& series = std::get<promql::Matrix>(matrix->value);
  REQUIRE(series.size() == 1);
  CHECK(series[0].samples.size() == 2);
  CHECK(series[0].samples[1].at == from_millis(2500));
  REQUIRE(series[0].histograms.size() == 1);
  CHECK(series[0].histograms[0].at == from_millis(3000));

  CHECK(std::get<Sample>(read(200, success(R"({"resultType":"scalar","result":[1,"2"]})"))->value)
            .value == 2);
  CHECK(std::get<promql::Text>(
            read(200, success(R"({"resultType":"string","result":[1,"x"]})"))->value)
            .value == "x");
}

TEST_CASE("warnings and infos come along") {
  const auto answer = read(200, R"({"status":"success","data":{"resultType":"vector","result":[]},
      "warnings":["w"],"infos":["i"]})");
  REQUIRE(answer);
  CHECK(answer->annotations.warnings == std::vector<promql::Annotation>{{"w"}});
  CHECK(answer->annotations.infos == std::vector<promql::Annotation>{{"i"}});
}

TEST_CASE("errors keep the other side's words and get our kind") {
  struct Row {
    int status;
    std::string body;
    ErrorCode code;
    std::string message;
  };
  const auto error = [](const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
  };
  const std::vector<Row> rows = {
      {400, error("bad_data", "parse error"), ErrorCode::InvalidArgument, "parse error"},
      {422, error("execution", "many-to-many"), ErrorCode::Execution, "many-to-many"},
      {503, error("timeout", "query timed out"), ErrorCode::Timeout, "query timed out"},
      {503, error("unavailable", "starting"), ErrorCode::Unavailable, "starting"},
      {500, error("internal", "oops"), ErrorCode::Unavailable, "oops"},
      {401, "Unauthorized\n", ErrorCode::InvalidArgument, "HTTP status 401: Unauthorized"},
      {502, "<html>\n<body>", ErrorCode::Unavailable, "HTTP status 502: <html>"},
      {503, "", ErrorCode::Unavailable, "HTTP status 503"},
      {429, "slow down", ErrorCode::Unavailable, "HTTP status 429: slow down"},
      {200, "hello", ErrorCode::Parse, "not an answer of a query API: HTTP status 200: hello"},
      {200, success(R"({"resultType":"vector"})"), ErrorCode::Parse,
       "not an answer of a query API: no result"},
      {200, success(R"({"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"1"]}]})"),
       ErrorCode::Parse, "not an answer of a query API: expected a string"},
      {200, success(R"({"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]})"),
       ErrorCode::Parse, "not an answer of a query API: not a number: x"},
      {200, success(R"({"resultType":"scalar","result":[1e300,"1"]})"), ErrorCode::Parse,
       "not an answer of a query API: not a time"},
      {200, success(R"({"resultType":"vector","result":[{"metric":{},"histogram":
          [1,{"count":"1","sum":"1","buckets":[[0.5,"1","2","1"]]}]}]})"),
       ErrorCode::Parse, "not an answer of a query API: expected [rule, lower, upper, count]"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const auto answer = read(row.status, row.body);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == row.code);
    CHECK(answer.error().message == row.message);
  }
  CHECK(read_answer(fail(ErrorCode::Timeout, "slow")).error().code == ErrorCode::Timeout);
}

TEST_CASE("a query goes out and its answer comes back") {
  testing::InlineExecutor loop;
  testing::FakeWeb http(loop);
  http.on("http://p/api/v1/query", [](const net::HttpRequest&) {
    return net::HttpResponse{.status = 200,
                             .body = success(R"({"resultType":"scalar","result":[1,"2"]})")};
  });
  RemoteConfig config{.url = "http://p"};
  config.client.headers = {{"X-Scope-OrgID", "mesh"}};
  RemoteQuery remote(http, config);
  double value = 0;
  remote.instant("2", from_millis(1000), [&](const Result<promql::Answer>& answer) {
    REQUIRE(answer);
    value = std::get<Sample>(answer->value).value;
  });
  CHECK(value == 2);
  CHECK(net::find_header(http.requests.at(0).headers, "X-Scope-OrgID") == "mesh");

  config.client.authorization = net::AuthorizationConfig{.credentials_file = "/nonexistent"};
  RemoteQuery locked_out(http, config);
  ErrorCode code{};
  locked_out.instant("2", from_millis(1000),
                     [&](const Result<promql::Answer>& answer) { code = answer.error().code; });
  CHECK(code == ErrorCode::Io);
}

}  // namespace
}  // namespace tocsin::source
