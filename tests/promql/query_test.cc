// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "promql/shared_steps.h"
#include "promql/shared_values.h"
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

TEST_CASE("where steps are shared and nothing is on the left, the right side is not asked for") {
  QueryOptions options;
  options.max_samples = 10'000;
  const std::string much = "count_over_time(nothing[100y:1ms])";
  for (const std::string op : {" and ", " unless ", " / ", " < "}) {
    options.shared_steps = nullptr;
    CHECK(error_of("(vector(1) > 2)" + op + much, options) == ErrorCode::Limit);
    options.shared_steps = std::make_shared<SharedSteps>(std::vector<ExprPtr>());
    CHECK(error_of("vector(1)" + op + much, options) == ErrorCode::Limit);
    const auto tree = parse("(vector(1) > 2)" + op + much);
    const auto answer = Query::prepare(*tree, options).evaluate(store::Store(), from_millis(0));
    REQUIRE_MESSAGE(answer, answer.error().message);
    CHECK(std::get<Vector>(answer->value).empty());
  }
}

TEST_CASE("a query ends when it is cancelled, between the steps of a subquery, too") {
  QueryOptions options;
  int asked = 0;
  options.is_canceled = [&] { return ++asked > 100; };
  CHECK(error_of("count_over_time(nothing[1y:1ms])", options) == ErrorCode::Canceled);
}

// Counters of some targets: with resets, gaps and a series that is born late.
void fill(store::Store& store, int targets = 2) {
  for (int target = 0; target < targets; ++target) {
    const store::BlockId block = store.add_block({.history = std::chrono::hours(2)});
    for (int n = 0; n < 5; ++n) {
      const std::string name = std::to_string(target) + std::to_string(n);
      const auto id = store.add_series(block, Labels{{"__name__", "c_total"}, {"n", name}}, true);
      for (int i = n == 3 ? 40 : 0; i < 120; ++i) {
        if (n == 1 && i % 11 == 5) continue;
        const double value = n == 2 ? i % 17 : n * i;
        store.append_sample(id, from_millis(30'000 * i + 137 * target), value);
      }
    }
  }
}

// What a range query says of an instant.
std::map<std::string, double> values_at(const Matrix& matrix, Timestamp at) {
  std::map<std::string, double> out;
  for (const Series& series : matrix) {
    for (const Sample& sample : series.samples) {
      if (sample.at == at) out[series.labels.text()] = sample.value;
    }
  }
  return out;
}

TEST_CASE("the steps of a range query have the values of its instants") {
  store::Store store;
  fill(store);
  const Timestamp start = from_millis(100'000);
  const Timestamp end = from_millis(3'500'000);
  const Duration step(47'000);
  for (const char* text : {"rate(c_total[5m])",
                           "increase(c_total[3m] offset 2m)",
                           "sum(rate(c_total[10m])) > 0",
                           "rate(c_total[5m] @ 1800)",
                           "max_over_time(rate(c_total[2m])[10m:40s])",
                           "delta(c_total[90s])",
                           "sum by (n) (increase(c_total[3m]))",
                           "avg(rate(c_total[4m])) by (n)",
                           "count(avg_over_time(c_total[5m]))",
                           "max_over_time(c_total[2m])",
                           "quantile_over_time(0.3, c_total[5m])",
                           "stddev(changes(c_total[6m]))",
                           "min_over_time(sum(rate(c_total[2m]))[5m:30s])",
                           "predict_linear(c_total[3m], 60)",
                           "rate(c_total[20s])",
                           "sum_over_time(c_total[5m] offset -1m)",
                           "max(present_over_time(c_total[1m]))",
                           "last_over_time(max_over_time(c_total[1m:20s])[4m:50s])",
                           "c_total",
                           "c_total offset 3m",
                           "c_total offset -90s",
                           "timestamp(c_total)",
                           "c_total @ 1800",
                           "quantile_over_time(2, c_total[5m])",
                           "count_over_time((sum(c_total) > 100)[5m:] @ 1800)"}) {
    CAPTURE(std::string(text));
    const auto expr = parse(text);
    REQUIRE(expr);
    auto query = Query::prepare(*expr);
    const auto range = query.evaluate_range(store, start, end, step);
    REQUIRE(range);
    for (Timestamp at = start; at <= end; at += step) {
      const auto answer = Query::prepare(*expr).evaluate(store, at);
      REQUIRE(answer);
      std::map<std::string, double> expected;
      for (const Element& element : std::get<Vector>(answer->value)) {
        expected[element.labels.text()] = element.sample.value;
      }
      CHECK(values_at(std::get<Matrix>(range->value), at) == expected);
    }
    // The plan remembers nothing of former answers that is not so any more.
    const auto again = query.evaluate_range(store, start, end, step);
    REQUIRE(again);
    CHECK(values_at(std::get<Matrix>(again->value), end) ==
          values_at(std::get<Matrix>(range->value), end));
  }
}

TEST_CASE("range queries over the same steps have the same values when they share") {
  store::Store store;
  fill(store);
  const SharedSteps::Grid grid{from_millis(100'000), from_millis(3'500'000), Duration(47'000)};
  std::vector<ExprPtr> exprs;
  for (const char* text :
       {"sum by (n) (rate(c_total[5m])) > 0.1", "sum by (n) (rate(c_total[5m])) / 2",
        "c_total - c_total offset 2m", "1 + sum by (n) (rate(c_total[5m])) / 2",
        "timestamp(c_total) - timestamp(c_total offset 1m) + c_total",
        "max_over_time(sum by (n) (rate(c_total[5m]))[3m:47s])",
        "sum by (n) (rate(c_total[5m] @ start())) - sum by (n) (rate(c_total[5m] @ end()))",
        "quantile_over_time(0.5, c_total[5m]) or c_total",
        "topk(1, sum by (n) (rate(c_total[5m])))", "sum by (n) (rate(c_total[5m] @ start()))"}) {
    exprs.push_back(*parse(text));
  }
  const auto shared = std::make_shared<SharedSteps>(exprs);
  std::vector<Query> together;
  for (const ExprPtr& expr : exprs) {
    together.push_back(Query::prepare(expr, {.shared_steps = shared}));
  }
  CHECK(shared->part("sum by (n) (rate(c_total[5m]))") != nullptr);
  CHECK(shared->part("topk(1, sum by (n) (rate(c_total[5m])))") == nullptr);
  // Later queries come first in the second round.
  for (const bool forwards : {true, false}) {
    shared->begin(grid);
    for (std::size_t i = 0; i < exprs.size(); ++i) {
      const std::size_t q = forwards ? i : exprs.size() - 1 - i;
      CAPTURE(print(*exprs[q]));
      const auto got = together[q].evaluate_range(store, grid.start, grid.end, grid.step);
      const auto wanted =
          Query::prepare(exprs[q]).evaluate_range(store, grid.start, grid.end, grid.step);
      REQUIRE(got);
      REQUIRE(wanted);
      for (Timestamp at = grid.start; at <= grid.end; at += grid.step) {
        CHECK(values_at(std::get<Matrix>(got->value), at) ==
              values_at(std::get<Matrix>(wanted->value), at));
      }
    }
  }
}

TEST_CASE("what is shared is forgotten when the next steps begin") {
  store::Store store;
  const store::BlockId block = store.add_block({.history = std::chrono::hours(2)});
  const auto id = store.add_series(block, Labels{{"__name__", "m"}}, false);
  const ExprPtr expr = *parse("sum(m) + sum(m)");
  const auto shared = std::make_shared<SharedSteps>(std::vector{expr});
  Query query = Query::prepare(expr, {.shared_steps = shared});
  for (int minute = 1; minute < 4; ++minute) {
    const Timestamp at = from_millis(minute * 60'000);
    store.append_sample(id, at, minute);
    shared->begin({at, at, std::chrono::minutes(1)});
    const auto answer = query.evaluate_range(store, at, at, std::chrono::minutes(1));
    REQUIRE(answer);
    CHECK(std::get<Matrix>(answer->value).at(0).samples.at(0).value == 2 * minute);
  }
}

double value_of(Query& query, const store::Store& store, Timestamp at) {
  const auto answer = query.evaluate(store, at);
  REQUIRE(answer);
  const auto& vector = std::get<Vector>(answer->value);
  REQUIRE(vector.size() == 1);
  return vector[0].sample.value;
}

TEST_CASE("queries of one instant see the same, but for what is written between them") {
  store::Store store;
  const store::BlockId block = store.add_block({.history = std::chrono::hours(2)});
  const auto set = [&](const char* name, int second, double value) {
    const auto id = store.add_series(block, Labels{{"__name__", name}}, false);
    store.append_sample(id, from_millis(second * 1000), value);
  };
  const auto shared = std::make_shared<SharedValues>(std::vector<std::string>{"recorded"});
  std::vector<Query> queries;
  for (const char* text : {"sum(m) + 0", "sum(m) * 10", "sum(recorded)", "0 + sum(recorded)"}) {
    queries.push_back(Query::prepare(*parse(text), {.shared = shared}));
  }
  for (int second = 10; second <= 30; second += 10) {
    CAPTURE(second);
    const Timestamp at = from_millis(second * 1000);
    set("m", second - 2, second);
    set("recorded", second - 2, 1);
    CHECK(value_of(queries[0], store, at) == second);
    CHECK(value_of(queries[2], store, at) == 1);
    set("m", second - 1, 7);
    set("recorded", second - 1, 2);
    CHECK(value_of(queries[1], store, at) == second * 10);
    CHECK(value_of(queries[3], store, at) == 2);
  }
}

TEST_CASE("series that come and go while a range query pauses do not confuse it") {
  for (const char* text : {"sum by (n) (rate(c_total[5m]))", "rate(c_total[5m])",
                           "sum(sum_over_time(c_total[5m]))", "max_over_time(c_total[5m])"}) {
    CAPTURE(std::string(text));
    store::Store store;
    fill(store, 40);
    int pauses = 0;
    QueryOptions options;
    options.pause = [&] {
      if (++pauses % 3 != 0 || pauses > 60) return;
      if (pauses % 2 == 0) {
        const store::BlockId block = store.add_block({.history = std::chrono::hours(2)});
        const Labels labels{{"__name__", "c_total"}, {"n", "new" + std::to_string(pauses)}};
        const auto id = store.add_series(block, labels, true);
        for (int i = 0; i < 120; ++i) store.append_sample(id, from_millis(30'000 * i + 5), i);
      } else {
        store.remove_block(static_cast<store::BlockId>(pauses % 40));
      }
    };
    const auto expr = parse(text);
    REQUIRE(expr);
    const auto range = Query::prepare(*expr, options)
                           .evaluate_range(store, from_millis(300'000), from_millis(3'000'000),
                                           std::chrono::seconds(30));
    REQUIRE(range);
    CHECK(pauses > 0);
    // Whatever came and went before the last step is seen by it.
    const auto instant = Query::prepare(*expr).evaluate(store, from_millis(3'000'000));
    REQUIRE(instant);
    CHECK(values_at(std::get<Matrix>(range->value), from_millis(3'000'000)).size() ==
          std::get<Vector>(instant->value).size());
  }
}

}  // namespace
}  // namespace tocsin::promql
