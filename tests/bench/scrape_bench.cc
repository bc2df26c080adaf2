// SPDX-License-Identifier: Apache-2.0
//
// How fast a scraped page gets into the store: bytes of a Linkerd proxy's page a second, parsing
// and appending, on one core.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "simulate/mesh.h"
#include "source/target_store.h"
#include "tocsin/promql.h"

namespace {

using namespace tocsin;

// What the shipped rules read of a proxy, about.
constexpr const char* kWanted =
    "response_total + request_total + response_latency_ms_bucket + tcp_open_total + "
    "process_start_time_seconds";
constexpr const char* kEverything = "{__name__=~\".+\"}";

// The page of one proxy, time after time, while the mesh lives on.
std::vector<std::string> pages_of_a_proxy(std::size_t count) {
  const Timestamp start = from_millis(1'700'000'000'000);
  simulate::Mesh mesh(simulate::MeshConfig::sized(20), start);
  const std::string path = mesh.endpoints().front().path;
  std::vector<std::string> pages(count);
  for (std::size_t i = 0; i < count; ++i) {
    mesh.advance(start + std::chrono::seconds(15 * (i + 1)));
    mesh.render(path, pages[i]);
  }
  return pages;
}

std::shared_ptr<const source::SampleRules> rules_for(const char* wanted) {
  auto rules = std::make_shared<source::SampleRules>();
  const auto expr = promql::parse(wanted);
  rules->filter = std::make_shared<const source::KeepFilter>(promql::needs_of(**expr));
  return rules;
}

source::Attempt attempt(const std::string& page, Timestamp at) {
  return {at, 0.01, source::FetchedPage{page, "text/plain"}};
}

// A target that is scraped on and on.
void repeated_page(benchmark::State& state, const char* wanted) {
  const auto pages = pages_of_a_proxy(8);
  const auto rules = rules_for(wanted);
  store::Store store;
  source::TargetStore target(store, Labels{{"instance", "i"}}, std::chrono::seconds(15));
  Timestamp at = from_millis(1'700'000'000'000);
  std::vector<source::Attempt> attempts;
  for (const std::string& page : pages) attempts.push_back(attempt(page, at));
  std::size_t next = 0;
  for (auto _ : state) {
    source::Attempt& one = attempts[next++ % attempts.size()];
    one.at = at += std::chrono::seconds(15);
    benchmark::DoNotOptimize(target.accept(one, rules));
    if (next % 16 == 0) {
      state.PauseTiming();
      store.collect_garbage(at);
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * pages[0].size()));
  state.counters["lines"] = static_cast<double>(std::count(pages[0].begin(), pages[0].end(), '\n'));
  state.counters["series"] = static_cast<double>(store.stats().series);
}

// A target's first page.
void first_page(benchmark::State& state, const char* wanted) {
  const auto pages = pages_of_a_proxy(1);
  const auto rules = rules_for(wanted);
  const source::Attempt one = attempt(pages[0], from_millis(1'700'000'000'000));
  store::Store store;
  for (auto _ : state) {
    auto target = std::make_unique<source::TargetStore>(store, Labels{{"instance", "i"}},
                                                        std::chrono::seconds(15));
    benchmark::DoNotOptimize(target->accept(one, rules));
    state.PauseTiming();
    target->remove();
    target.reset();
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * pages[0].size()));
}

BENCHMARK_CAPTURE(repeated_page, of_shipped_rules, kWanted);
BENCHMARK_CAPTURE(repeated_page, kept_whole, kEverything);
BENCHMARK_CAPTURE(first_page, of_shipped_rules, kWanted);
BENCHMARK_CAPTURE(first_page, kept_whole, kEverything);

}  // namespace

BENCHMARK_MAIN();
