// SPDX-License-Identifier: Apache-2.0
#include "notify/grouper.h"

#include <algorithm>

namespace tocsin::notify {
namespace {

constexpr Duration kPatience = std::chrono::minutes(10);

// An alert that nobody has confirmed for longer than it was to be believed: a reload has sent it
// another way.
bool is_stale(const GroupedAlert& entry, Timestamp now) {
  const OutgoingAlert& alert = entry.alert;
  return (!entry.news || entry.held) && !alert.resolved && alert.ends_at + kPatience < now;
}

RouteConfig timing_of(const RouteConfig& route) {
  RouteConfig timing = route;
  timing.matchers.clear();
  timing.routes.clear();
  return timing;
}

}  // namespace

Grouper::~Grouper() {
  for (auto& [key, group] : groups_) parts_.scheduler.cancel(group.task);
}

void Grouper::add(const Destination& destination, const OutgoingAlert& alert, Unsaved& unsaved) {
  const std::string key = destination.route->receiver + "|" + destination.group_key();
  const auto known = groups_.find(key);
  if (known == groups_.end() && alert.resolved) return;  // Nobody was told that it fired.
  Group& group = known == groups_.end() ? groups_[key] : known->second;
  GroupState& state = group.state;
  state.timing = timing_of(*destination.route);
  state.labels = destination.group_labels;
  const auto before = state.alerts.find(alert.labels);
  if (before == state.alerts.end() && alert.resolved) return;
  const bool is_news = before == state.alerts.end() ||
                       before->second.alert.resolved != alert.resolved ||
                       before->second.alert.starts_at != alert.starts_at;
  GroupedAlert& entry = state.alerts[alert.labels];
  entry.alert = alert;
  entry.news = entry.news || is_news;
  if (known == groups_.end()) schedule(key, group, state.timing.group_wait);
  if (!is_news) return;
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
  const Timestamp now = parts_.clock.now();
  state.last_flush = std::min(state.last_flush, now);  // The clock may have been set back.
  for (auto& [labels, entry] : state.alerts) {
    if (!entry.alert.resolved) entry.alert.ends_at = std::max(entry.alert.ends_at, now);
  }
  it->second.state = std::move(state);
  const GroupState& group = it->second.state;
  const bool was_told = group.last_flush != Timestamp{};
  const Timestamp due =
      was_told ? group.last_flush + group.timing.group_interval : now + group.timing.group_wait;
  schedule(key, it->second, std::max(Duration(0), due - now));
}

void Grouper::save(const std::string& key, const GroupState& state) {
  if (parts_.outbox) parts_.outbox->put_group(key, encode(state));
}

void Grouper::schedule(const std::string& key, Group& group, Duration delay) {
  group.task = parts_.scheduler.after(delay, [this, key] { tick(key); });
}

void Grouper::tick(const std::string& key) {
  const auto it = groups_.find(key);
  if (it == groups_.end()) return;
  GroupState& group = it->second.state;
  const Timestamp now = parts_.clock.now();
  std::erase_if(group.alerts, [now](const auto& entry) { return is_stale(entry.second, now); });
  const bool other_held = hold_back(group);
  const bool told = tell(key, group);
  if (!group.alerts.empty()) {
    if (other_held || told) save(key, group);
    return schedule(key, it->second, group.timing.group_interval);
  }
  if (parts_.outbox) parts_.outbox->remove_group(key);
  groups_.erase(it);
}

// Marks what the receiver is not to hear of now; says whether that is other than before.
bool Grouper::hold_back(GroupState& group) {
  const Timestamp now = parts_.clock.now();
  const bool route_muted = parts_.muting.muted_route(group.timing, now).has_value();
  bool changed = false;
  for (auto& [labels, entry] : group.alerts) {
    const bool may_hear_the_end = entry.alert.resolved && entry.told;
    const auto reason = route_muted        ? std::optional(MuteReason::TimeInterval)
                        : may_hear_the_end ? std::nullopt
                                           : parts_.muting.reason_of(labels, now);
    if (reason) ++muted_[static_cast<std::size_t>(*reason)];
    // What was held back and is over is not news when the silence ends.
    const bool held = reason.has_value() || entry.is_over_unheard();
    changed = changed || held != entry.held;
    entry.held = held;
  }
  return std::erase_if(group.alerts, [](const auto& e) { return e.second.is_over_unheard(); }) >
             0 ||
         changed;
}

// Tells the receiver what is not held back, if it is time; says whether it was.
bool Grouper::tell(const std::string& key, GroupState& group) {
  const Timestamp now = parts_.clock.now();
  GroupMessage message{group.timing.receiver, key.substr(key.find('|') + 1), group.labels, {}, ""};
  bool news = false;
  for (const auto& [labels, entry] : group.alerts) {
    if (entry.held) continue;
    news = news || entry.news;
    message.alerts.push_back(entry.alert);
  }
  const bool repeat = now - group.last_flush >= group.timing.repeat_interval;
  if (message.alerts.empty() || (!news && !repeat)) return false;
  group.last_flush = now;
  // A receiver takes the message for all there is, and is told again of what it leaves out.
  for (auto& [labels, entry] : group.alerts) {
    entry.news = entry.held;
    if (!entry.held) entry.told = !entry.alert.resolved;
  }
  std::erase_if(group.alerts,
                [](const auto& e) { return e.second.alert.resolved && !e.second.held; });
  flush_(group.timing.receiver, std::move(message));
  return true;
}

}  // namespace tocsin::notify
