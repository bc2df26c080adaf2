// SPDX-License-Identifier: Apache-2.0
//
// A query that looked ahead answers as one that did not, and has less to read.
#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

constexpr Duration kInterval = std::chrono::seconds(15);

// Says how often an evaluation looked at samples.
class CountingStore : public store::Store {
 public:
  std::shared_ptr<const store::WindowReader> window(std::size_t runs, Timestamp after,
                                                    Timestamp upto) const override {
    ++windows;
    return Store::window(runs, after, upto);
  }

  mutable int windows = 0;
};

// Pods with counters that do whatever counters do.
class Pods {
 public:
  explicit Pods(unsigned seed) : random_(seed) {}

  void start() {
    Pod pod{store.add_block({.history = std::chrono::hours(1)}), {}};
    const std::string number = std::to_string(started_++);
    const std::string deployment = std::to_string(below(4));
    for (int le = 0; le < 12; ++le) {
      const Labels labels{{"__name__", "a_total"},
                          {"deployment", deployment},
                          {"le", le % 5 == 4 ? "+Inf" : std::to_string(le % 5)},
                          {"pod", number},
                          {"route", std::to_string(le / 5)}};
      pod.series.push_back({store.add_series(pod.block, labels, true), 0});
    }
    pods_.push_back(std::move(pod));
  }

  void stop() {
    if (pods_.empty()) return;
    const std::size_t which = below(static_cast<unsigned>(pods_.size()));
    store.remove_block(pods_[which].block);
    pods_.erase(pods_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  // What happens to one of them at `at`, which is later than anything before.
  void happen(Timestamp at) {
    if (pods_.empty()) return;
    Pod& pod = pods_[below(static_cast<unsigned>(pods_.size()))];
    switch (below(12)) {
      case 0:
        return store.append_stale(pod.block, at);
      case 1:
        store.append_sample(pod.series[below(12)].id, at - kInterval / 2, 7);
        return;
      default:
        scrape(pod, at);
    }
  }

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  CountingStore store;

 private:
  struct Counter {
    store::SeriesId id = 0;
    double value = 0;
  };
  struct Pod {
    store::BlockId block = 0;
    std::vector<Counter> series;
  };

  void scrape(Pod& pod, Timestamp at) {
    const bool restarts = below(15) == 0;
    std::vector<store::SeriesId> ids;
    std::vector<double> values;
    for (Counter& counter : pod.series) {
      counter.value = restarts ? below(3) : counter.value + below(100) / 7.0;
      if (below(30) == 0) continue;
      ids.push_back(counter.id);
      values.push_back(counter.value);
    }
    store.append_column(pod.block, at, ids, values, restarts);
  }

  std::mt19937 random_;
  std::vector<Pod> pods_;
  int started_ = 0;
};

// Their bits: a NaN is itself.
std::map<std::string, std::uint64_t> values_of(const Result<Answer>& answer) {
  REQUIRE(answer);
  std::map<std::string, std::uint64_t> out;
  for (const Element& element : std::get<Vector>(answer->value)) {
    out[element.labels.text()] = std::bit_cast<std::uint64_t>(element.sample.value);
  }
  return out;
}

const char* const kTexts[] = {
    "sum by (deployment, le) (rate(a_total[1m]))",
    "sum(increase(a_total{route=\"1\"}[2m])) > 0",
    "sum by (le) (rate(a_total[1m] offset 15s)) / on (le) sum by (le) (delta(a_total[1m]))",
    "histogram_quantile(0.9, sum by (deployment, le) (rate(a_total[1m])))",
};

TEST_CASE("a query that looked ahead answers to the last bit as one that did not") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    Pods pods(seed);
    for (int i = 0; i < 20; ++i) pods.start();
    std::vector<Query> queries;
    for (const char* text : kTexts) queries.push_back(Query::prepare(*parse(text)));
    Timestamp now = from_millis(10'000'000);
    for (int slot = 0; slot < 60; ++slot) {
      const Timestamp at = from_millis(10'000'000) + slot * kInterval;
      while (now < at) {
        pods.happen(now);
        if (pods.below(40) == 0) pods.start();
        if (pods.below(40) == 0) pods.stop();
        if (pods.below(3) == 0) {
          for (Query& query : queries) query.look_ahead(pods.store, at);
        }
        now += std::chrono::milliseconds(1 + pods.below(1000));
      }
      for (std::size_t i = 0; i < std::size(kTexts); ++i) {
        CAPTURE(std::string(kTexts[i]));
        CAPTURE(slot);
        const auto expected = values_of(Query::prepare(*parse(kTexts[i])).evaluate(pods.store, at));
        CHECK(values_of(queries[i].evaluate(pods.store, at)) == expected);
      }
    }
  }
}

TEST_CASE("sums are kept for their window, whatever the instant is") {
  Pods pods(3);
  for (int i = 0; i < 20; ++i) pods.start();
  Timestamp now = from_millis(10'000'000);
  for (int i = 0; i < 600; ++i) pods.happen(now += std::chrono::milliseconds(100));
  const auto range = [&](Query& query) {
    const Timestamp end = now + std::chrono::seconds(40);
    const auto answer = query.evaluate_range(pods.store, now, end, std::chrono::seconds(20));
    REQUIRE(answer);
    std::string out;
    for (const Series& series : std::get<Matrix>(answer->value)) {
      for (const Sample& sample : series.samples) out += std::to_string(sample.value) + " ";
    }
    return out;
  };
  const auto expr = *parse("sum(rate(a_total[15s] @ end()))");
  Query fresh = Query::prepare(expr);
  Query used = Query::prepare(expr);
  REQUIRE(used.evaluate(pods.store, now));
  CHECK(range(used) == range(fresh));
}

TEST_CASE("what was looked at ahead is not read again, and what was written since is") {
  Pods pods(1);
  for (int i = 0; i < 20; ++i) pods.start();
  Query query = Query::prepare(*parse(kTexts[0]));
  Timestamp now = from_millis(10'000'000);
  const auto write_some = [&] {
    for (int i = 0; i < 200; ++i) pods.happen(now += std::chrono::milliseconds(100));
  };
  const auto read_at = [&](Timestamp at) {
    pods.store.windows = 0;
    REQUIRE(query.evaluate(pods.store, at));
    return pods.store.windows;
  };
  write_some();
  CHECK(read_at(now) == 1);
  write_some();
  const Timestamp next = now + kInterval;
  query.look_ahead(pods.store, next);
  CHECK(read_at(next) == 0);
  CHECK(read_at(next + kInterval) == 1);  // Another window.
  write_some();
  query.look_ahead(pods.store, now + kInterval);
  pods.happen(now += std::chrono::milliseconds(100));
  CHECK(read_at(now + kInterval) == 1);
}

}  // namespace
}  // namespace tocsin::promql
