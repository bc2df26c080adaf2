// SPDX-License-Identifier: Apache-2.0
#include "daemon/evaluator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "api/answer_json.h"
#include "daemon/query_desk.h"
#include "net/url.h"
#include "promql/ast.h"
#include "support/executors.h"
#include "support/fake_web.h"
#include "support/manual_clock.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = from_millis(1'000'000'000);

// Series `r…` are at the Prometheus (a store of its own, behind HTTP), `local…` are here. A third
// store has everything: what comes of both together must be what that one says.
struct World {
  testing::ManualClock clock{kNow};
  testing::InlineExecutor executor;
  store::Store here;
  store::Store there;
  store::Store all;
  testing::FakeWeb http{executor};
  source::RemoteQuery remote{http, {.url = "http://p"}};
  int failures = 0;
  RemoteEvaluator evaluator{
      {here, executor, executor}, remote, {"local_a", "local_b"}, [this](const Result<void>& done) {
        failures += done ? 0 : 1;
      }};
  QueryDesk desk{{here, executor, executor}, clock, clock};

  World() {
    for (const char* name : {"local_a", "local_b"}) fill(here, name);
    for (const char* name : {"r_a", "r_b"}) fill(there, name);
    for (const char* name : {"local_a", "local_b", "r_a", "r_b"}) fill(all, name);
    for (store::Store* store : {&there, &all}) fill_histograms(*store, "r_h");
    http.on("http://p/api/v1/query", [this](const net::HttpRequest& r) { return answer(r); });
    http.on("http://p/api/v1/query_range", [this](const net::HttpRequest& r) { return answer(r); });
    desk.share_with(&remote, {"local_a", "local_b"});
  }

  // An hour of three series that move differently, one of which comes late.
  static void fill(store::Store& store, const std::string& name) {
    const store::BlockId block = store.add_block({.history = 2h});
    for (int i = 0; i < 3; ++i) {
      const auto id = store.add_series(
          block, Labels{{"__name__", name}, {"i", std::to_string(i)}, {"job", "j"}}, false);
      for (int t = i == 2 ? -900 : -3600; t <= 0; t += 15) {
        store.append_sample(id, kNow + std::chrono::seconds(t) - 3ms,
                            (t * (i + 1) + 7 * static_cast<int>(name.back())) % 101);
      }
    }
  }

  static void fill_histograms(store::Store& store, const std::string& name) {
    const store::BlockId block = store.add_block({.history = 2h});
    for (int i = 0; i < 2; ++i) {
      const auto id =
          store.add_series(block, Labels{{"__name__", name}, {"i", std::to_string(i)}}, false);
      Histogram h{.schema = 3, .zero_threshold = 0.001};
      h.positive = {{-3, 1}, {4, 2}};
      for (int t = -3600; t <= 0; t += 15) {
        h.count += 3 + i;
        h.sum += 5;
        h.zero_count += i;
        h.positive[0].count += 1;
        h.positive[1].count += 2;
        store.append_histogram(id, kNow + std::chrono::seconds(t) - 3ms,
                               std::make_shared<const Histogram>(h));
      }
    }
  }

  // What a Prometheus does.
  net::HttpResponse answer(const net::HttpRequest& request) {
    std::map<std::string, std::string> form;
    for (const auto& [name, value] : net::parse_params(request.body)) form[name] = value;
    const auto expr = promql::parse(form["query"]);
    if (!expr)
      return {.status = 400,
              .body = R"({"status":"error","errorType":"bad_data","error":"cannot read it"})"};
    auto query = promql::Query::prepare(*expr);
    const auto time = [&](const char* name) { return *parse_time(form[name]); };
    const auto result =
        form.contains("step")
            ? query.evaluate_range(there, time("start"), time("end"),
                                   Duration(std::llround(std::stod(form["step"]) * 1000)))
            : query.evaluate(there, time("time"));
    REQUIRE_MESSAGE(result, form["query"]);
    const std::string data = api::answer_json(result->value);
    return {.status = 200, .body = R"({"status":"success","data":)" + data + "}"};
  }

  static std::string text_of(Result<promql::Answer> answer) {
    if (!answer) return answer.error().message;
    if (auto* vector = std::get_if<promql::Vector>(&answer->value)) {
      std::sort(vector->begin(), vector->end(),
                [](const auto& a, const auto& b) { return a.labels < b.labels; });
    }
    return api::answer_json(answer->value);
  }

  std::string by_rules(const std::string& text, Timestamp at = kNow) {
    const auto prepared = evaluator.prepare(*promql::parse(text), nullptr);
    std::string out;
    prepared->evaluate(at, [&](Result<promql::Answer> a) { out = text_of(std::move(a)); });
    return out;
  }
  std::string by_desk(const api::QueryRequest& request) {
    std::string out;
    desk.answer(request, [&](Result<promql::Answer> a) { out = text_of(std::move(a)); });
    return out;
  }
  std::string by_one_store(const api::QueryRequest& request) {
    auto query = promql::Query::prepare(*promql::parse(request.expr));
    return text_of(request.step.count() == 0
                       ? query.evaluate(all, request.start)
                       : query.evaluate_range(all, request.start, request.end, request.step));
  }
};

const char* const kExpressions[] = {
    "sum by (i) (r_a) / on (i) group_left () local_a",
    "r_a + on (i) r_b > on (i) local_b",
    "local_a > scalar(avg(r_a))",
    "mad_over_time(r_a[7m])",
    "mad_over_time(r_a[7m] offset 3m)",
    "mad_over_time(r_a[7m] @ 999900) + on (i) local_a",
    "rate(local_a[5m]) / on (i) rate(r_a[5m])",
    "max_over_time((rate(r_a[2m]) - on (i) local_b)[10m:30s])",
    "avg_over_time((r_a - on (i) local_b)[7m:])",
    "sum_over_time(max_over_time((r_a * on (i) local_a)[3m:20s])[5m:45s] offset 2m)",
    "max_over_time((r_a @ start() - on (i) local_b offset 1m)[5m:1m])",
    "mad_over_time(sum by (i) (r_a)[6m:15s])",
    "mad_over_time((r_a or local_a)[6m:15s])",
    "local_a and on (i) (r_a > 50)",
    "absent(r_nothing) or local_a",
    "limitk(1, r_a) and on () local_a",
    "first_over_time(r_a[2m]) - on (i) first_over_time(local_a[2m])",
    "r_a unless on (i) local_a > 1000",
    "count(local_a) + count(r_a) + time()",
    "r_h * on (i) local_a",
    "rate(r_h[5m]) / on (i) local_b",
    "histogram_quantile(0.9, sum by (i) (increase(r_h[5m]))) > on (i) local_b",
    "avg_over_time((r_h * on (i) local_a)[5m:1m])",
    "first_over_time(r_h[3m]) and on (i) local_a",
    "histogram_count(r_h or on (i) local_a) or local_b",
};

TEST_CASE("evaluated in two places, an expression has the value that it has in one") {
  World w;
  for (const char* text : kExpressions) {
    CAPTURE(std::string(text));
    const api::QueryRequest instant{.expr = text, .start = kNow, .end = kNow};
    CHECK(w.by_rules(text) == w.by_one_store(instant));
    CHECK(w.by_desk(instant) == w.by_one_store(instant));
    const api::QueryRequest range{
        .expr = text, .start = kNow - 10min, .end = kNow - 7s, .step = 37s};
    CHECK(w.by_desk(range) == w.by_one_store(range));
  }
}

TEST_CASE("a prepared expression follows series that come and go at the other side") {
  World w;
  const std::string text = "local_a + on (i) r_a";
  const auto prepared = w.evaluator.prepare(*promql::parse(text), nullptr);
  for (const Duration ago : {Duration(20min), Duration(10min), Duration(0), Duration(20min)}) {
    std::string out;
    prepared->evaluate(kNow - ago, [&](Result<promql::Answer> a) { out = World::text_of(a); });
    CHECK(out == w.by_one_store({.expr = text, .start = kNow - ago, .end = kNow - ago}));
  }
}

TEST_CASE("what is plain is one question, and parts that are the same are asked for once") {
  World w;
  w.by_rules("sum(r_a) / sum(r_b)");
  CHECK(w.http.requests.size() == 1);
  w.http.requests.clear();
  w.by_rules("(sum(r_a) > local_a) or (sum(r_a) < local_b)");
  CHECK(w.http.requests.size() == 1);
  w.http.requests.clear();
  w.by_rules("sum(local_a) + 1");
  CHECK(w.http.requests.empty());
}

TEST_CASE("whoever asks may wait for less time than the configuration allows") {
  World w;
  const auto timeout_of = [&](const char* expr, Duration timeout) {
    w.http.requests.clear();
    w.by_desk({.expr = expr, .start = kNow, .end = kNow, .timeout = timeout});
    return w.http.requests.at(0).timeout;
  };
  for (const char* expr : {"r_a", "r_a + local_a"}) {
    CHECK(timeout_of(expr, 5s) == 5s);
    CHECK(timeout_of(expr, 2min) == 30s);
    CHECK(timeout_of(expr, 0s) == 1ms);
  }
}

TEST_CASE("a part that is not answered fails the evaluation") {
  World w;
  w.http.on("http://p/api/v1/query", [](const net::HttpRequest& request) -> net::HttpResult {
    if (request.body.find("r_b") != std::string::npos) return fail(ErrorCode::Timeout, "too slow");
    return net::HttpResponse{
        .status = 200,
        .body = R"({"status":"success","data":{"resultType":"vector","result":[]}})"};
  });
  CHECK(w.by_rules("r_a + local_a + r_b") == "too slow");
  CHECK(w.failures == 1);
  CHECK(w.by_rules("r_a + local_a").find("vector") != std::string::npos);
  CHECK(w.failures == 1);
}

// As when `prometheus:` is taken out of the configuration.
TEST_CASE("an answer that comes after its evaluator has gone is passed on") {
  for (const char* const text : {"r_a", "r_a + on (i) local_a"}) {
    CAPTURE(text);
    World w;
    testing::QueueExecutor slow;
    testing::FakeWeb http(slow);
    http.on("http://p/", [&](const net::HttpRequest& r) { return w.answer(r); });
    source::RemoteQuery remote(http, {.url = "http://p"});
    auto evaluator = std::make_unique<RemoteEvaluator>(
        EvaluationParts{w.here, w.executor, w.executor}, remote, LocalNames{"local_a", "local_b"},
        [](const Result<void>&) {});
    auto expr = evaluator->prepare(*promql::parse(text), nullptr);
    std::string recorded;
    std::string out;
    Evaluator::Steps steps;
    steps.push_back(
        {expr.get(), [&](const Result<promql::Answer>& a) { recorded = w.text_of(a); }});
    evaluator->evaluate(std::move(steps), kNow, nullptr, [&](Evaluator::Answers answers) {
      out = w.text_of(std::move(answers[0].answer));
    });
    expr.reset();
    evaluator.reset();
    CHECK(out.empty());
    slow.run();
    CHECK(out == w.by_rules(text));
    CHECK(recorded == out);
  }
}

TEST_CASE("labels are found at both places") {
  World w;
  w.http.on("http://p/api/v1/series", [](const net::HttpRequest& request) {
    CHECK(request.body == "match%5B%5D=%7Bjob%3D%22j%22%7D&start=1");
    return net::HttpResponse{
        .status = 200, .body = R"({"status":"success","data":[{"__name__":"r_a","job":"j"}]})"};
  });
  w.http.on("http://p/api/v1/labels", [](const net::HttpRequest&) {
    return net::HttpResponse{.status = 200,
                             .body = R"({"status":"success","data":["__name__","zone"]})"};
  });
  w.http.on("http://p/api/v1/label/i/values?match%5B%5D=up", [](const net::HttpRequest& request) {
    CHECK(request.method == "GET");
    return net::HttpResponse{.status = 200, .body = R"({"status":"success","data":["9"]})"};
  });
  w.desk.find_series({{"{job=\"j\"}"}, from_millis(1000), {}},
                     [](const Result<std::vector<Labels>>& found) {
                       REQUIRE(found);
                       CHECK(found->size() == 7);
                     });
  w.desk.find_label_names({}, [](const Result<api::Texts>& found) {
    REQUIRE(found);
    CHECK(*found == api::Texts{"__name__", "i", "job", "zone"});
  });
  w.desk.find_label_values("i", {{"up"}, {}, {}}, [](const Result<api::Texts>& found) {
    REQUIRE(found);
    CHECK(*found == api::Texts{"9"});
  });
}

}  // namespace
}  // namespace tocsin::daemon
