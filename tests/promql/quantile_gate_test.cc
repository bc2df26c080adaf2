// SPDX-License-Identifier: Apache-2.0
#include "promql/quantile_gate.h"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>

#include "promql/shared_steps.h"
#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::promql {
namespace {

constexpr std::array<const char*, 6> kBounds{"10", "50", "100", "200", "1e3", "+Inf"};
const SharedSteps::Grid kGrid{from_millis(600'000), from_millis(7'000'000), Duration(15'000)};

// Histograms of two pods of each of some workloads, two hours of them. In trouble, each is slow at
// times, one is born late, one starts anew, one has no bucket of 100.
void fill(store::Store& store, bool has_trouble) {
  std::mt19937 random(7);
  for (int pod = 0; pod < 10; ++pod) {
    const int workload = pod / 2;
    const store::BlockId block = store.add_block({.history = std::chrono::hours(3)});
    std::vector<store::SeriesId> ids;
    for (const char* bound : kBounds) {
      if (has_trouble && workload == 3 && std::string_view(bound) == "100") continue;
      ids.push_back(store.add_series(block,
                                     Labels{{"__name__", "b_bucket"},
                                            {"le", bound},
                                            {"pod", std::to_string(pod)},
                                            {"w", std::to_string(workload)}},
                                     true));
    }
    std::vector<double> counts(ids.size(), 0);
    for (int i = workload == 4 ? 120 : 0; i < 480; ++i) {
      if (workload == 2 && i == 200) counts.assign(ids.size(), 0);
      const bool is_slow = has_trouble && (i / 40 + workload) % 4 == 0;
      for (int request = 0; request < 20; ++request) {
        const auto from = static_cast<std::size_t>(random() % (is_slow ? ids.size() : 2));
        for (std::size_t b = from; b < ids.size(); ++b) ++counts[b];
      }
      store.append_column(block, from_millis(15'000 * i + 131 * pod), ids, counts);
    }
  }
}

Matrix answers_of(const std::string& text, const store::Store& store, const QueryOptions& options) {
  const auto expr = parse(text);
  REQUIRE_MESSAGE(expr, text);
  const auto answer =
      Query::prepare(*expr, options).evaluate_range(store, kGrid.start, kGrid.end, kGrid.step);
  REQUIRE_MESSAGE(answer, answer.error().message);
  return std::get<Matrix>(answer->value);
}

QueryOptions sharing() {
  QueryOptions options;
  options.shared_steps = std::make_shared<SharedSteps>(std::vector<ExprPtr>());
  options.shared_steps->begin(kGrid);
  return options;
}

std::string text_of(const Matrix& matrix) {
  std::string out;
  for (const Series& series : matrix) {
    out += series.labels.text() + ":";
    for (const Sample& sample : series.samples) {
      out += " " + std::to_string(to_millis(sample.at)) + "=" + std::to_string(sample.value);
    }
    out += "\n";
  }
  return out;
}

TEST_CASE("a quantile above its limit is found whenever it is") {
  store::Store store;
  fill(store, true);
  const std::string by_workload = "histogram_quantile(0.9, sum by (le, w) (rate(b_bucket[5m])))";
  for (const std::string& text :
       {by_workload + " > 100", by_workload + " / 1000 > 0.1", by_workload + " > 150",
        by_workload + " > 5", by_workload + " > 1000",
        std::string("histogram_quantile(0.8, sum by (le) (increase(b_bucket[2m]))) > 50"),
        "(" + by_workload +
            " / 1000 > 0.1) and sum by (w) (rate(b_bucket{le=\"+Inf\"}[5m])) > 0"}) {
    CAPTURE(text);
    const Matrix wanted = answers_of(text, store, {});
    CHECK(text_of(answers_of(text, store, sharing())) == text_of(wanted));
    CHECK(wanted.empty() == text.ends_with("> 1000"));
  }
}

TEST_CASE("while none is above, two buckets of each histogram are read") {
  store::Store store;
  fill(store, false);
  const std::string text = "histogram_quantile(0.9, sum by (le, w) (rate(b_bucket[5m]))) > 100";
  QueryOptions options = sharing();
  options.max_samples = 10 * 2 * 21;  // Pods, buckets, scrapes of a window at most.
  CHECK(answers_of(text, store, options).empty());
  options.shared_steps = nullptr;
  const auto answer = Query::prepare(*parse(text), options)
                          .evaluate_range(store, kGrid.start, kGrid.end, kGrid.step);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::Limit);
}

TEST_CASE("so it is of histograms that a query did not have when it was asked before") {
  store::Store store;
  QueryOptions options = sharing();
  options.max_samples = 10 * 2 * 21;
  const std::string text = "histogram_quantile(0.9, sum by (le, w) (rate(b_bucket[5m]))) > 100";
  Query query = Query::prepare(*parse(text), options);
  const auto answer = [&] {
    return query.evaluate_range(store, kGrid.start, kGrid.end, kGrid.step);
  };
  CHECK(answer());
  fill(store, false);
  CHECK(answer());
}

}  // namespace
}  // namespace tocsin::promql
