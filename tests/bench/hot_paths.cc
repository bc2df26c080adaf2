// SPDX-License-Identifier: Apache-2.0
//
// The loops that decide what Tocsin costs, each a function that is called once, so that
// instructions.py can count what happens in it: hot_paths page|first_page|evaluate|foreseen|churn.
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "bench/world.h"
#include "tocsin/promql.h"

namespace {

using namespace tocsin;
using bench::World;

constexpr std::size_t kTargets = 40;

constexpr const char* kWanted =
    "response_total + request_total + response_latency_ms_bucket + process_start_time_seconds";
constexpr const char* kQueries[] = {
    "sum by (namespace, deployment) (rate(response_total{classification=\"success\"}[5m])) / sum "
    "by "
    "(namespace, deployment) (rate(response_total[5m])) < 0.99",
    "histogram_quantile(0.99, sum by (namespace, deployment, le) "
    "(rate(response_latency_ms_bucket[5m]))) > 500"};

std::vector<promql::Query> prepared() {
  std::vector<promql::Query> queries;
  for (const char* text : kQueries) queries.push_back(promql::Query::prepare(*promql::parse(text)));
  return queries;
}

}  // namespace

// What is counted. Not inlined, so that it has a name.
extern "C" {
[[gnu::noinline]] void counted_scrape(World& world) { world.scrape(); }
[[gnu::noinline]] void counted_evaluation(std::vector<promql::Query>& queries, const World& world) {
  for (promql::Query& query : queries) {
    if (!query.evaluate(world.store(), world.now())) std::cerr << "a query fails\n";
  }
}
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  World world(kTargets, promql::needs_of(**promql::parse(kWanted)));
  auto queries = prepared();
  world.advance();
  if (what == "first_page") {
    counted_scrape(world);
    return 0;
  }
  for (std::size_t i = 0; i < bench::kPages; ++i) {
    world.scrape();
    world.advance();
  }
  if (what == "page") {
    counted_scrape(world);
    return 0;
  }
  for (promql::Query& query : queries) (void)query.evaluate(world.store(), world.now());
  if (what == "churn") {
    world.roll_out();
    world.scrape();
  }
  if (what == "evaluate" || what == "foreseen") {
    world.advance();
    world.scrape();
  }
  if (what == "foreseen") {
    for (promql::Query& query : queries) query.look_ahead(world.store(), world.now());
  }
  if (what == "churn" || what == "evaluate" || what == "foreseen") {
    counted_evaluation(queries, world);
    return 0;
  }
  std::cerr << "hot_paths page|first_page|evaluate|foreseen|churn\n";
  return 2;
}
