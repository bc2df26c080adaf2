// SPDX-License-Identifier: Apache-2.0
#include "notify/grouper.h"

#include <algorithm>

namespace tocsin::notify {
namespace {

constexpr Duration kPatience = std::chrono::minutes(10);

// An alert that nobody has confirmed for longer than it was to be believed: a reload has sent it
// another way.
bool is_stale(const OutgoingAlert& alert, Timestamp now) {
  return !alert.resolved && alert.ends_at + kPatience < now;
}

RouteConfig timing_of(const RouteConfig& route) {
  RouteConfig timing = route;
  timing.matchers.clear();
  timing.routes.clear();
  return timing;
}

}  // namespace

Grouper::~Grouper() {
  for (auto& [key, group] : groups_) scheduler_.cancel(group.task);
}

void Grouper::add(const Destination& destination, const OutgoingAlert& alert,
                  Unsaved& unsaved) {
  const std::string key = destination.route->receiver + "|" + destination.group_key();
  const auto known = groups_.find(key);
  if (known == groups_.end() && alert.resolved) return;  // Nobody was told that it fired.
  Group& group = known == groups_.end() ? groups_[key] : known->second;
  GroupState& state = group.state;
  state.timing = timing_of(*destination.route);
  state.labels = destination.group_labels;
  const auto before = state.alerts.find(alert.labels);
  if (before == state.alerts.end() && alert.resolved) return;
  const bool is_news = before == state.alerts.end() || before->second.resolved != alert.resolved ||
                       before->second.starts_at != alert.starts_at;
  state.alerts[alert.labels] = alert;
  if (known == groups_.end()) schedule(key, group, state.timing.group_wait);
  if (!is_news) return;
  state.changed = true;
  unsaved.insert(key);
}

void Grouper::save(const Unsaved& unsaved) {
  for (const std::string& key : unsaved) {
    const auto it = groups_.find(key);
    if (it != groups_.end()) save(key, it->second.state);
  }
}

void Grouper::restore(const std::string& key, GroupState state) {
  const auto [it, is_new] = groups_.try_emplace(key);
  if (!is_new) return;
  state.last_flush = std::min(state.last_flush, clock_.now());  // The clock may have been set back.
  for (auto& [labels, alert] : state.alerts) {
    if (!alert.resolved) alert.ends_at = std::max(alert.ends_at, clock_.now());
  }
  it->second.state = std::move(state);
  const GroupState& group = it->second.state;
  const bool was_told = group.last_flush != Timestamp{};
  const Timestamp due = was_told ? group.last_flush + group.timing.group_interval
                                 : clock_.now() + group.timing.group_wait;
  schedule(key, it->second, std::max(Duration(0), due - clock_.now()));
}

void Grouper::save(const std::string& key, const GroupState& state) {
  if (outbox_) outbox_->put_group(key, encode(state));
}

void Grouper::schedule(const std::string& key, Group& group, Duration delay) {
  group.task = scheduler_.after(delay, [this, key] { tick(key); });
}

void Grouper::tick(const std::string& key) {
  const auto it = groups_.find(key);
  if (it == groups_.end()) return;
  GroupState& group = it->second.state;
  if (!group.changed) {
    std::erase_if(group.alerts,
                  [this](const auto& entry) { return is_stale(entry.second, clock_.now()); });
  }
  const bool repeat = clock_.now() - group.last_flush >= group.timing.repeat_interval;
  if (!group.alerts.empty() && (group.changed || repeat)) {
    GroupMessage message{
        group.timing.receiver, key.substr(key.find('|') + 1), group.labels, {}, ""};
    for (const auto& [labels, alert] : group.alerts) message.alerts.push_back(alert);
    group.changed = false;
    group.last_flush = clock_.now();
    flush_(group.timing.receiver, std::move(message));
    std::erase_if(group.alerts, [](const auto& entry) { return entry.second.resolved; });
    if (!group.alerts.empty()) save(key, group);
  }
  if (!group.alerts.empty()) {
    return schedule(key, it->second, group.timing.group_interval);
  }
  if (outbox_) outbox_->remove_group(key);
  groups_.erase(it);
}

}  // namespace tocsin::notify
