// SPDX-License-Identifier: Apache-2.0
#include "notify/grouper.h"

#include <algorithm>

#include "base/hash.h"

namespace tocsin::notify {
namespace {

constexpr Duration kPatience = std::chrono::minutes(10);
// After a restart a rule waits for its slot, which may be as far as its interval is long.
constexpr Duration kPatienceAtStart = std::chrono::hours(2);

// An alert that nobody has confirmed for longer than it was to be believed, while others were: it
// is no longer sent. When the clock jumps, nobody has confirmed anything.
bool is_stale(const GroupedAlert& entry, Timestamp last_heard) {
  const OutgoingAlert& alert = entry.alert;
  const bool is_of_before = entry.source == GroupedAlert::Source::Restart;
  const Duration patience = is_of_before ? kPatienceAtStart : kPatience;
  return (!entry.news || entry.held) && !alert.resolved && alert.ends_at + patience < last_heard;
}

// For a replica that tells nobody: firing or over, nobody speaks of it any more.
bool is_forgotten(const GroupedAlert& entry, Timestamp now) {
  return entry.alert.ends_at + kPatience < now;
}

// What the other replica's receiver believes, as far as our own rules say something else.
void adopt_one(GroupedAlert& own, bool is_told) {
  own.told = is_told;
  own.news = own.alert.resolved == is_told;
  own.held = false;
}

// The other replica has told nothing of the group but what is in `told`, which may be null. What is
// over, nobody has heard of then; what our own rules do not see, because it was only written down
// or they are blind, is over, too: `forgotten`.
void forget_untold(GroupState& own, const GroupState* told, std::vector<Labels>& forgotten) {
  own.last_flush = {};
  std::erase_if(own.alerts, [&](const auto& e) {
    const GroupedAlert& entry = e.second;
    if (told && told->alerts.contains(e.first)) return false;
    const bool is_seen = entry.source == GroupedAlert::Source::Rules && !entry.alert.blind;
    if (is_seen && !entry.alert.resolved) return false;
    if (!entry.alert.resolved) forgotten.push_back(e.first);
    return true;
  });
  for (auto& [labels, entry] : own.alerts) adopt_one(entry, false);
}

void adopt_group(GroupState& own, const GroupState& told) {
  if (own.timing.receiver.empty()) {
    own.timing = told.timing;
    own.labels = told.labels;
  }
  own.last_flush = told.last_flush;
  for (const auto& [labels, entry] : told.alerts) {
    const auto [it, is_new] = own.alerts.try_emplace(labels, entry);
    if (!is_new) adopt_one(it->second, entry.told);
    if (is_new) it->second.source = GroupedAlert::Source::OtherReplica;
  }
}

GroupMessage message_to(const std::string& key, const GroupState& group) {
  GroupMessage message;
  message.receiver = group.timing.receiver;
  message.group_key = key.substr(key.find('|') + 1);
  message.group_labels = group.labels;
  return message;
}

OutgoingAlert as_moved(OutgoingAlert alert, Timestamp now) {
  alert.resolved = true;
  alert.ends_at = now;
  alert.decided_at = now;
  alert.annotations["resolved_because"] =
      "the routes have changed, and it is told in another group";
  return alert;
}

// What a receiver has been told, as a number that changes with it.
std::uint64_t knowledge_of(const GroupState& group) {
  std::uint64_t hash = hash_bytes(std::to_string(to_millis(group.last_flush)));
  for (const auto& [labels, entry] : group.alerts) {
    const std::string flags{entry.told ? 't' : '-', entry.news ? 'n' : '-', entry.held ? 'h' : '-'};
    hash = hash_bytes(labels.text() + flags, hash);
  }
  return hash;
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
  const std::string key = destination.key();
  if (!over_elsewhere_.empty() && over_elsewhere_.contains({key, alert.labels})) {
    if (alert.blind) return;
    over_elsewhere_.erase({key, alert.labels});
  }
  const auto known = groups_.find(key);
  if (known == groups_.end() && alert.resolved) return;  // Nobody was told that it fired.
  Group& group = known == groups_.end() ? groups_[key] : known->second;
  GroupState& state = group.state;
  state.timing = timing_of(*destination.route);
  state.labels = destination.group_labels;
  const auto before = state.alerts.find(alert.labels);
  if (before == state.alerts.end() && alert.resolved) return;
  // Another replica may have seen the same alert begin a moment earlier or later.
  const bool is_adopted =
      before != state.alerts.end() && before->second.source == GroupedAlert::Source::OtherReplica;
  const bool is_other = before != state.alerts.end() && !is_adopted &&
                        before->second.alert.starts_at != alert.starts_at;
  const bool is_news =
      before == state.alerts.end() || is_other || before->second.alert.resolved != alert.resolved;
  GroupedAlert& entry = state.alerts[alert.labels];
  entry.alert = alert;
  entry.moved_at.reset();
  entry.source = GroupedAlert::Source::Rules;
  entry.news = entry.news || is_news;
  if (known == groups_.end()) schedule(key, group, state.timing.group_wait);
  if (is_news || is_adopted) unsaved.insert(key);
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
    entry.source = GroupedAlert::Source::Restart;
    if (!entry.alert.resolved) entry.alert.ends_at = std::max(entry.alert.ends_at, now);
  }
  it->second.state = std::move(state);
  note_places(key, it->second.state);  // The configuration may be another.
  schedule(key, it->second, due_in(it->second.state));
}

Duration Grouper::due_in(const GroupState& group) const {
  const Timestamp now = parts_.clock.now();
  const bool was_told = group.last_flush != Timestamp{};
  const Timestamp due =
      was_told ? group.last_flush + group.timing.group_interval : now + group.timing.group_wait;
  return std::max(Duration(0), due - now);
}

void Grouper::set_silent(bool silent) {
  if (silent == silent_) return;
  silent_ = silent;
  if (silent) return;
  for (auto& [key, group] : groups_) {
    parts_.scheduler.cancel(group.task);
    schedule(key, group, due_in(group.state));
  }
}

std::map<std::string, std::string> Grouper::written() const {
  std::map<std::string, std::string> out;
  for (const auto& [key, group] : groups_) out.emplace(key, encode(group.state));
  return out;
}

std::map<std::string, std::size_t> Grouper::believed() const {
  std::map<std::string, std::size_t> out;
  for (const auto& [key, group] : groups_) {
    const auto& alerts = group.state.alerts;
    const auto count =
        std::count_if(alerts.begin(), alerts.end(), [](const auto& e) { return e.second.told; });
    out[group.state.timing.receiver] += static_cast<std::size_t>(count);
  }
  return out;
}

void Grouper::adopt(const std::map<std::string, GroupState>& told) {
  std::map<std::string, std::uint64_t> before;
  for (auto& [key, group] : groups_) {
    before.emplace(key, knowledge_of(group.state));
    const auto theirs = told.find(key);
    std::vector<Labels> forgotten;
    forget_untold(group.state, theirs == told.end() ? nullptr : &theirs->second, forgotten);
    for (Labels& labels : forgotten) over_elsewhere_.emplace(key, std::move(labels));
  }
  for (const auto& [key, theirs] : told) adopt_group(groups_[key].state, theirs);
  for (auto& [key, group] : groups_) {
    group.state.last_flush = std::min(group.state.last_flush, parts_.clock.now());
    // Nobody needs to hear the end of what nobody has heard of.
    std::erase_if(group.state.alerts,
                  [](const auto& e) { return e.second.alert.resolved && !e.second.told; });
    if (group.task != 0) parts_.scheduler.cancel(group.task);
    schedule(key, group, due_in(group.state));
    const auto known = before.find(key);
    if (known == before.end() || known->second != knowledge_of(group.state)) {
      save(key, group.state);
    }
  }
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
  forget_old(group);
  const bool has_left = !silent_ && close_left(key, group);
  const bool other_held = !silent_ && hold_back(group);
  const bool told = !silent_ && tell(key, group);
  if (!group.alerts.empty()) {
    if (has_left || other_held || told) save(key, group);
    return schedule(key, it->second, group.timing.group_interval);
  }
  if (parts_.outbox) parts_.outbox->remove_group(key);
  groups_.erase(it);
}

void Grouper::forget_old(GroupState& group) const {
  std::erase_if(group.alerts, [&, now = parts_.clock.now()](const auto& entry) {
    return silent_ ? is_forgotten(entry.second, now) : is_stale(entry.second, last_heard_);
  });
}

// ---- What new routes lead elsewhere.

void Grouper::note_new_routes() {
  for (const auto& [key, group] : groups_) note_places(key, group.state);
}

void Grouper::note_places(const std::string& key, const GroupState& group) {
  for (const auto& [labels, entry] : group.alerts) {
    if (entry.told) old_places_[labels].insert(key);
  }
}

void Grouper::leave_others(const OutgoingAlert& alert, const std::vector<Destination>& destinations,
                           Unsaved& unsaved) {
  const auto places = old_places_.extract(alert.labels);
  if (places.empty()) return;
  std::set<std::string> keys;
  for (const Destination& destination : destinations) keys.insert(destination.key());
  for (const std::string& key : places.mapped()) {
    const auto old = groups_.find(key);
    if (keys.contains(key) || old == groups_.end()) continue;
    const auto entry = old->second.state.alerts.find(alert.labels);
    if (entry == old->second.state.alerts.end()) continue;
    if (alert.resolved) {
      entry->second.alert = alert;
      entry->second.news = true;
      unsaved.insert(key);
    } else {
      entry->second.moved_at = parts_.clock.now();
    }
  }
}

// Once the others have been told, what has left is taken out; whoever keeps an incident of the
// group hears of it, unless something else in it still fires. Says whether anything was.
bool Grouper::close_left(const std::string& key, GroupState& group) {
  const Timestamp now = parts_.clock.now();
  GroupMessage left = message_to(key, group);
  left.has_moved = true;
  std::erase_if(group.alerts, [&](const auto& e) {
    const GroupedAlert& entry = e.second;
    if (!entry.moved_at || now - *entry.moved_at < group.timing.group_wait) return false;
    left.alerts.push_back(as_moved(entry.alert, now));
    return true;
  });
  const bool has_left = !left.alerts.empty();
  const bool is_believed = std::any_of(group.alerts.begin(), group.alerts.end(), [](const auto& e) {
    return e.second.told && !e.second.moved_at;
  });
  if (has_left && !is_believed) {
    flush_(group.timing.receiver, std::move(left));
  }
  return has_left;
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
  GroupMessage message = message_to(key, group);
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
