// SPDX-License-Identifier: Apache-2.0
//
// TargetStores gives each set of target labels its one place in the store. A target that vanishes
// is marked stale at once and forgotten when nobody looks back that far any more; if it comes back
// before, it finds its series as it left them.
//
// Loop thread only; the store is changed by workers.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "source/scrape_loop.h"
#include "source/target_store.h"

namespace tocsin::source {

class TargetStores {
 public:
  explicit TargetStores(const ScrapeParts& parts) : parts_(parts) {}
  ~TargetStores();
  TargetStores(const TargetStores&) = delete;
  TargetStores& operator=(const TargetStores&) = delete;

  // Nothing when another target has these labels: their series would be the same ones.
  std::shared_ptr<TargetStore> obtain(const Labels& labels, Duration interval);

  // The target of these labels is gone.
  void retire(const Labels& labels);

 private:
  struct Place {
    std::shared_ptr<TargetStore> store;
    bool in_use = false;
    std::optional<Scheduler::TaskId> removal;
  };

  void remove(const Labels& labels);

  const ScrapeParts parts_;
  std::unordered_map<Labels, Place> places_;
};

}  // namespace tocsin::source
