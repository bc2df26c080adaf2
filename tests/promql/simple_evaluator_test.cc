// SPDX-License-Identifier: Apache-2.0
//
// Random blocks, random expressions: what the fast evaluator says of them is what a simple one says
// that looks at every sample, now and over a range.
#include "support/simple_evaluator.h"

#include <doctest/doctest.h>

#include <random>

#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

using testing::History;
using testing::SimpleVector;

constexpr int kScrapes = 60;
constexpr int kScrapeSeconds = 15;
constexpr double kTolerance = 1e-9;

// Pods whose series grow, start anew, pause, and come and go; written into a store and into a
// history.
class RandomMesh {
 public:
  explicit RandomMesh(unsigned seed) : random_(seed) {
    for (int i = 0; i < 6; ++i) start_pod();
    for (int scrape = 0; scrape < kScrapes; ++scrape) {
      for (Pod& pod : pods_) scrape_pod(pod, scrape);
      if (one_in(12)) start_pod();
    }
  }

  const store::Store& store() const { return store_; }
  const History& history() const { return history_; }
  bool one_in(unsigned n) { return random_() % n == 0; }
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

 private:
  struct Series {
    Labels labels;
    store::SeriesId id = 0;
    double value = 0;
    bool is_present = false;
  };
  struct Pod {
    store::BlockId block;
    int offset_ms;
    std::vector<Series> series;
  };

  void start_pod() {
    const int number = static_cast<int>(pods_.size());
    Pod pod{store_.add_block({.history = std::chrono::hours(2)}),
            static_cast<int>(below(kScrapeSeconds * 1000)),
            {}};
    for (const char* name : {"a_total", "b_total", "g"}) {
      for (int route = 0; route < 3; ++route) {
        const Labels labels{{"__name__", name},
                            {"pod", std::to_string(number)},
                            {"d", std::to_string(number % 3)},
                            {"route", std::to_string(route)}};
        const auto id = store_.add_series(pod.block, labels, false);
        pod.series.push_back({labels, id, static_cast<double>(below(50)), false});
      }
    }
    pods_.push_back(std::move(pod));
  }

  void scrape_pod(Pod& pod, int scrape) {
    if (one_in(25)) return;  // Nothing comes, and nobody says so.
    const Timestamp at = from_millis(10'000'000 + scrape * kScrapeSeconds * 1000 + pod.offset_ms);
    if (one_in(25)) return fail_scrape(pod, at);
    const bool restarts = one_in(20);
    std::vector<store::SeriesId> ids;
    std::vector<double> values;
    for (Series& series : pod.series) {
      const bool is_there = !one_in(15);
      if (is_there) {
        step(series, restarts);
        ids.push_back(series.id);
        values.push_back(series.value);
        history_[series.labels].push_back({at, series.value});
      } else if (series.is_present) {
        history_[series.labels].push_back({at, stale_nan()});
      }
      series.is_present = is_there;
    }
    store_.append_column(pod.block, at, ids, values);
  }

  void step(Series& series, bool restarts) {
    if (series.labels.metric_name() == "g") {
      series.value = static_cast<double>(below(1000)) - 500;
    } else {
      series.value = restarts || one_in(30) ? below(4) : series.value + below(20);
    }
  }

  void fail_scrape(Pod& pod, Timestamp at) {
    store_.append_stale(pod.block, at);
    for (Series& series : pod.series) {
      if (series.is_present) history_[series.labels].push_back({at, stale_nan()});
      series.is_present = false;
    }
  }

  std::mt19937 random_;
  store::Store store_;
  History history_;
  std::vector<Pod> pods_;
};

std::string pick(RandomMesh& mesh, std::initializer_list<const char*> choices) {
  return *(choices.begin() + mesh.below(static_cast<unsigned>(choices.size())));
}

std::string random_part(RandomMesh& mesh) {
  const std::string selector = pick(mesh, {"a_total", "b_total", "g", "a_total{route!=\"1\"}",
                                           "{route=\"2\"}", "{__name__=~\"a_total|g\",d=\"1\"}"});
  if (selector[0] == '{') return "count by (pod) (" + selector + ")";
  const std::string range = pick(mesh, {"[1m]", "[5m]", "[50s]", "[2m] offset 1m", "[16s]"});
  switch (mesh.below(4)) {
    case 0:
      return selector;
    case 1:
      return pick(mesh, {"rate", "increase", "delta"}) + "(" + selector + range + ")";
    default:
      return pick(mesh, {"rate", "max_over_time", "min_over_time", "avg_over_time", "sum_over_time",
                         "count_over_time", "increase"}) +
             "(" + selector + range + ")";
  }
}

std::string random_aggregation(RandomMesh& mesh, const std::string& by) {
  return pick(mesh, {"sum", "avg", "min", "max", "count"}) + " " + by + " (" + random_part(mesh) +
         ")";
}

std::string random_text(RandomMesh& mesh) {
  const std::string by = pick(mesh, {"by (d)", "by (d, route)", "without (pod)", "by (pod)", ""});
  switch (mesh.below(4)) {
    case 0:
      return random_part(mesh);
    case 1:
      return random_aggregation(mesh, by);
    case 2:
      return random_aggregation(mesh, by) + pick(mesh, {" > ", " / ", " <= ", " * "}) +
             pick(mesh, {"3", "0.5", "40"});
    default:
      return random_aggregation(mesh, by) +
             pick(mesh, {" / ", " - ", " and ", " or ", " unless ", " > ", " < "}) +
             random_aggregation(mesh, by);
  }
}

bool is_close(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= kTolerance * std::max({std::abs(a), std::abs(b), 1.0});
}

void check_same(const SimpleVector& got, const SimpleVector& expected) {
  REQUIRE(got.size() == expected.size());
  for (const auto& [labels, value] : expected) {
    CAPTURE(labels.text());
    const auto it = got.find(labels);
    REQUIRE(it != got.end());
    CAPTURE(it->second);
    CAPTURE(value);
    CHECK(is_close(it->second, value));
  }
}

TEST_CASE("random expressions over random blocks are what a simple evaluator says") {
  constexpr unsigned kMeshes = 8;
  constexpr int kTexts = 60;
  std::size_t elements = 0;
  for (unsigned seed = 1; seed <= kMeshes; ++seed) {
    CAPTURE(seed);
    RandomMesh mesh(seed);
    for (int i = 0; i < kTexts; ++i) {
      const std::string text = random_text(mesh);
      CAPTURE(text);
      const auto expr = parse(text);
      REQUIRE(expr);
      Query query = Query::prepare(*expr);
      const Timestamp start = from_millis(10'060'000 + mesh.below(60'000));
      const Duration step(7'000 + mesh.below(60'000));
      const Timestamp end = start + 12 * step;
      const auto range = query.evaluate_range(mesh.store(), start, end, step);
      REQUIRE(range);
      for (Timestamp at = start; at <= end; at += step) {
        CAPTURE(to_millis(at));
        const SimpleVector expected = testing::evaluate_simply(**expr, mesh.history(), at);
        SimpleVector of_range;
        for (const Series& series : std::get<Matrix>(range->value)) {
          for (const Sample& sample : series.samples) {
            if (sample.at == at) of_range[series.labels] = sample.value;
          }
        }
        check_same(of_range, expected);
        const auto answer = query.evaluate(mesh.store(), at);
        REQUIRE(answer);
        SimpleVector now;
        for (const Element& element : std::get<Vector>(answer->value)) {
          now[element.labels] = element.sample.value;
        }
        check_same(now, expected);
        elements += expected.size();
      }
    }
  }
  CHECK(elements > 10'000);  // They are about something.
}

}  // namespace
}  // namespace tocsin::promql
