// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api/answer_json.h"
#include "api/asking.h"

namespace tocsin::api {
namespace {

TEST_CASE("editors of queries get what they ask for") {
  testing::FakeBackend b;
  const struct {
    const char* question;
    int status;
    const char* answer;
  } exchanges[] = {
      {"metadata", 200, R"({"status":"success","data":{}})"},
      {"metadata?limit=x", 400,
       R"({"status":"error","errorType":"bad_data","error":"limit must be a number"})"},
      {"query_exemplars?query=up&start=1&end=2", 200, R"({"status":"success","data":[]})"},
      {"query_exemplars?query=up&start=2&end=1", 400,
       R"({"status":"error","errorType":"bad_data","error":"end timestamp must not be before start timestamp"})"},
      {"format_query?query=sum(a)by(b)", 200, R"j({"status":"success","data":"sum by (b) (a)"})j"},
  };
  for (const auto& exchange : exchanges) {
    CAPTURE(std::string(exchange.question));
    const auto answer = testing::ask(b, "GET", std::string("/api/v1/") + exchange.question);
    CHECK(answer.status == exchange.status);
    CHECK(answer.body == exchange.answer);
  }
  CHECK(testing::ask(b, "GET", "/api/v1/format_query?query=a%2B").status == 400);
  CHECK(testing::ask(b, "POST", "/api/v1/metadata").status == 405);
}

TEST_CASE("native histograms are written as buckets with their bounds, never as numbers") {
  auto histogram = std::make_shared<Histogram>();
  histogram->count = 7;
  histogram->sum = 2.5;
  histogram->zero_threshold = 0.5;
  histogram->zero_count = 1;
  histogram->negative = {{1, 4}};
  histogram->positive = {{0, 2}};
  const Labels labels{{"a", "b"}};
  const std::string written =
      R"([1,{"count":"7","sum":"2.5","buckets":[[1,"-2","-1","4"],[3,"-0.5","0.5","1"],[0,"0.5","1","2"]]}])";
  const promql::Vector vector{{labels, {from_millis(1000), 0}, histogram}};
  CHECK(answer_json(vector) ==
        R"({"resultType":"vector","result":[{"metric":{"a":"b"},"histogram":)" + written + "}]}");
  const promql::Matrix matrix{{labels, {{from_millis(0), 1}}, {{from_millis(1000), histogram}}}};
  CHECK(
      answer_json(matrix) ==
      R"({"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[0,"1"]],"histograms":[)" +
          written + "]}]}");
}

}  // namespace
}  // namespace tocsin::api
