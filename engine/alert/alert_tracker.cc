// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <utility>

#include "alert/flap.h"
#include "alert/template.h"
#include "tocsin/alert.h"
#include "tocsin/duration.h"

namespace tocsin::alert {
namespace {

constexpr std::string_view kAlertName = "alertname";
const std::string kWhenBlind = "tocsin_when_blind";
constexpr std::string_view kLimitAlert = "TocsinAlertsHeldBack";
constexpr Duration kResolvedRetention = std::chrono::minutes(15);
// The window of most rules.
constexpr Duration kUsualWindow = std::chrono::minutes(5);
constexpr Duration kLongestWindow = std::chrono::hours(1);

using Texts = std::map<std::string, std::string>;

// A template that does not parse is text: check reports it, and the alert must not be lost.
struct NamedTemplate {
  std::string name;
  std::string text;
  std::optional<Template> parsed;  // Nothing where the text is plain.

  std::string expand(const TemplateData& data) const {
    return parsed ? parsed->expand(data) : text;
  }
};

std::vector<NamedTemplate> parse_all(const Texts& texts) {
  std::vector<NamedTemplate> out;
  for (const auto& [name, text] : texts) {
    if (name == kWhenBlind) continue;  // For Tocsin, not for people.
    NamedTemplate one{name, text, std::nullopt};
    if (text.find("{{") != std::string::npos) {
      if (auto parsed = Template::parse(text)) one.parsed = std::move(*parsed);
    }
    out.push_back(std::move(one));
  }
  return out;
}

// A rule that compares with last week need not see a week to know that a fault is over.
Duration window_of(const rule::Rule& rule) {
  Duration longest{0};
  if (rule.expr) {
    for (const promql::Need& need : promql::needs_of(*rule.expr)) {
      longest = std::max(longest, need.history);
    }
  }
  return longest.count() > 0 ? std::min(longest, kLongestWindow) : kUsualWindow;
}

// A heartbeat that nobody can see has stopped: that is what it is for.
bool ends_when_blind(const rule::Rule& rule) {
  const auto it = rule.annotations.find(kWhenBlind);
  return it != rule.annotations.end() && it->second == "resolve";
}

void lose_sight(Timestamp at, Alert& alert, const Obstacle& obstacle) {
  if (!alert.blind) {
    alert.blind = Blindness{at, obstacle, at};
    alert.is_news = alert.state == State::Firing;
  }
  alert.blind->last = at;
}

// Whether a record of `a` does for `b`. Values change all the time; the next record has them.
bool is_same_life(const Alert& a, const Alert& b) {
  const auto blind_since = [](const Alert& alert) {
    return alert.blind ? std::optional(alert.blind->since) : std::nullopt;
  };
  return a.state == b.state && a.active_at == b.active_at && a.fired_at == b.fired_at &&
         a.resolved_at == b.resolved_at && a.keep_firing_since == b.keep_firing_since &&
         a.last_sent_at == b.last_sent_at && a.flapping_since == b.flapping_since &&
         blind_since(a) == blind_since(b);
}

}  // namespace

struct AlertTracker::Templates {
  std::vector<NamedTemplate> labels;
  std::vector<NamedTemplate> annotations;
};

// An element of the result, as the alert that it would be.
struct AlertTracker::Candidate {
  Labels labels;
  Texts annotations;
  double value = 0;
};

std::string_view name_of(State state) {
  static constexpr std::string_view kNames[] = {"inactive", "pending", "firing"};
  return kNames[static_cast<int>(state)];
}

Timestamp valid_until(Timestamp at, Duration interval, Duration resend_delay) {
  return at + 4 * std::max(interval, resend_delay);
}

AlertTracker::AlertTracker(const rule::Rule& rule, std::size_t limit)
    : rule_(rule),
      limit_(limit),
      window_(window_of(rule)),
      ends_when_blind_(ends_when_blind(rule)),
      templates_(std::make_unique<const Templates>(
          Templates{parse_all(rule.labels), parse_all(rule.annotations)})) {}
AlertTracker::~AlertTracker() = default;
AlertTracker::AlertTracker(AlertTracker&&) noexcept = default;
AlertTracker& AlertTracker::operator=(AlertTracker&&) noexcept = default;

Result<std::vector<Transition>> AlertTracker::observe(Timestamp at, const promql::Vector& result,
                                                      const Surroundings& around) {
  auto present = candidates(at, result, around);
  if (!present) return fail(present.error());
  hold_back(at, *present, around);
  const std::set<Labels> there = labels_of(*present);
  std::vector<Transition> changes;
  apply_present(at, *present, changes);
  look_for_flapping(at, there);
  apply_absent(at, there, around, changes);
  fire_when_due(at, changes);
  forget_old(at);
  return changes;
}

Result<std::vector<AlertTracker::Candidate>> AlertTracker::candidates(
    Timestamp at, const promql::Vector& result, const Surroundings& around) const {
  std::vector<Candidate> out;
  std::set<Labels> seen;
  for (const promql::Element& element : result) {
    TemplateData data{
        element.labels, around.external_labels, around.external_url, element.sample.value, at,
        around.query};
    LabelsBuilder labels(element.labels.without(kMetricName));
    for (const NamedTemplate& label : templates_->labels) {
      labels.set(label.name, label.expand(data));
    }
    labels.set(kAlertName, rule_.name);
    Candidate candidate{labels.build(), {}, element.sample.value};
    for (const NamedTemplate& annotation : templates_->annotations) {
      candidate.annotations[annotation.name] = annotation.expand(data);
    }
    if (!seen.insert(candidate.labels).second) {
      return fail(ErrorCode::Execution,
                  "vector contains metrics with the same labelset after applying alert labels");
    }
    out.push_back(std::move(candidate));
  }
  return out;
}

std::set<Labels> AlertTracker::labels_of(const std::vector<Candidate>& candidates) {
  std::set<Labels> out;
  for (const Candidate& candidate : candidates) out.insert(candidate.labels);
  return out;
}

bool AlertTracker::is_active(const Labels& labels) const {
  const auto it = alerts_.find(labels);
  return it != alerts_.end() && it->second.state != State::Inactive;
}

// Holds back the new candidates for which the active alerts, those that are absent and stay among
// them, leave no room, and puts one in for them.
void AlertTracker::hold_back(Timestamp at, std::vector<Candidate>& candidates,
                             const Surroundings& around) {
  held_back_ = 0;
  if (limit_ == 0) return;
  const auto fresh = std::stable_partition(
      candidates.begin(), candidates.end(),
      [&](const Candidate& candidate) { return is_active(candidate.labels); });
  auto active = static_cast<std::size_t>(fresh - candidates.begin());
  std::set<Labels> there = labels_of(candidates);
  there.insert(limit_labels());
  for (auto& [labels, alert] : alerts_) {
    if (alert.state == State::Inactive || there.count(labels) > 0) continue;
    if (outlasts_absence(at, alert, around)) ++active;
  }
  const auto new_ones = static_cast<std::size_t>(candidates.end() - fresh);
  const std::size_t room = limit_ - std::min(limit_, active);
  if (new_ones <= room) return;
  std::sort(fresh, candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.labels < b.labels; });
  held_back_ = new_ones - room;
  candidates.resize(candidates.size() - held_back_);
  candidates.push_back(limit_candidate());
}

Labels AlertTracker::limit_labels() const {
  LabelsBuilder labels;
  const auto severity = rule_.labels.find("severity");
  // A template's differs from alert to alert.
  const bool is_fixed =
      severity != rule_.labels.end() && severity->second.find("{{") == std::string::npos;
  if (is_fixed) labels.set("severity", severity->second);
  return labels.set(kAlertName, kLimitAlert).set("rule", rule_.name).build();
}

AlertTracker::Candidate AlertTracker::limit_candidate() const {
  Candidate candidate{limit_labels(), {}, static_cast<double>(held_back_)};
  candidate.annotations["summary"] = std::to_string(held_back_) + " more alerts of " + rule_.name +
                                     " are held back by the group's limit of " +
                                     std::to_string(limit_);
  return candidate;
}

void AlertTracker::apply_present(Timestamp at, std::vector<Candidate>& present,
                                 std::vector<Transition>& changes) {
  for (Candidate& candidate : present) {
    Alert& alert = alerts_[candidate.labels];
    const bool is_new = alert.labels.empty() || alert.state == State::Inactive;
    if (is_new) {
      const Alert before = std::exchange(alert, Alert{});
      alert.labels = candidate.labels;
      // What is evaluated of a moment before the clock was set is no older than that.
      alert.active_at = std::max(at, sees_since_.value_or(at));
      alert.fired_at = before.fired_at;
      alert.resolved_at = before.resolved_at;
      alert.last_sent_at = before.last_sent_at;
      alert.looks = before.labels.empty() ? looks_of(true) : before.looks;
      alert.last_look = before.last_look;
    }
    alert.value = candidate.value;
    if (alert.values.size() == kMostValues) alert.values.erase(alert.values.begin());
    alert.values.push_back(candidate.value);
    alert.annotations = std::move(candidate.annotations);
    alert.keep_firing_since.reset();
    alert.blind.reset();
    if (is_new && rule_.for_duration.count() > 0) {
      changes.push_back({State::Inactive, State::Pending, alert});
    }
  }
}

// An alert that only ever was pending has woken nobody.
void AlertTracker::look_for_flapping(Timestamp at, const std::set<Labels>& present) {
  const Duration between_looks = rule_.for_duration + rule_.keep_firing_for;
  for (auto& [labels, alert] : alerts_) {
    if (alert.blind || at - alert.last_look < between_looks) continue;
    alert.looks = with_look(alert.looks, present.count(labels) > 0);
    alert.last_look = at;
    const double share = flapping_share(alert.looks);
    if (share < kFlapStop) alert.flapping_since.reset();
    if (share >= kFlapStart && alert.state == State::Firing && !alert.flapping_since) {
      alert.flapping_since = at;
      alert.is_news = true;
    }
  }
}

bool AlertTracker::keeps_firing(Timestamp at, Alert& alert) const {
  if (alert.state != State::Firing || rule_.keep_firing_for.count() == 0) return false;
  if (!alert.keep_firing_since) alert.keep_firing_since = at;
  return at - *alert.keep_firing_since < rule_.keep_firing_for;
}

// Whether the absence of the alert's series proves nothing.
bool AlertTracker::stays_blind(Timestamp at, Alert& alert, const Surroundings& around) const {
  if (ends_when_blind_) return false;
  if (const auto obstacle = around.why_blind ? around.why_blind(alert.labels) : std::nullopt) {
    lose_sight(at, alert, *obstacle);
    return true;
  }
  // The rule's window has yet to fill again.
  if (alert.blind && at - alert.blind->last < window_) return true;
  if (sees_since_ && at - *sees_since_ < window_) {
    if (alert.blind) return true;
    const Obstacle restart{"restart",
                           "Tocsin was restarted, or its clock set, and has not yet seen the " +
                               format_duration(window_) + " that the rule looks at"};
    lose_sight(at, alert, restart);
    alert.blind->last = *sees_since_;
    return true;
  }
  alert.blind.reset();
  return false;
}

bool AlertTracker::outlasts_absence(Timestamp at, Alert& alert, const Surroundings& around) const {
  return stays_blind(at, alert, around) || alert.flapping_since || keeps_firing(at, alert);
}

void AlertTracker::apply_absent(Timestamp at, const std::set<Labels>& present,
                                const Surroundings& around, std::vector<Transition>& changes) {
  for (auto it = alerts_.begin(); it != alerts_.end();) {
    Alert& alert = it->second;
    if (alert.state == State::Inactive || present.count(alert.labels) > 0) {
      ++it;
      continue;
    }
    if (outlasts_absence(at, alert, around)) {
      ++it;
      continue;
    }
    const bool was_told = alert.fired_at.has_value();
    changes.push_back(end(at, alert));
    it = was_told ? std::next(it) : alerts_.erase(it);
  }
}

// An alert that was only pending and fired before is again what it was: one that has ended.
Transition AlertTracker::end(Timestamp at, Alert& alert) {
  const State from = std::exchange(alert.state, State::Inactive);
  if (from == State::Firing || !alert.resolved_at) {
    alert.resolved_at = at;
    alert.is_news = true;
  }
  return {from, State::Inactive, alert};
}

void AlertTracker::fire_when_due(Timestamp at, std::vector<Transition>& changes) {
  for (auto& [labels, alert] : alerts_) {
    if (alert.state != State::Pending || alert.blind) continue;
    if (at - alert.active_at < rule_.for_duration) continue;
    alert.state = State::Firing;
    alert.fired_at = at;
    alert.resolved_at.reset();
    alert.is_news = true;
    changes.push_back({State::Pending, State::Firing, alert});
  }
}

void AlertTracker::forget_old(Timestamp at) {
  std::erase_if(alerts_, [&](const auto& entry) {
    const Alert& alert = entry.second;
    return alert.state == State::Inactive && at - *alert.resolved_at > kResolvedRetention;
  });
}

void AlertTracker::observe_failure(Timestamp at, const Obstacle& obstacle) {
  if (ends_when_blind_) {
    std::vector<Transition> changes;
    return apply_absent(at, {}, {}, changes);
  }
  for (auto& [labels, alert] : alerts_) {
    if (alert.state == State::Inactive) continue;
    lose_sight(at, alert, obstacle);
  }
  forget_old(at);
}

std::vector<Alert> AlertTracker::take_due(Timestamp at, Duration resend_delay) {
  std::vector<Alert> due;
  for (auto& [labels, alert] : alerts_) {
    if (!alert.fired_at || alert.state == State::Pending) continue;
    // Strictly later, as Prometheus has it.
    const bool is_due = !alert.last_sent_at || *alert.last_sent_at + resend_delay < at;
    if (!alert.is_news && !is_due) continue;
    alert.is_news = false;
    alert.last_sent_at = at;
    due.push_back(alert);
  }
  return due;
}

void AlertTracker::restore(std::vector<Alert> alerts, Timestamp at) {
  sees_since_ = at;
  // A clock that was set back: nothing was in the future.
  const auto not_after = [at](std::optional<Timestamp>& moment) {
    if (moment) moment = std::min(*moment, at);
  };
  for (Alert& alert : alerts) {
    if (alert.state == State::Pending) alert.active_at = std::min(alert.active_at, at);
    alert.last_look = std::min(alert.last_look, at);
    not_after(alert.last_sent_at);
    not_after(alert.keep_firing_since);
    not_after(alert.resolved_at);
    if (alert.blind) alert.blind->last = at;
    const Labels labels = alert.labels;
    saved_.insert_or_assign(labels, alert);
    alerts_.insert_or_assign(labels, std::move(alert));
  }
  forget_old(at);
}

void AlertTracker::note_clock_step(Duration step, Timestamp at) {
  sees_since_ = at;
  for (auto& [labels, alert] : alerts_) {
    if (alert.state == State::Pending) alert.active_at += step;
    if (alert.keep_firing_since) *alert.keep_firing_since += step;
  }
}

AlertTracker::Unsaved AlertTracker::take_unsaved() {
  Unsaved out;
  for (const auto& [labels, alert] : alerts_) {
    const auto before = saved_.find(labels);
    if (before == saved_.end() || !is_same_life(before->second, alert)) {
      out.changed.push_back(alert);
    }
  }
  for (const auto& [labels, alert] : saved_) {
    if (alerts_.count(labels) == 0) out.gone.push_back(labels);
  }
  for (const Alert& alert : out.changed) saved_.insert_or_assign(alert.labels, alert);
  for (const Labels& labels : out.gone) saved_.erase(labels);
  return out;
}

void AlertTracker::adopt(AlertTracker&& before) {
  alerts_ = std::move(before.alerts_);
  saved_ = std::move(before.saved_);
  sees_since_ = before.sees_since_;
  held_back_ = before.held_back_;
}

std::vector<Transition> AlertTracker::retire(Timestamp at) {
  std::vector<Transition> changes;
  for (auto& [labels, alert] : alerts_) {
    if (alert.state == State::Inactive) continue;
    alert.annotations["resolved_because"] = "rule removed";
    changes.push_back(end(at, alert));
  }
  return changes;
}

State AlertTracker::state() const {
  State most = State::Inactive;
  for (const auto& [labels, alert] : alerts_) most = std::max(most, alert.state);
  return most;
}

promql::Vector AlertTracker::series(Timestamp at) const {
  promql::Vector out;
  for (const auto& [labels, alert] : alerts_) {
    if (alert.state == State::Inactive) continue;
    const Labels state =
        labels.with(kMetricName, "ALERTS").with("alertstate", name_of(alert.state));
    out.push_back({state, {at, 1}});
    out.push_back(
        {labels.with(kMetricName, "ALERTS_FOR_STATE"), {at, to_seconds(alert.active_at)}});
  }
  return out;
}

}  // namespace tocsin::alert
