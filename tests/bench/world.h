// SPDX-License-Identifier: Apache-2.0
//
// What benchmarks run on: the proxies of a simulated mesh, scraped into a store on a clock of its
// own, as the daemon does it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulate/mesh.h"
#include "source/target_store.h"
#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::bench {

constexpr Duration kInterval = std::chrono::seconds(15);
constexpr std::size_t kPages = 24;  // A window of five minutes, and some.

class World {
 public:
  // Of `proxies` proxies, and their control plane; what `needs` ask for is kept.
  World(std::size_t proxies, const std::vector<promql::Need>& needs)
      : mesh_(simulate::MeshConfig::sized(proxies), now_), endpoints_(mesh_.endpoints()) {
    auto rules = std::make_shared<source::SampleRules>();
    rules->filter = std::make_shared<const source::KeepFilter>(needs);
    rules_ = rules;
    targets_.resize(endpoints_.size());
    for (std::size_t i = 0; i < targets_.size(); ++i) add_target(i, endpoints_[i].labels);
  }

  // Renders the pages of the next slot.
  void advance() {
    now_ += kInterval;
    mesh_.advance(now_);
    attempts_.clear();
    for (const simulate::Endpoint& endpoint : endpoints_) {
      std::string page;
      mesh_.render(endpoint.path, page);
      attempts_.push_back({now_, 0.01, source::FetchedPage{std::move(page), "text/plain"}});
    }
  }
  void scrape() {
    for (std::size_t i = 0; i < targets_.size(); ++i) targets_[i]->accept(attempts_[i], rules_);
  }

  // Of ten targets that follow one another, one is another pod from now on: number `which` of them.
  void roll_out(std::size_t which = 0) {
    ++generation_;
    for (std::size_t i = which % 10; i < targets_.size(); i += 10) {
      targets_[i]->remove();
      const std::string pod = "pod-" + std::to_string(generation_) + "-" + std::to_string(i);
      add_target(i, endpoints_[i].labels.with("pod", pod).with("instance", pod));
    }
  }

  store::Store& store() { return store_; }
  const store::Store& store() const { return store_; }
  Timestamp now() const { return now_; }

 private:
  void add_target(std::size_t i, const Labels& labels) {
    targets_[i] = std::make_unique<source::TargetStore>(store_, labels, kInterval);
  }

  Timestamp now_ = from_millis(1'700'000'000'000);
  simulate::Mesh mesh_;
  const std::vector<simulate::Endpoint> endpoints_;
  store::Store store_;
  std::shared_ptr<const source::SampleRules> rules_;
  std::vector<std::unique_ptr<source::TargetStore>> targets_;
  std::vector<source::Attempt> attempts_;
  std::size_t generation_ = 0;
};

}  // namespace tocsin::bench
