// SPDX-License-Identifier: Apache-2.0
//
// The loops that decide what Tocsin costs, each a function that is called once, so that
// instructions.py can count what happens in it: hot_paths page|first_page|evaluate|churn.
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "simulate/mesh.h"
#include "source/target_store.h"
#include "tocsin/promql.h"

namespace {

using namespace tocsin;

constexpr Timestamp kStart = from_millis(1'700'000'000'000);
constexpr Duration kInterval = std::chrono::seconds(15);
constexpr std::size_t kTargets = 40;
constexpr std::size_t kPages = 24;  // A window of five minutes, and some.

constexpr const char* kWanted =
    "response_total + request_total + response_latency_ms_bucket + process_start_time_seconds";
constexpr const char* kQueries[] = {
    "sum by (namespace, deployment) (rate(response_total{classification=\"success\"}[5m])) / sum "
    "by "
    "(namespace, deployment) (rate(response_total[5m])) < 0.99",
    "histogram_quantile(0.99, sum by (namespace, deployment, le) "
    "(rate(response_latency_ms_bucket[5m]))) > 500"};

// Some proxies, scraped on and on.
class World {
 public:
  World() : mesh_(simulate::MeshConfig::sized(kTargets), kStart) {
    auto rules = std::make_shared<source::SampleRules>();
    rules->filter =
        std::make_shared<const source::KeepFilter>(promql::needs_of(**promql::parse(kWanted)));
    rules_ = rules;
    for (std::size_t i = 0; i < kTargets; ++i) add_target(i);
  }

  // Renders the pages of the next slot.
  void advance() {
    now_ += kInterval;
    mesh_.advance(now_);
    attempts_.clear();
    for (std::size_t i = 0; i < kTargets; ++i) {
      std::string page;
      mesh_.render(mesh_.endpoints()[i].path, page);
      attempts_.push_back({now_, 0.01, source::FetchedPage{std::move(page), "text/plain"}});
    }
  }
  void scrape() {
    for (std::size_t i = 0; i < kTargets; ++i) targets_[i]->accept(attempts_[i], rules_);
  }
  // Every tenth target is another pod from now on.
  void roll_out() {
    for (std::size_t i = 0; i < kTargets; i += 10) {
      targets_[i]->remove();
      add_target(i);
    }
  }
  const store::Store& store() const { return store_; }
  Timestamp now() const { return now_; }

 private:
  void add_target(std::size_t i) {
    const Labels labels{{"instance", std::to_string(++last_pod_)},
                        {"namespace", "shop"},
                        {"deployment", "web-" + std::to_string(i / 4)}};
    if (targets_.size() <= i) targets_.emplace_back();
    targets_[i] = std::make_unique<source::TargetStore>(store_, labels, kInterval);
  }

  simulate::Mesh mesh_;
  store::Store store_;
  std::shared_ptr<const source::SampleRules> rules_;
  std::vector<std::unique_ptr<source::TargetStore>> targets_;
  std::vector<source::Attempt> attempts_;
  Timestamp now_ = kStart;
  std::size_t last_pod_ = 0;
};

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
  World world;
  auto queries = prepared();
  world.advance();
  if (what == "first_page") {
    counted_scrape(world);
    return 0;
  }
  for (std::size_t i = 0; i < kPages; ++i) {
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
  if (what == "churn" || what == "evaluate") {
    counted_evaluation(queries, world);
    return 0;
  }
  std::cerr << "hot_paths page|first_page|evaluate|churn\n";
  return 2;
}
