// SPDX-License-Identifier: Apache-2.0
//
// What one evaluation of a rule group costs: the rules of side_by_side.rules.yaml over a mesh of
// many proxies, windows full, on one core. `warm`: again and again; `cold`: after the caches have
// been filled with something else, as scraping fills them between two evaluations of the daemon.
//
//   group_bench [--proxies=1000] [Google Benchmark's options]
#include <benchmark/benchmark.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "bench/rule_group.h"
#include "bench/world.h"

namespace {

using namespace tocsin;
using bench::RuleGroup;

constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
constexpr int kColdRuns = 400;
constexpr int kForeseenRuns = 60;

void fill_caches() {
  static std::vector<char> other(kCacheBytes);
  for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
  benchmark::ClobberMemory();
}

struct Bench {
  explicit Bench(std::size_t proxies)
      : described(bench::read_group()),
        world(proxies, rule::required_needs({.groups = {described}})),
        group(described, world.store()) {
    for (std::size_t i = 0; i < bench::kPages; ++i) {
      world.advance();
      world.scrape();
    }
    group.evaluate(world.now(), RuleGroup::Writes::Recordings);
    group.evaluate(world.now(), RuleGroup::Writes::Nothing);
  }

  // Another instant each time: what was evaluated at one is known there.
  Timestamp next() { return world.now() + Duration(++evaluations % bench::kInterval.count()); }

  rule::Group described;
  bench::World world;
  RuleGroup group;
  int evaluations = 0;
};

void warm(benchmark::State& state, Bench& bench) {
  std::size_t elements = 0;
  for (auto _ : state) elements = bench.group.evaluate(bench.next(), RuleGroup::Writes::Nothing);
  state.counters["elements"] = static_cast<double>(elements);
  state.counters["series"] = static_cast<double>(bench.world.store().stats().series);
}

void cold(benchmark::State& state, Bench& bench) {
  for (auto _ : state) {
    state.PauseTiming();
    fill_caches();
    state.ResumeTiming();
    bench.group.evaluate(bench.next(), RuleGroup::Writes::Nothing);
  }
}

// As in the daemon: what the pages brought has been looked at when the time comes.
void foreseen(benchmark::State& state, Bench& bench) {
  for (auto _ : state) {
    state.PauseTiming();
    bench.world.advance();
    bench.world.scrape();
    const Timestamp at = bench.next();
    bench.group.look_ahead(at);
    fill_caches();
    state.ResumeTiming();
    bench.group.evaluate(at, RuleGroup::Writes::Nothing);
  }
}

void cold_rule(benchmark::State& state, Bench& bench, std::size_t rule) {
  for (auto _ : state) {
    state.PauseTiming();
    fill_caches();
    state.ResumeTiming();
    benchmark::DoNotOptimize(bench.group.evaluate_rule(rule, bench.next()));
  }
}

std::size_t take_proxies(int& argc, char** argv) {
  constexpr std::string_view kFlag = "--proxies=";
  std::size_t proxies = 1000;
  int kept = 0;
  for (int i = 0; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg.starts_with(kFlag)) {
      std::from_chars(arg.data() + kFlag.size(), arg.data() + arg.size(), proxies);
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return proxies;
}

}  // namespace

int main(int argc, char** argv) {
  Bench bench(take_proxies(argc, argv));
  benchmark::RegisterBenchmark("warm", [&](benchmark::State& s) {
    warm(s, bench);
  })->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("cold", [&](benchmark::State& s) { cold(s, bench); })
      ->Iterations(kColdRuns)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("foreseen", [&](benchmark::State& s) { foreseen(s, bench); })
      ->Iterations(kForeseenRuns)
      ->Unit(benchmark::kMillisecond);
  for (std::size_t i = 0; i < bench.group.size(); ++i) {
    benchmark::RegisterBenchmark(("cold/" + bench.group.name(i)).c_str(),
                                 [&, i](benchmark::State& s) { cold_rule(s, bench, i); })
        ->Iterations(kColdRuns)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
