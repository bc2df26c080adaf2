// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

ErrorCode error_of(const std::string& text, const QueryOptions& options) {
  const auto tree = parse(text);
  REQUIRE_MESSAGE(tree, text);
  const store::Store empty;
  auto answer = Query::prepare(*tree, options).evaluate(empty, from_millis(1'700'000'000'000));
  REQUIRE_MESSAGE(!answer, text);
  return answer.error().code;
}

TEST_CASE("a query that would take years ends at the limit of samples, even where there are none") {
  QueryOptions options;
  options.max_samples = 10'000;
  for (const char* query : {"count_over_time(nothing[100y:1ms])", "rate((nothing > 1)[50y:1s])",
                            "max_over_time(vector(1)[10y:1ms])",
                            "sum(sum_over_time(sum_over_time(nothing[1y:1ms])[1y:1ms]))"}) {
    CHECK(error_of(query, options) == ErrorCode::Limit);
  }
}

TEST_CASE("a query ends when it is cancelled, between the steps of a subquery, too") {
  QueryOptions options;
  int asked = 0;
  options.is_canceled = [&] { return ++asked > 100; };
  CHECK(error_of("count_over_time(nothing[1y:1ms])", options) == ErrorCode::Canceled);
}

}  // namespace
}  // namespace tocsin::promql
