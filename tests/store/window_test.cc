// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "support/ends_of.h"
#include "tocsin/store.h"

namespace tocsin::store {
namespace {

using namespace std::chrono_literals;

constexpr int kBlocks = 8;
constexpr int kRows = 3;

Timestamp at(int seconds) { return from_millis(seconds * 1000); }

// Some targets with a few counters each, which grow by one at every scrape.
struct Targets {
  Store store;
  std::vector<BlockId> blocks;
  std::vector<SeriesId> ids;

  Targets() {
    for (int b = 0; b < kBlocks; ++b) {
      blocks.push_back(store.add_block({.history = 5min}));
      for (int row = 0; row < kRows; ++row) {
        const Labels labels{{"__name__", "m"}, {"row", std::to_string(row)}};
        ids.push_back(store.add_series(blocks.back(), labels, true));
      }
    }
  }
  void scrape(int second) {
    for (int b = 0; b < kBlocks; ++b) scrape(b, second, second);
  }
  void scrape(int target, int second, double value) {
    const std::vector<double> values(kRows, value);
    store.append_column(blocks[target], at(second), of(target), values);
  }
  std::span<const SeriesId> of(int target) const {
    return std::span(ids).subspan(static_cast<std::size_t>(target) * kRows, kRows);
  }
};

TEST_CASE("series that stand next to each other are a run, up to the length of a batch") {
  Targets t;
  const auto runs = t.store.runs_of(t.ids);
  REQUIRE(runs.size() == kBlocks);
  for (const RowRun& run : runs) CHECK(run.count == kRows);
  const std::vector<SeriesId> apart{t.ids[0], t.ids[2], t.ids[3]};
  CHECK(t.store.runs_of(apart).size() == 3);

  Store big;
  const BlockId block = big.add_block({});
  std::vector<SeriesId> many;
  for (std::size_t i = 0; i < EndsBatch::kMostRows + 1; ++i) {
    many.push_back(big.add_series(block, Labels{{"n", std::to_string(i)}}, true));
  }
  CHECK(big.runs_of(many).size() == 2);
}

TEST_CASE("what is read of one block is what is read of it when all are") {
  Targets t;
  for (int second = 10; second <= 120; second += 10) t.scrape(second);
  t.scrape(2, 130, 1);    // A reset.
  t.scrape(5, 135, 200);  // At another time than the rest.
  const auto all = ends_of(t.store, t.ids, at(20), at(140));
  REQUIRE(all.size() == t.ids.size());
  for (std::size_t i = 0; i < t.ids.size(); ++i) {
    const WindowEnds one = ends_of(t.store, std::span(t.ids).subspan(i, 1), at(20), at(140))[0];
    CHECK(all[i].first == one.first);
    CHECK(all[i].last == one.last);
    CHECK(all[i].first_ms == one.first_ms);
    CHECK(all[i].last_ms == one.last_ms);
    CHECK(all[i].count == one.count);
    CHECK(all[i].resets == one.resets);
  }
  CHECK(all[2 * kRows].resets == 120);
  CHECK(all[5 * kRows].last_ms == 135'000);
}

TEST_CASE("a window that was read knows nothing of what is written later; the next one does") {
  Targets t;
  for (int second = 10; second <= 60; second += 10) t.scrape(second);
  const auto last_of = [&](std::size_t i) {
    return ends_of(t.store, t.ids, at(0), at(90))[i].last;
  };
  CHECK(last_of(0) == 60);
  t.scrape(0, 70, 77);
  CHECK(last_of(0) == 77);
  CHECK(last_of(kRows) == 60);
  t.store.append_sample(t.ids[kRows], at(80), 88);
  CHECK(last_of(kRows) == 88);
  t.store.append_stale(t.blocks[2], at(80));
  t.scrape(2, 85, 3);
  CHECK(ends_of(t.store, t.ids, at(0), at(90))[2 * kRows].resets == 60);
  t.store.collect_garbage(at(70) + 5min);
  CHECK(ends_of(t.store, t.ids, at(0), at(90))[0].count == 0);
}

TEST_CASE("a block that comes after a window was read is in the next one") {
  Targets t;
  for (int second = 10; second <= 60; second += 10) t.scrape(second);
  CHECK(ends_of(t.store, t.ids, at(0), at(60))[0].count == 6);
  const BlockId block = t.store.add_block({.history = 5min});
  t.ids.push_back(t.store.add_series(block, Labels{{"__name__", "late"}}, true));
  CHECK(ends_of(t.store, t.ids, at(0), at(60)).back().count == 0);
}

}  // namespace
}  // namespace tocsin::store
