// SPDX-License-Identifier: Apache-2.0
#include "daemon/foresight.h"

#include <cstdlib>

namespace tocsin::daemon {
namespace {

// So long that some pages have come, and so short that they are still in the caches.
constexpr std::int64_t kEveryMs = 250;

}  // namespace

void Foresight::Group::look(Timestamp until) const {
  const std::int64_t at_ms = at_ms_;
  if (at_ms == 0 || at_ms > to_millis(until)) return;
  for (const Work& work : works_) work(from_millis(at_ms));
}

std::shared_ptr<Foresight::Group> Foresight::add(Works works) {
  auto group = std::make_shared<Group>(std::move(works));
  const std::lock_guard lock(mutex_);
  std::erase_if(groups_, [](const auto& one) { return one.expired(); });
  groups_.push_back(group);
  return group;
}

// Clocks may be set back.
bool Foresight::is_due(Timestamp page) {
  std::int64_t last = last_ms_;
  const std::int64_t now = to_millis(page);
  return std::abs(now - last) >= kEveryMs && last_ms_.compare_exchange_strong(last, now);
}

void Foresight::look(Timestamp until) {
  for (const std::shared_ptr<Group>& group : groups()) group->look(until);
}

std::vector<std::shared_ptr<Foresight::Group>> Foresight::groups() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Group>> out;
  for (const std::weak_ptr<Group>& one : groups_) {
    if (auto group = one.lock()) out.push_back(std::move(group));
  }
  return out;
}

}  // namespace tocsin::daemon
