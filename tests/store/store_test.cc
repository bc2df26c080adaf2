// SPDX-License-Identifier: Apache-2.0
#include "tocsin/store.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "support/ends_of.h"

namespace tocsin::store {
namespace {

using namespace std::chrono_literals;

Timestamp at(int seconds) { return from_millis(seconds * 1000); }

// A store with one block, scraped every 10 s.
struct OneTarget {
  Store store;
  BlockId block;

  explicit OneTarget(bool synthesize = false)
      : block(store.add_block({.history = 5min, .synthesize_starts = synthesize})) {}

  SeriesId series(const char* name) {
    return store.add_series(block, Labels{{"__name__", name}}, true);
  }
  bool scrape(int second, std::vector<std::pair<SeriesId, double>> samples,
              bool restarted = false) {
    std::vector<SeriesId> ids;
    std::vector<double> values;
    for (const auto& [id, value] : samples) {
      ids.push_back(id);
      values.push_back(value);
    }
    return store.append_column(block, at(second), ids, values, restarted);
  }
  // "10:1 20:2", the samples of a window.
  std::string read(SeriesId id, int after, int upto) {
    std::vector<Sample> samples;
    store.read(id, at(after), at(upto), samples);
    std::string out;
    for (const Sample& s : samples) {
      out +=
          (out.empty() ? "" : " ") + format_value(to_seconds(s.at)) + ":" + format_value(s.value);
    }
    return out;
  }
  double latest(SeriesId id, int after, int upto) {
    double value = 0;
    std::int64_t time = 0;
    store.read_latest({&id, 1}, at(after), at(upto), {&value, 1}, {&time, 1});
    return value;
  }
  WindowEnds ends(SeriesId id, int after, int upto) {
    return ends_of(store, {&id, 1}, at(after), at(upto))[0];
  }
};

TEST_CASE("windows are open on the left and closed on the right") {
  OneTarget t;
  const SeriesId a = t.series("a");
  for (int i = 1; i <= 5; ++i) t.scrape(i * 10, {{a, i}});
  CHECK(t.read(a, 10, 40) == "20:2 30:3 40:4");
  CHECK(t.latest(a, 0, 45) == 4);
  CHECK(is_absent(t.latest(a, 50, 60)));
  const WindowEnds ends = t.ends(a, 10, 40);
  CHECK(ends.count == 3);
  CHECK(ends.first == 2);
  CHECK(ends.last == 4);
  CHECK(ends.last_ms == 40'000);
}

TEST_CASE("a series that is missing from a scrape is stale from then on") {
  OneTarget t;
  const SeriesId a = t.series("a");
  const SeriesId b = t.series("b");
  t.scrape(10, {{a, 1}, {b, 1}});
  t.scrape(20, {{a, 2}});
  t.scrape(30, {{a, 3}, {b, 5}});
  CHECK(is_absent(t.latest(b, 0, 20)));
  CHECK(t.latest(b, 0, 30) == 5);
  CHECK(t.read(b, 0, 30) == "10:1 30:5");
  CHECK(t.ends(b, 0, 30).count == 2);
}

TEST_CASE("a failed scrape ends every series, and the next one brings them back") {
  OneTarget t;
  const SeriesId a = t.series("a");
  t.scrape(10, {{a, 1}});
  t.store.append_stale(t.block, at(20));
  CHECK(is_absent(t.latest(a, 0, 25)));
  t.scrape(30, {{a, 2}});
  CHECK(t.latest(a, 0, 35) == 2);
}

TEST_CASE("counter resets inside a window are added up") {
  OneTarget t;
  const SeriesId a = t.series("a");
  const double values[] = {5, 8, 2, 4, 1};
  for (int i = 0; i < 5; ++i) t.scrape(10 + i * 10, {{a, values[i]}});
  const WindowEnds ends = t.ends(a, 0, 50);
  CHECK(ends.resets == 8 + 4);
  CHECK(t.ends(a, 20, 40).resets == 0);
  CHECK(t.ends(a, 10, 30).resets == 8);
}

TEST_CASE("the first value of a counter born on a known target counts from zero") {
  OneTarget t(true);
  const SeriesId old = t.series("old");
  t.scrape(10, {{old, 7}});
  const SeriesId born = t.series("born");
  t.scrape(20, {{old, 7}, {born, 3}});
  t.scrape(30, {{old, 7}, {born, 3}});
  CHECK(t.read(born, 0, 30) == "10:0 20:3 30:3");
  CHECK(t.read(old, 0, 30) == "10:7 20:7 30:7");
  const WindowEnds ends = t.ends(born, 0, 30);
  CHECK(ends.last - ends.first == 3);
}

TEST_CASE("nothing is synthesised on a first scrape, after a restart or after a failed scrape") {
  OneTarget t(true);
  const SeriesId a = t.series("a");
  t.scrape(10, {{a, 7}});
  CHECK(t.read(a, 0, 30) == "10:7");
  const SeriesId b = t.series("b");
  t.scrape(20, {{a, 1}, {b, 9}}, true);
  CHECK(t.read(b, 0, 30) == "20:9");
  t.store.append_stale(t.block, at(30));
  const SeriesId c = t.series("c");
  t.scrape(40, {{a, 1}, {c, 9}});
  CHECK(t.read(c, 0, 40) == "40:9");
}

TEST_CASE("samples with their own timestamps may come in any order, once") {
  OneTarget t;
  const SeriesId a = t.series("a");
  const SeriesId b = t.series("b");
  CHECK(t.store.append_sample(a, at(30), 3));
  CHECK(t.store.append_sample(a, at(10), 1));
  CHECK(t.store.append_sample(b, at(10), 9));
  CHECK(t.store.append_sample(a, at(20), 2));
  CHECK(t.store.append_sample(a, at(20), 2));
  CHECK_FALSE(t.store.append_sample(a, at(20), 4));
  CHECK(t.read(a, 0, 30) == "10:1 20:2 30:3");
  CHECK(t.latest(b, 0, 30) == 9);
  CHECK(t.ends(a, 0, 30).count == 3);
}

TEST_CASE("a writer gets its turn however many read") {
  Store store;
  std::atomic<bool> written = false;
  std::atomic<int> overtaken = 0;
  const auto read_on = [&] {
    for (int i = 0; i < 1'000'000 && !written; ++i) {
      const auto lock = store.lock_for_read();
      std::this_thread::yield();
      ++overtaken;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back(read_on);
  while (overtaken < 100) std::this_thread::yield();
  {
    const auto lock = store.lock_for_write();
    written = true;
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(overtaken < 4'000'000);
}

TEST_CASE("an old column is refused") {
  OneTarget t;
  const SeriesId a = t.series("a");
  CHECK(t.scrape(20, {{a, 1}}));
  CHECK_FALSE(t.scrape(20, {{a, 2}}));
  CHECK_FALSE(t.scrape(10, {{a, 2}}));
  CHECK(t.read(a, 0, 30) == "20:1");
}

TEST_CASE("old columns and ended series are forgotten, and their rows used again") {
  OneTarget t;
  const SeriesId a = t.series("a");
  const SeriesId b = t.series("b");
  t.scrape(10, {{a, 1}, {b, 1}});
  for (int second = 20; second <= 400; second += 10) t.scrape(second, {{a, second * 1.0}});
  const auto before = t.store.version("b");
  t.store.collect_garbage(at(400));
  CHECK(t.store.version("b") != before);
  CHECK(t.store.select({Matcher::equal("__name__", "b")}).empty());
  CHECK(t.read(a, 0, 120) == "110:110 120:120");
  const SeriesId c = t.series("c");
  t.scrape(410, {{a, 1}, {c, 5}});
  CHECK(t.read(c, 0, 410) == "410:5");
  CHECK(t.store.stats().series == 2);
}

TEST_CASE("series are selected by any matchers") {
  Store store;
  const BlockId block = store.add_block({});
  store.add_series(block, Labels{{"__name__", "m"}, {"a", "1"}}, false);
  store.add_series(block, Labels{{"__name__", "m"}, {"a", "2"}}, false);
  store.add_series(block, Labels{{"__name__", "n"}, {"a", "2"}}, false);
  const auto count = [&](const Matchers& m) { return store.select(m).size(); };
  CHECK(count({Matcher::equal("__name__", "m")}) == 2);
  CHECK(count({Matcher::equal("a", "2")}) == 2);
  CHECK(count({Matcher::equal("__name__", "m"), Matcher::not_equal("a", "2")}) == 1);
  CHECK(count({*Matcher::make(Matcher::Op::Regex, "__name__", "m|n")}) == 3);
  CHECK(count({Matcher::equal("__name__", "x")}) == 0);
}

TEST_CASE("the fast path and the long way agree on random blocks") {
  std::uint64_t state = 42;
  const auto next = [&] {
    return (state = state * 6364136223846793005ULL + 1442695040888963407ULL) >> 33;
  };
  for (int round = 0; round < 50; ++round) {
    OneTarget t(round % 2 == 0);
    std::vector<SeriesId> ids;
    std::vector<double> values;
    for (int i = 0; i < 8; ++i) ids.push_back(t.series(("s" + std::to_string(i)).c_str()));
    values.assign(ids.size(), 0);
    for (int second = 10; second <= 250; second += 10) {
      if (next() % 12 == 0) {
        t.store.append_stale(t.block, at(second));
        continue;
      }
      std::vector<std::pair<SeriesId, double>> samples;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (next() % 10 == 0) continue;
        values[i] = next() % 9 == 0 ? 0 : values[i] + static_cast<double>(next() % 5);
        samples.emplace_back(ids[i], next() % 40 == 0 ? normal_nan() : values[i]);
      }
      t.scrape(second, samples);
    }
    for (const SeriesId id : ids) {
      std::vector<Sample> samples;
      t.store.read(id, at(60), at(200), samples);
      const WindowEnds ends = t.ends(id, 60, 200);
      REQUIRE(ends.count == samples.size());
      if (samples.empty()) continue;
      double resets = 0;
      for (std::size_t i = 1; i < samples.size(); ++i) {
        if (samples[i].value < samples[i - 1].value) resets += samples[i - 1].value;
      }
      CHECK(ends.first_ms == to_millis(samples.front().at));
      CHECK(ends.last_ms == to_millis(samples.back().at));
      CHECK(ends.resets == resets);
      CHECK((ends.last == samples.back().value || std::isnan(samples.back().value)));
    }
  }
}

TEST_CASE("what is read ahead is what is the latest at each instant") {
  Store store;
  std::vector<SeriesId> ids;
  std::uint32_t seed = 5;
  const auto dice = [&] { return (seed = seed * 1664525 + 1013904223) >> 16; };
  for (int b = 0; b < 3; ++b) {
    const BlockId block = store.add_block({.history = 1h});
    std::vector<SeriesId> of_block;
    for (int row = 0; row < 5; ++row) {
      const Labels labels{
          {"__name__", "m"}, {"block", std::to_string(b)}, {"row", std::to_string(row)}};
      of_block.push_back(store.add_series(block, labels, false));
    }
    for (int second = b; second < 1200; second += 10) {
      std::vector<SeriesId> there;
      std::vector<double> values;
      for (const SeriesId id : of_block) {
        if (dice() % 8 == 0) continue;
        there.push_back(id);
        values.push_back(dice() % 100);
      }
      if (dice() % 20 == 0) {
        store.append_stale(block, at(second));
      } else if (dice() % 10 != 0) {
        store.append_column(block, at(second), there, values);
      }
    }
    ids.insert(ids.end(), of_block.begin(), of_block.end());
  }
  std::swap(ids[2], ids[9]);
  std::vector<std::vector<double>> ahead(90, std::vector<double>(ids.size()));
  store.read_latest_ahead(ids, 35s, at(-40), 17s, ahead);
  for (std::size_t k = 0; k < ahead.size(); ++k) {
    const Timestamp now = at(-40) + k * 17s;
    std::vector<double> values(ids.size());
    std::vector<std::int64_t> times(ids.size());
    store.read_latest(ids, now - 35s, now, values, times);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      CHECK(std::bit_cast<std::uint64_t>(ahead[k][i]) == std::bit_cast<std::uint64_t>(values[i]));
    }
  }
}

TEST_CASE("a native histogram is no number, and the numbers around it are not hidden by it") {
  Store store;
  const BlockId block = store.add_block({});
  const SeriesId id = store.add_series(block, Labels{{"__name__", "latency"}}, false);
  const auto second = [](int s) { return Timestamp(std::chrono::seconds(s)); };
  auto histogram = std::make_shared<Histogram>();
  histogram->count = 3;
  CHECK_FALSE(store.has_histograms());
  CHECK(store.append_sample(id, second(10), 1));
  CHECK(store.append_histogram(id, second(20), histogram));
  CHECK_FALSE(store.append_sample(id, second(20), 2));
  CHECK(store.has_histograms());

  std::vector<Sample> samples;
  store.read(id, second(0), second(30), samples);
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].value == 1);
  std::vector<HistogramSample> histograms;
  store.read_histograms(id, second(0), second(30), histograms);
  REQUIRE(histograms.size() == 1);
  CHECK(histograms[0].at == second(20));
  CHECK(*histograms[0].histogram == *histogram);

  const std::vector<SeriesId> ids{id};
  std::vector<double> values(1);
  std::vector<std::int64_t> times(1);
  std::vector<HistogramPtr> newest(1);
  store.read_latest(ids, second(0), second(30), values, times);
  CHECK(is_absent(values[0]));
  store.read_latest_histograms(ids, second(0), second(30), newest, times);
  CHECK(newest[0] == histogram);
  CHECK(times[0] == 20'000);
  CHECK(ends_of(store, ids, second(0), second(30))[0].count == 1);
}

TEST_CASE("a column that has no number for a histogram's series ends it, unless one follows") {
  Store store;
  const BlockId block = store.add_block({});
  const SeriesId one = store.add_series(block, Labels{{"__name__", "one"}}, false);
  const SeriesId two = store.add_series(block, Labels{{"__name__", "two"}}, false);
  const auto second = [](int s) { return Timestamp(std::chrono::seconds(s)); };
  const auto histogram = std::make_shared<const Histogram>();
  const std::vector<SeriesId> ids{one, two};
  for (const int at : {10, 20}) {
    store.append_column(block, second(at), {}, {});
    CHECK(store.append_histogram(one, second(at), histogram));
  }
  CHECK(store.append_histogram(two, second(20), histogram));
  store.append_column(block, second(30), {}, {});
  CHECK(store.append_histogram(one, second(30), histogram));
  std::vector<std::int64_t> times(2);
  std::vector<HistogramPtr> newest(2);
  store.read_latest_histograms(ids, second(0), second(30), newest, times);
  CHECK(newest[0] == histogram);
  CHECK(newest[1] == nullptr);
}

}  // namespace
}  // namespace tocsin::store
