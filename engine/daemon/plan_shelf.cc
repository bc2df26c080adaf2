// SPDX-License-Identifier: Apache-2.0
#include "daemon/plan_shelf.h"

#include <algorithm>

namespace tocsin::daemon {

std::optional<promql::Query> PlanShelf::take(std::string_view text) {
  const std::lock_guard guard(mutex_);
  const auto it = std::find_if(plans_.begin(), plans_.end(),
                               [&](const auto& plan) { return plan.first == text; });
  if (it == plans_.end()) return std::nullopt;
  std::optional<promql::Query> out(std::move(it->second));
  plans_.erase(it);
  return out;
}

void PlanShelf::put(std::string text, promql::Query plan) {
  std::list<std::pair<std::string, promql::Query>> old;  // Goes when the lock has gone.
  const std::lock_guard guard(mutex_);
  plans_.emplace_front(std::move(text), std::move(plan));
  if (plans_.size() > kRoom) old.splice(old.begin(), plans_, std::prev(plans_.end()));
}

}  // namespace tocsin::daemon
