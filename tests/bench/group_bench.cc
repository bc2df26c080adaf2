// SPDX-License-Identifier: Apache-2.0
//
// What one evaluation of a rule group costs: the rules of side_by_side.rules.yaml over a mesh of
// many proxies, windows full, on one core. `warm`: again and again; `cold`: after the caches have
// been filled with something else, as scraping fills them between two evaluations of the daemon.
//
//   group_bench [--proxies=1000] [Google Benchmark's options]
#include <benchmark/benchmark.h>

#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "promql/shared_values.h"
#include "simulate/mesh.h"
#include "source/target_store.h"
#include "tocsin/rule_set.h"

namespace {

using namespace tocsin;

constexpr Duration kInterval = std::chrono::seconds(15);
constexpr std::size_t kPages = 24;  // A window of five minutes, and some.
constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
constexpr int kColdRuns = 400;

rule::Group read_group() {
  std::ifstream file(TOCSIN_BENCH_RULES);
  const rule::SourceFile source{"side_by_side.rules.yaml",
                                {std::istreambuf_iterator<char>(file), {}}};
  return rule::load(std::span(&source, 1)).rules.groups.at(0);
}

// Proxies that have been scraped until the windows are full.
class World {
 public:
  World(std::size_t proxies, const rule::Group& group)
      : mesh_(simulate::MeshConfig::sized(proxies), now_), endpoints_(mesh_.endpoints()) {
    auto rules = std::make_shared<source::SampleRules>();
    rules->filter =
        std::make_shared<const source::KeepFilter>(rule::required_needs({.groups = {group}}));
    rules_ = rules;
    for (const simulate::Endpoint& endpoint : endpoints_) {
      targets_.push_back(std::make_unique<source::TargetStore>(store_, endpoint.labels, kInterval));
    }
    for (std::size_t i = 0; i < kPages; ++i) scrape();
  }

  void scrape() {
    now_ += kInterval;
    mesh_.advance(now_);
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      std::string page;
      mesh_.render(endpoints_[i].path, page);
      targets_[i]->accept({now_, 0.01, source::FetchedPage{std::move(page), "text/plain"}}, rules_);
    }
  }

  store::Store& store() { return store_; }
  Timestamp now() const { return now_; }

 private:
  Timestamp now_ = from_millis(1'700'000'000'000);
  simulate::Mesh mesh_;
  const std::vector<simulate::Endpoint> endpoints_;
  store::Store store_;
  std::shared_ptr<const source::SampleRules> rules_;
  std::vector<std::unique_ptr<source::TargetStore>> targets_;
};

// The rules of a group, evaluated one after another as the daemon does.
class Group {
 public:
  Group(const rule::Group& group, store::Store& store) : store_(store) {
    std::vector<std::string> written{"ALERTS", "ALERTS_FOR_STATE"};
    for (const rule::Rule& rule : group.rules) {
      if (rule.kind == rule::RuleKind::Record) written.push_back(rule.name);
    }
    const auto shared = std::make_shared<promql::SharedValues>(written);
    for (const rule::Rule& rule : group.rules) {
      rules_.push_back(
          {rule, promql::Query::prepare(rule.expr, {.shared = shared}),
           store.add_block({.history = std::chrono::hours(1), .origin = store::Origin::Rules})});
    }
  }

  std::size_t evaluate(Timestamp at, bool record) {
    std::size_t elements = 0;
    for (Rule& rule : rules_) {
      const auto answer = rule.query.evaluate(store_, at);
      if (!answer) {
        std::cerr << answer.error().message << '\n';
        std::exit(1);
      }
      const auto& vector = std::get<promql::Vector>(answer->value);
      elements += vector.size();
      if (record && rule.rule.kind == rule::RuleKind::Record) write(rule, at, vector);
    }
    return elements;
  }

  std::size_t size() const { return rules_.size(); }
  void evaluate_rule(std::size_t rule, Timestamp at) {
    benchmark::DoNotOptimize(rules_[rule].query.evaluate(store_, at));
  }
  const std::string& name(std::size_t rule) const { return rules_[rule].rule.name; }

 private:
  struct Rule {
    rule::Rule rule;
    promql::Query query;
    store::BlockId block;
  };

  void write(Rule& rule, Timestamp at, const promql::Vector& vector) {
    std::vector<store::SeriesId> ids;
    std::vector<double> values;
    for (const promql::Element& element : vector) {
      ids.push_back(
          store_.add_series(rule.block, element.labels.with(kMetricName, rule.rule.name), false));
      values.push_back(element.sample.value);
    }
    store_.append_column(rule.block, at, ids, values);
  }

  store::Store& store_;
  std::vector<Rule> rules_;
};

void fill_caches() {
  static std::vector<char> other(kCacheBytes);
  for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
  benchmark::ClobberMemory();
}

struct Bench {
  explicit Bench(std::size_t proxies)
      : described(read_group()), world(proxies, described), group(described, world.store()) {
    for (int i = 0; i < 2; ++i) group.evaluate(world.now(), i == 0);
  }

  // Another instant each time: what was evaluated at one is known there.
  Timestamp next() { return world.now() + Duration(++evaluations % kInterval.count()); }

  rule::Group described;
  World world;
  Group group;
  int evaluations = 0;
};

void warm(benchmark::State& state, Bench& bench) {
  std::size_t elements = 0;
  for (auto _ : state) elements = bench.group.evaluate(bench.next(), false);
  state.counters["elements"] = static_cast<double>(elements);
  state.counters["series"] = static_cast<double>(bench.world.store().stats().series);
}

void cold(benchmark::State& state, Bench& bench) {
  for (auto _ : state) {
    state.PauseTiming();
    fill_caches();
    state.ResumeTiming();
    bench.group.evaluate(bench.next(), false);
  }
}

void cold_rule(benchmark::State& state, Bench& bench, std::size_t rule) {
  for (auto _ : state) {
    state.PauseTiming();
    fill_caches();
    state.ResumeTiming();
    bench.group.evaluate_rule(rule, bench.next());
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
  for (std::size_t i = 0; i < bench.group.size(); ++i) {
    benchmark::RegisterBenchmark(("cold/" + bench.group.name(i)).c_str(),
                                 [&, i](benchmark::State& s) { cold_rule(s, bench, i); })
        ->Iterations(kColdRuns)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
