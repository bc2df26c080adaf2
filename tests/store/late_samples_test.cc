// SPDX-License-Identifier: Apache-2.0
//
// Samples that bring their own timestamps, in whatever order: the ends of a window are always what
// reading it sample by sample gives.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "store/block.h"
#include "support/ends_of.h"
#include "tocsin/store.h"

namespace tocsin::store {
namespace {

using namespace std::chrono_literals;

struct Arrival {
  std::size_t series;
  int second;
  double value;
};

// Counters of five series with resets, gaps, stale markers and NaN, column by column.
std::vector<Arrival> scrapes(std::mt19937& random) {
  std::vector<Arrival> out;
  std::vector<double> values(5, 0);
  for (int second = 10; second <= 300; second += 10) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (random() % 8 == 0) continue;
      values[i] = random() % 9 == 0 ? 0 : values[i] + static_cast<double>(random() % 5);
      const double value = random() % 30 == 0   ? normal_nan()
                           : random() % 30 == 0 ? stale_nan()
                                                : values[i];
      out.push_back({i, second, value});
    }
  }
  return out;
}

// The orders in which senders deliver.
void rearrange(std::vector<Arrival>& arrivals, int order, std::mt19937& random) {
  const auto swap_near = [&](std::size_t reach) {
    for (std::size_t i = 0; i + reach < arrivals.size(); ++i) {
      std::swap(arrivals[i], arrivals[i + random() % reach]);
    }
  };
  if (order == 1) swap_near(4);
  if (order == 2) swap_near(30);
  if (order == 3) {  // One series after the other.
    std::stable_sort(arrivals.begin(), arrivals.end(),
                     [](const Arrival& a, const Arrival& b) { return a.series < b.series; });
  }
  if (order == 4) std::shuffle(arrivals.begin(), arrivals.end(), random);
}

// Grids of all the series, one after another, have the samples that read() has.
void check_grid(const Store& store, std::span<const SeriesId> ids, Timestamp after,
                Timestamp upto) {
  Grid grid;
  while (!ids.empty()) {
    store.read_grid(ids, after, upto, grid);
    REQUIRE(grid.rows >= 1);
    REQUIRE(grid.rows <= ids.size());
    for (std::size_t row = 0; row < grid.rows; ++row) {
      std::vector<Sample> samples;
      store.read(ids[row], after, upto, samples);
      auto expected = samples.begin();
      for (std::size_t i = 0; i < grid.times_ms.size(); ++i) {
        const double value = grid.row(row)[i];
        if (is_absent(value)) continue;
        REQUIRE(expected != samples.end());
        CHECK(to_millis(expected->at) == grid.times_ms[i]);
        CHECK(std::bit_cast<std::uint64_t>(expected->value) == std::bit_cast<std::uint64_t>(value));
        ++expected;
      }
      CHECK(expected == samples.end());
    }
    ids = ids.subspan(grid.rows);
  }
}

void check_windows(const Store& store, const std::vector<SeriesId>& ids, std::mt19937& random,
                   Timestamp from = Timestamp{}) {
  for (int n = 0; n < 20; ++n) {
    const Timestamp after = from + std::chrono::seconds(random() % 300);
    const Timestamp upto = after + std::chrono::seconds(random() % 200);
    const std::vector<WindowEnds> all = ends_of(store, ids, after, upto);
    check_grid(store, ids, after, upto);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::vector<Sample> samples;
      store.read(ids[i], after, upto, samples);
      REQUIRE(all[i].count == samples.size());
      if (samples.empty()) continue;
      double resets = 0;
      for (std::size_t k = 1; k < samples.size(); ++k) {
        if (samples[k].value < samples[k - 1].value) resets += samples[k - 1].value;
      }
      CHECK(all[i].first_ms == to_millis(samples.front().at));
      CHECK(all[i].last_ms == to_millis(samples.back().at));
      CHECK(all[i].resets == resets);
      CHECK((all[i].last == samples.back().value || std::isnan(samples.back().value)));
    }
  }
}

TEST_CASE("the fast path and the long way agree in whatever order samples come") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    Store store;
    const BlockId block = store.add_block({.history = 10min});
    std::vector<SeriesId> ids;
    for (int i = 0; i < 5; ++i) {
      const Labels labels{{"__name__", "s"}, {"i", std::to_string(i)}};
      ids.push_back(store.add_series(block, labels, true));
    }
    std::vector<Arrival> arrivals = scrapes(random);
    rearrange(arrivals, round % 5, random);
    const bool mixed = round % 7 == 0;
    for (const Arrival& a : arrivals) {
      const Timestamp at = from_millis(a.second * 1000);
      if (mixed && random() % 20 == 0) {
        const std::vector<double> values{1, a.value};
        store.append_column(block, at + 5s, std::vector{ids[0], ids[3]}, values);
      }
      if (mixed && random() % 40 == 0) store.append_stale(block, at + 5s);
      store.append_sample(ids[a.series], at, a.value);
      if (random() % 50 == 0) check_windows(store, ids, random);
      if (random() % 200 == 0) store.collect_garbage(at - 8min);
    }
    check_windows(store, ids, random);
  }
}

// Where each column has all series and none falls, its ends are not looked at one by one.
TEST_CASE("the fast path and the long way agree where what grows is interrupted") {
  std::mt19937 random(9);
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    Store store;
    const BlockId block = store.add_block({.history = 2min, .synthesize_starts = round % 2 == 0});
    const auto series = [&](int i) {
      return store.add_series(block, Labels{{"__name__", "s"}, {"i", std::to_string(i)}}, true);
    };
    int born = 4;
    std::vector<SeriesId> ids;
    for (int i = 0; i < born; ++i) ids.push_back(series(i));
    std::vector<double> values(ids.size(), 1);
    for (int second = 10; second <= 600; second += 10) {
      const Timestamp at = from_millis(second * 1000);
      for (double& value : values) value += static_cast<double>(random() % 3);
      const auto event = random() % 60;
      if (event == 0) values[random() % values.size()] = 0;
      if (event == 1 && ids.size() > 1) ids.pop_back();
      if (event == 2) ids.push_back(series(born++));
      if (event == 3) {
        store.append_stale(block, at);
        continue;
      }
      if (event == 4) store.append_sample(ids[0], at - 5s, values[0]);
      values.resize(ids.size(), 0);
      store.append_column(block, at, ids, values);
      store.collect_garbage(at);
      if (random() % 10 == 0) check_windows(store, store.select({}), random, at - 4min);
    }
  }
}

TEST_CASE("columns are sealed when two later ones have begun") {
  Block block({.history = 10min});
  const Row a = block.add_row(0, true);
  const Row b = block.add_row(1, true);
  const auto at = [](int second) { return from_millis(second * 1000); };
  for (int second = 10; second <= 40; second += 10) {
    block.insert(a, at(second), second);
    if (second != 20) block.insert(b, at(second), second);
  }
  CHECK(block.sealed_count() == 2);
  CHECK(block.column(0).irregular.count() == 2);  // Both were born.
  CHECK(block.column(1).irregular.count() == 1);
  CHECK(block.column(1).irregular.has(b));
  // It comes late, and is nothing special any more.
  block.insert(b, at(20), 20);
  CHECK(block.column(1).irregular.empty());
}

TEST_CASE("one series after the other leaves no notes but the births") {
  Block block({.history = 10min});
  for (Row row = 0; row < 3; ++row) {
    block.add_row(row, true);
    for (int second = 10; second <= 100; second += 10) {
      block.insert(row, from_millis(second * 1000), second);
    }
  }
  for (std::size_t i = 1; i < block.sealed_count(); ++i) {
    CHECK(block.column(i).irregular.empty());
  }
}

}  // namespace
}  // namespace tocsin::store
