// SPDX-License-Identifier: Apache-2.0
//
// Series that come and go between evaluations: a plan that was mended says what a new one says.
#include <doctest/doctest.h>
#include <malloc.h>

#include <map>
#include <random>
#include <string>

#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

using Values = std::map<std::string, double>;

// Pods of some deployments, each a block of a few series.
class Mesh {
 public:
  explicit Mesh(unsigned seed) : random_(seed) {}

  void start_pod() {
    const store::BlockId block = store.add_block({.history = std::chrono::hours(1)});
    const int number = pods_started_++;
    const std::string name = std::to_string(number);
    Pod pod{block, 1 + number / 1e4, {}};
    const std::string deployment = "d" + std::to_string(random_() % 9);
    for (int route = 0; route < 4; ++route) {
      for (const char* metric : {"a_total", "b_total", "gauge"}) {
        pod.series.push_back(store.add_series(block,
                                              Labels{{"__name__", metric},
                                                     {"deployment", deployment},
                                                     {"pod", name},
                                                     {"route", std::to_string(route)}},
                                              false));
      }
    }
    pods_.push_back(std::move(pod));
  }

  void stop_pod() {
    if (pods_.empty()) return;
    const std::size_t which = random_() % pods_.size();
    store.remove_block(pods_[which].block);
    pods_.erase(pods_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void scrape(Timestamp at) {
    std::vector<double> values;
    for (const Pod& pod : pods_) {
      values.clear();
      for (std::size_t i = 0; i < pod.series.size(); ++i) {
        values.push_back(pod.weight * static_cast<double>(to_millis(at) / 1000 % (700 + i)));
      }
      store.append_column(pod.block, at, pod.series, values);
    }
  }

  std::size_t some(std::size_t most) { return random_() % (most + 1); }

  store::Store store;

 private:
  struct Pod {
    store::BlockId block;
    double weight;  // So that no two are alike.
    std::vector<store::SeriesId> series;
  };

  std::mt19937 random_;
  std::vector<Pod> pods_;
  int pods_started_ = 0;
};

Values values_of(const Result<Answer>& answer) {
  REQUIRE(answer);
  Values out;
  for (const Element& element : std::get<Vector>(answer->value)) {
    const bool is_new = out.emplace(element.labels.text(), element.sample.value).second;
    CHECK(is_new);
  }
  return out;
}

const char* const kTexts[] = {
    "sum by (deployment) (rate(a_total[1m]))",
    "rate(a_total[1m])",
    "sum by (deployment, route) (rate(a_total[1m])) / sum by (deployment, route) "
    "(rate(b_total[1m]))",
    "max_over_time(gauge{route=\"1\"}[1m])",
    "gauge > 100",
    "abs(-gauge) + on (pod, route) group_left () a_total",
    "topk(3, a_total)",
    "sum by (route) ({deployment=\"d1\"})",
    "max_over_time(sum by (pod) (a_total)[1m:15s])",
    "count by (pod) (gauge or a_total)",
    "label_replace(rate(b_total[2m]), \"to\", \"$1\", \"pod\", \"(.).*\")",
    "sum without (pod) (delta(gauge{route=~\"1|2\"}[1m]))",
};

std::vector<Query> plans_of_all() {
  std::vector<Query> plans;
  for (const char* text : kTexts) plans.push_back(Query::prepare(*parse(text)));
  return plans;
}

TEST_CASE("a plan that lives through churn answers as one that is made anew") {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Mesh mesh(seed);
    std::vector<Query> plans = plans_of_all();
    for (int i = 0; i < 30; ++i) mesh.start_pod();
    for (int tick = 0; tick < 60; ++tick) {
      const Timestamp at = from_millis(1'000'000 + tick * 15'000);
      mesh.scrape(at);
      for (std::size_t i = 0; i < std::size(kTexts); ++i) {
        CAPTURE(std::string(kTexts[i]));
        CAPTURE(tick);
        const Values expected =
            values_of(Query::prepare(*parse(kTexts[i])).evaluate(mesh.store, at));
        const Values got = values_of(plans[i].evaluate(mesh.store, at));
        REQUIRE(got.size() == expected.size());
        for (const auto& [labels, value] : expected) {
          REQUIRE(got.contains(labels));
          CHECK(got.at(labels) == doctest::Approx(value).epsilon(1e-12));
        }
      }
      const std::size_t most = tick % 20 == 19 ? 25 : 3;  // Now and then everything changes.
      for (std::size_t n = mesh.some(most); n > 0; --n) mesh.stop_pod();
      for (std::size_t n = mesh.some(most); n > 0; --n) mesh.start_pod();
    }
  }
}

// Bytes that are allocated and not freed.
std::size_t heap_in_use() { return mallinfo2().uordblks; }

TEST_CASE(
    "an hour in which a tenth of the pods is replaced at every scrape leaves nothing behind") {
  if (heap_in_use() == 0) {
    MESSAGE("skipped: this allocator does not say how much memory is in use");
    return;
  }
  constexpr int kPods = 100;
  constexpr int kScrapesPerHour = 240;
  Mesh mesh(7);
  std::vector<Query> plans = plans_of_all();
  for (int i = 0; i < kPods; ++i) mesh.start_pod();
  std::size_t most_before = 0;  // In the first half of the hour.
  std::size_t most_after = 0;
  for (int scrape = 0; scrape < kScrapesPerHour; ++scrape) {
    const Timestamp at = from_millis(1'000'000 + scrape * 15'000);
    mesh.scrape(at);
    for (Query& plan : plans) REQUIRE(plan.evaluate(mesh.store, at));
    for (int i = 0; i < kPods / 10; ++i) mesh.stop_pod();
    for (int i = 0; i < kPods / 10; ++i) mesh.start_pod();
    std::size_t& most = scrape < kScrapesPerHour / 2 ? most_before : most_after;
    most = std::max(most, heap_in_use());
  }
  CAPTURE(most_before);
  CAPTURE(most_after);
  CHECK(most_after < most_before + most_before / 20);
}

}  // namespace
}  // namespace tocsin::promql
