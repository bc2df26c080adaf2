// SPDX-License-Identifier: Apache-2.0
#include "daemon/foresight.h"

namespace tocsin::daemon {
namespace {

// So many pages that one look is worth it, and so few that they are still in the caches.
constexpr std::uint64_t kPagesAtOnce = 8;

}  // namespace

void Foresight::Group::look_ahead() const {
  if (at_ms_ == 0) return;
  for (const Work& work : works_) work(from_millis(at_ms_));
}

std::shared_ptr<Foresight::Group> Foresight::add(Works works) {
  auto group = std::make_shared<Group>(std::move(works));
  const std::lock_guard lock(mutex_);
  std::erase_if(groups_, [](const auto& one) { return one.expired(); });
  groups_.push_back(group);
  return group;
}

void Foresight::note_page() {
  if (++pages_ % kPagesAtOnce != 0) return;
  for (const std::shared_ptr<Group>& group : groups()) group->look_ahead();
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
