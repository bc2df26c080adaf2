// SPDX-License-Identifier: Apache-2.0
#include "notify/grouper.h"

namespace tocsin::notify {

Grouper::~Grouper() {
  for (auto& [key, group] : groups_) scheduler_.cancel(group.task);
}

void Grouper::add(const Destination& destination, const OutgoingAlert& alert) {
  const std::string key = destination.route->receiver + "|" + destination.group_key();
  const bool known = groups_.count(key) > 0;
  if (!known && alert.resolved) return;  // Nobody was told that it fired.
  Group& group = groups_[key];
  group.timing = *destination.route;
  group.timing.routes.clear();
  group.labels = destination.group_labels;
  const auto before = group.alerts.find(alert.labels);
  if (before == group.alerts.end() && alert.resolved) return;
  group.changed |= before == group.alerts.end() || before->second.resolved != alert.resolved ||
                   before->second.starts_at != alert.starts_at;
  group.alerts[alert.labels] = alert;
  if (!known) schedule(key, group, group.timing.group_wait);
}

void Grouper::schedule(const std::string& key, Group& group, Duration delay) {
  group.task = scheduler_.after(delay, [this, key] { tick(key); });
}

void Grouper::tick(const std::string& key) {
  const auto it = groups_.find(key);
  if (it == groups_.end()) return;
  Group& group = it->second;
  const bool repeat = clock_.now() - group.last_flush >= group.timing.repeat_interval;
  if (group.changed || repeat) {
    GroupMessage message{
        group.timing.receiver, key.substr(key.find('|') + 1), group.labels, {}, ""};
    for (const auto& [labels, alert] : group.alerts) message.alerts.push_back(alert);
    group.changed = false;
    group.last_flush = clock_.now();
    flush_(group.timing.receiver, std::move(message));
    std::erase_if(group.alerts, [](const auto& entry) { return entry.second.resolved; });
  }
  if (group.alerts.empty()) {
    groups_.erase(it);
  } else {
    schedule(key, group, group.timing.group_interval);
  }
}

}  // namespace tocsin::notify
