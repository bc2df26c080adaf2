// SPDX-License-Identifier: Apache-2.0
//
// The answers are those of a real Prometheus to the same questions.
#include <doctest/doctest.h>

#include "api/asking.h"

namespace tocsin::api {
namespace {

using testing::ask;
using testing::FakeBackend;
using testing::get;

struct Exchange {
  const char* question;
  int status;
  const char* answer;
};

void fill(FakeBackend& b) {
  b.sample({{"__name__", "up"}, {"job", "api"}, {"instance", "a:1"}}, 1);
  b.sample({{"__name__", "up"}, {"job", "api"}, {"instance", "b:1"}}, 0);
}

TEST_CASE("an instant query is answered in Prometheus' shapes") {
  FakeBackend b;
  fill(b);
  const Exchange exchanges[] = {
      {"query=vector(1e-7)&time=1700000000.05", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000.050,"1e-07"]}]}})j"},
      {"query=1e-7&time=1700000000", 200,
       R"j({"status":"success","data":{"resultType":"scalar","result":[1700000000,"0.0000001"]}})j"},
      {"query=vector(1e22)&time=1700000000.5", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000.500,"1e+22"]}]}})j"},
      {"query=%22a%22", 200,
       R"j({"status":"success","data":{"resultType":"string","result":[1795369320,"a"]}})j"},
      {"query=vector(NaN)&time=1", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}})j"},
      {"query=vector(-Inf)&time=1970-01-01T00:00:01Z", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"-Inf"]}]}})j"},
      {"query=nothing", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[]}})j"},
      {"query=up{instance=\"b:1\"}", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"b:1","job":"api"},"value":[1795369320,"0"]}]}})j"},
      {"query=up{instance=\"a:1\"}[1m]", 200,
       R"j({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"a:1","job":"api"},"values":[[1795369320,"1"]]}]}})j"},
      {"query=sort(up)&limit=1", 200,
       R"j({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"b:1","job":"api"},"value":[1795369320,"0"]}]},"warnings":["results truncated due to limit"]})j"},
  };
  for (const Exchange& exchange : exchanges) {
    CAPTURE(exchange.question);
    const auto answer = ask(b, "GET", std::string("/api/v1/query?") + exchange.question);
    CHECK(answer.status == exchange.status);
    CHECK(answer.body == exchange.answer);
    CHECK(answer.content_type == "application/json");
  }
}

TEST_CASE("a wrong question is refused in Prometheus' words") {
  FakeBackend b;
  const Exchange exchanges[] = {
      {"query?query=up&time=foo", 400,
       R"j("error":"invalid parameter \"time\": invalid time value for 'time': cannot parse \"foo\" to a valid timestamp"})j"},
      {"query?query=up&timeout=foo", 400,
       R"j("error":"invalid parameter \"timeout\": cannot parse \"foo\" to a valid duration"})j"},
      {"query?query=up&limit=-1", 400,
       R"j("error":"invalid parameter \"limit\": limit must be non-negative"})j"},
      {"query?query=up%2B", 400, R"j("error":"invalid parameter \"query\": 1:4: parse error: )j"},
      {"query?query=", 400, R"j("error":"invalid parameter \"query\": 1:1: parse error: )j"},
      {"query_range?query=up&start=1&end=0&step=1", 400,
       R"j("error":"invalid parameter \"end\": end timestamp must not be before start time"})j"},
      {"query_range?query=up&start=1&end=2&step=0", 400,
       R"j("error":"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"})j"},
      {"query_range?query=up&start=1&end=2", 400,
       R"j("error":"invalid parameter \"step\": cannot parse \"\" to a valid duration"})j"},
      {"query_range?query=up&end=2", 400,
       R"j("error":"invalid parameter \"start\": cannot parse \"\" to a valid timestamp"})j"},
      {"query_range?query=up&start=1&end=200000&step=1", 400,
       R"j("error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"})j"},
      {"query_range?query=up[5m]&start=1&end=2&step=1", 400,
       R"j("error":"invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"})j"},
  };
  for (const Exchange& exchange : exchanges) {
    CAPTURE(exchange.question);
    const auto answer = ask(b, "GET", std::string("/api/v1/") + exchange.question);
    CHECK(answer.status == exchange.status);
    CHECK(answer.body.starts_with(R"j({"status":"error","errorType":"bad_data",)j"));
    CHECK_MESSAGE(answer.body.find(exchange.answer) != std::string::npos, answer.body);
  }
  CHECK(b.requests.empty());
}

TEST_CASE("a range query gives every step from start to end") {
  FakeBackend b;
  CHECK(
      get(b, "/api/v1/query_range?query=1&start=1&end=2&step=1") ==
      R"j({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"1"]]}]}})j");
  CHECK(
      get(b, "/api/v1/query_range?query=vector(2)&start=0&end=60&step=30s") ==
      R"j({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"2"],[30,"2"],[60,"2"]]}]}})j");
  CHECK(b.requests.back().step == std::chrono::seconds(30));
  // 11,001 points are 11,000 steps: as many as Prometheus gives.
  CHECK(ask(b, "GET", "/api/v1/query_range?query=1&start=0&end=11000&step=1").status == 200);
}

TEST_CASE("each kind of error has Prometheus' type and status") {
  struct Case {
    ErrorCode code;
    int status;
    const char* type;
  };
  const Case cases[] = {
      {ErrorCode::InvalidArgument, 400, "bad_data"},
      {ErrorCode::Parse, 400, "bad_data"},
      {ErrorCode::Execution, 422, "execution"},
      {ErrorCode::Limit, 422, "execution"},
      {ErrorCode::NotFound, 404, "not_found"},
      {ErrorCode::Timeout, 503, "timeout"},
      {ErrorCode::Canceled, 499, "canceled"},
      {ErrorCode::Unavailable, 503, "unavailable"},
      {ErrorCode::Io, 500, "internal"},
  };
  FakeBackend b;
  for (const Case& c : cases) {
    CAPTURE(c.type);
    b.query_error = Error{c.code, "it \"broke\"\n\x01"};
    const auto answer = ask(b, "GET", "/api/v1/query?query=up");
    CHECK(answer.status == c.status);
    CHECK(answer.body == std::string(R"j({"status":"error","errorType":")j") + c.type +
                             R"j(","error":"it \"broke\"\n\u0001"})j");
  }
}

TEST_CASE("a query carries its time and its timeout, which is two minutes at most") {
  FakeBackend b;
  get(b, "/api/v1/query?query=up");
  CHECK(b.requests.back().start == FakeBackend::kNow);
  CHECK(b.requests.back().step.count() == 0);
  CHECK(b.requests.back().timeout == std::chrono::minutes(2));
  get(b, "/api/v1/query?query=up&time=1700000000&timeout=30s");
  CHECK(to_millis(b.requests.back().end) == 1'700'000'000'000);
  CHECK(b.requests.back().timeout == std::chrono::seconds(30));
  get(b, "/api/v1/query?query=up&timeout=1h");
  CHECK(b.requests.back().timeout == std::chrono::minutes(2));
}

TEST_CASE("what a remote Prometheus may know is for it to refuse") {
  FakeBackend b;
  b.info.prometheus_url = "http://prometheus:9090";
  b.query_error = Error{ErrorCode::InvalidArgument, "unknown function"};
  CHECK(ask(b, "GET", "/api/v1/query?query=brand_new(up)").body.find("unknown function") !=
        std::string::npos);
  CHECK(b.requests.size() == 1);
}

}  // namespace
}  // namespace tocsin::api
