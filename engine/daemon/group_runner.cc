// SPDX-License-Identifier: Apache-2.0
#include "daemon/group_runner.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/log.h"
#include "daemon/group_plan.h"
#include "promql/shared_values.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

// A recording of which rules need more than this is worth keeping over a restart.
constexpr Duration kLookedBackAt = std::chrono::minutes(15);

// Of a group that counts as evaluated.
constexpr int kMostMissed = 3;

double seconds_since(std::chrono::nanoseconds began, const Clock& clock) {
  return std::chrono::duration<double>(clock.ticks() - began).count();
}

bool is_recorded_by(const rule::Rule& rule, const Labels& series) {
  return series.metric_name() == rule.name &&
         std::all_of(rule.labels.begin(), rule.labels.end(),
                     [&](const auto& label) { return series.get(label.first) == label.second; });
}

// What the rules of a group write while it is evaluated.
std::vector<std::string> written_by_all(const rule::Group& group) {
  std::vector<std::string> names;
  for (const rule::Rule& rule : group.rules) {
    for (std::string& name : names_written(rule)) names.push_back(std::move(name));
  }
  return names;
}

// The end of the rules, from `first` on, that read no alerts of those before them among these: what
// one records is written before the next is evaluated, alerts are written after all of them.
std::size_t end_of_batch(const rule::Group& group, std::size_t first) {
  std::vector<std::string> written;
  for (std::size_t i = first; i < group.rules.size(); ++i) {
    if (reads_any(group.rules[i], written)) return i;
    if (group.rules[i].kind == rule::RuleKind::Alert) written = names_written(group.rules[i]);
  }
  return group.rules.size();
}

}  // namespace

GroupRunner::GroupRunner(GroupParts parts, rule::Group group, GroupTiming timing)
    : parts_(std::move(parts)), group_(std::move(group)), timing_(timing) {
  const auto shared = std::make_shared<promql::SharedValues>(written_by_all(group_));
  for (const rule::Rule& rule : group_.rules) {
    const bool alerting = rule.kind == rule::RuleKind::Alert;
    const Duration history = alerting ? kLeastHistory : history_of(group_, rule.name);
    RuleState state;
    state.life =
        std::make_shared<alert::RuleLife>(std::make_shared<const rule::Rule>(rule), group_.limit);
    state.expr = parts_.evaluator.prepare(rule.expr, shared);
    state.series = parts_.writer.open(history, store::Origin::Rules);
    if (!alerting) state.recorded = std::make_shared<Outcome>();
    state.is_looked_back_at = history > kLookedBackAt;
    state.together_until = end_of_batch(group_, rules_.size());
    rules_.push_back(std::move(state));
  }
  if (!parts_.foresight) return;
  Foresight::Works works;
  for (const RuleState& state : rules_) {
    if (auto work = state.expr->foresight()) works.push_back(std::move(work));
  }
  foresight_ = parts_.foresight->add(std::move(works));
}

GroupRunner::~GroupRunner() { stop(); }

void GroupRunner::start() {
  const Timestamp now = parts_.clock.now();
  const Timestamp slot = next_slot(group_, timing_.interval, now);
  const Timestamp due = last_slot_ ? std::max(now, *last_slot_ + timing_.interval) : slot;
  schedule(std::min(slot, due));
}

void GroupRunner::stop() {
  if (!stopped_) parts_.scheduler.cancel(task_);
  stopped_ = true;
}

void GroupRunner::schedule(Timestamp slot) {
  if (stopped_) return;
  if (foresight_) foresight_->expect(slot - timing_.query_offset);
  task_ = parts_.scheduler.at(slot, [self = weak_from_this(), slot] {
    if (const auto runner = self.lock()) runner->run(slot);
  });
}

void GroupRunner::run(Timestamp slot) {
  began_ = parts_.clock.ticks();
  task_ = 0;
  ++iterations_;
  run_rules(0, slot, nullptr);
}

// Evaluates the rule at `first` and those after it that read no alerts of these; after `before`,
// which writes the alerts of the rules before.
void GroupRunner::run_rules(std::size_t first, Timestamp slot, std::function<void()> before) {
  Evaluator::Steps steps;
  if (first < rules_.size()) {
    for (std::size_t i = first; i < rules_[first].together_until; ++i) {
      steps.push_back(step_of(rules_[i], slot));
    }
  }
  const auto began = parts_.clock.ticks();
  parts_.evaluator.evaluate(
      std::move(steps), slot - timing_.query_offset, std::move(before),
      [self = shared_from_this(), first, slot, began](Evaluator::Answers answers) {
        if (answers.size() == 1) answers[0].seconds = seconds_since(began, self->parts_.clock);
        self->look_around(first, slot, std::move(answers));
      });
}

// A recording is written as soon as it is evaluated. Nobody else touches the life of a recording
// rule.
Evaluator::Step GroupRunner::step_of(const RuleState& state, Timestamp slot) const {
  if (!state.recorded) return {state.expr.get(), nullptr};
  return {state.expr.get(),
          [life = state.life, recorded = state.recorded, place = state.series, slot,
           at = slot - timing_.query_offset](const Result<promql::Answer>& answer) {
            *recorded = life->take(slot, answer, {});
            if (*recorded) SeriesWriter::write_now(place, at, (*recorded)->series);
          }};
}

// What was answered takes effect once it is known what could not be seen.
void GroupRunner::look_around(std::size_t first, Timestamp slot, Evaluator::Answers answers) {
  GroupParts::Rules rules;
  for (std::size_t i = 0; i < answers.size() && parts_.look_around; ++i) {
    const alert::RuleLife& life = *rules_[first + i].life;
    const bool has_alerts = life.tracker() && life.tracker()->state() != alert::State::Inactive;
    if (has_alerts && answers[i].answer) rules.push_back(life.rule());
  }
  if (rules.empty()) return take_answers(first, slot, std::move(answers));
  auto kept = std::make_shared<Evaluator::Answers>(std::move(answers));
  parts_.look_around(rules, slot - timing_.query_offset,
                     [self = shared_from_this(), first, slot, kept] {
                       self->take_answers(first, slot, std::move(*kept));
                     });
}

void GroupRunner::take_answers(std::size_t first, Timestamp slot, Evaluator::Answers answers) {
  if (stopped_) return;
  if (first == rules_.size()) return finish(slot);
  const Timestamp written_at = slot - timing_.query_offset;
  std::vector<SeriesWriter::Writing> writings;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    RuleState& state = rules_[first + i];
    auto series = take_answer(state, slot, answers[i]);
    if (!series) continue;
    if (state.is_looked_back_at && parts_.on_recorded) parts_.on_recorded(written_at, *series);
    if (!state.recorded) writings.push_back({state.series, std::move(*series)});
  }
  const std::size_t next = first + answers.size();
  if (next == rules_.size() && writings.empty()) return finish(slot);
  run_rules(next, slot, SeriesWriter::work(std::move(writings), written_at));
}

// The series that the rule makes; nothing when it failed.
std::optional<promql::Vector> GroupRunner::take_answer(RuleState& state, Timestamp slot,
                                                       const Evaluator::Timed& timed) {
  state.last_evaluation = parts_.clock.now();
  Outcome outcome =
      state.recorded
          ? std::move(*state.recorded)
          : state.life->take(slot, timed.answer, parts_.surroundings(*state.life->rule(), slot));
  state.seconds = timed.seconds;
  if (outcome) {
    state.health = api::RuleHealth::Ok;
    state.last_error.clear();
    state.elements = outcome->series.size();
    if (!outcome->changes.empty()) parts_.on_transitions(*state.life->rule(), outcome->changes);
  } else {
    note_failure(state, outcome.error().message);
  }
  send_due(state, slot);
  if (!outcome) return std::nullopt;
  return std::move(outcome->series);
}

void GroupRunner::note_failure(RuleState& state, const std::string& error) {
  ++failures_;
  state.health = api::RuleHealth::Failing;
  state.last_error = error;
}

void GroupRunner::send_due(RuleState& state, Timestamp at) {
  if (!state.life->tracker()) return;
  send(state, at, state.life->tracker()->take_due(at, timing_.resend_delay));
}

void GroupRunner::send(RuleState& state, Timestamp at, const std::vector<alert::Alert>& due) {
  if (!due.empty()) parts_.on_due(*state.life->rule(), at, timing_.interval, due);
  save(state);
}

void GroupRunner::save(RuleState& state) {
  if (!parts_.on_unsaved) return;
  const auto unsaved = state.life->tracker()->take_unsaved();
  if (unsaved.changed.empty() && unsaved.gone.empty()) return;
  parts_.on_unsaved(*state.life->rule(), unsaved);
}

void GroupRunner::finish(Timestamp slot) {
  last_seconds_ = seconds_since(began_, parts_.clock);
  last_evaluation_ = parts_.clock.now();
  const Duration late = parts_.clock.now() - slot;
  const auto passed =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, late / timing_.interval));
  missed_ += passed;
  note_pace(passed > 0);
  last_slot_ = slot;
  schedule(next_slot(group_, timing_.interval,
                     slot + timing_.interval * static_cast<std::int64_t>(passed)));
}

void GroupRunner::note_pace(bool is_behind) {
  if (is_behind == is_behind_) return;
  is_behind_ = is_behind;
  const log::Fields about{{"group", group_.name},
                          {"file", group_.file},
                          {"took", format_duration(Duration(std::llround(last_seconds_ * 1e3)))},
                          {"interval", format_duration(timing_.interval)}};
  if (is_behind) {
    log::warn("a group misses evaluations: it takes too long, or the machine is too busy", about);
  } else {
    log::info("a group keeps up with its interval again", about);
  }
}

void GroupRunner::adopt(GroupRunner& before, SameRule same) {
  for (RuleState& state : rules_) {
    for (RuleState& old : before.rules_) {
      if (!same(*state.life->rule(), *old.life->rule())) continue;
      if (before.last_slot_ && (!last_slot_ || *before.last_slot_ < *last_slot_)) {
        last_slot_ = before.last_slot_;
      }
      const std::string old_id = old.life->rule()->id;
      if (state.life->adopt(*old.life)) move_records(state, old_id);
    }
  }
}

void GroupRunner::restore(std::vector<state::SavedAlert>& saved, IsOf is_of, Timestamp at) {
  for (RuleState& state : rules_) {
    if (!state.life->tracker()) continue;
    const auto mine = std::partition(saved.begin(), saved.end(), [&](const auto& one) {
      return !is_of(one, *state.life->rule());
    });
    if (mine == saved.end()) continue;
    const std::string old_id = mine->rule_id;
    std::vector<alert::Alert> alerts;
    for (auto it = mine; it != saved.end(); ++it) alerts.push_back(std::move(it->alert));
    saved.erase(mine, saved.end());
    state.life->tracker()->restore(std::move(alerts), at);
    move_records(state, old_id);
    send_unseen(state, at);
  }
}

// Nobody has looked yet.
void GroupRunner::send_unseen(RuleState& state, Timestamp at) {
  auto due = state.life->tracker()->take_due(at, timing_.resend_delay);
  for (alert::Alert& alert : due) {
    if (alert.state != alert::State::Firing || alert.blind) continue;
    alert.blind = {at, {"restart", "Tocsin was restarted and has yet to look"}, at};
  }
  send(state, at, due);
}

void GroupRunner::restore(const std::vector<state::RecordedSample>& samples) {
  for (RuleState& state : rules_) {
    const rule::Rule& rule = *state.life->rule();
    if (!state.is_looked_back_at) continue;
    std::map<Timestamp, promql::Vector> by_time;
    for (const state::RecordedSample& sample : samples) {
      if (!is_recorded_by(rule, sample.labels)) continue;
      by_time[sample.at].push_back({sample.labels, {sample.at, sample.value}});
    }
    for (auto& [at, series] : by_time) {
      parts_.writer.write(state.series, at, std::move(series), [] {});
    }
  }
}

// What was kept under another id is kept under the rule's own from now on.
void GroupRunner::move_records(RuleState& state, const std::string& old_id) {
  if (!parts_.on_unsaved || old_id == state.life->rule()->id) return;
  alert::AlertTracker::Unsaved moved;
  for (const auto& [labels, alert] : state.life->tracker()->alerts()) moved.gone.push_back(labels);
  rule::Rule old = *state.life->rule();
  old.id = old_id;
  parts_.on_unsaved(old, moved);
  state.life->tracker()->forget_records();
  save(state);
}

void GroupRunner::note_clock_step(Duration step, Timestamp at) {
  for (RuleState& state : rules_) {
    if (!state.life->tracker()) continue;
    state.life->tracker()->note_clock_step(step, at);
    save(state);
  }
  if (task_ == 0 || stopped_) return;
  parts_.scheduler.cancel(task_);
  schedule(next_slot(group_, timing_.interval, at));
}

void GroupRunner::retire(Timestamp at) {
  for (RuleState& state : rules_) {
    if (!state.life->tracker()) continue;
    const auto changes = state.life->tracker()->retire(at);
    if (!changes.empty()) parts_.on_transitions(*state.life->rule(), changes);
    send_due(state, at);
    state.life->tracker()->forget();
    save(state);
  }
}

bool GroupRunner::is_evaluated(Timestamp now) const {
  return last_evaluation_ && now - *last_evaluation_ <= kMostMissed * timing_.interval;
}

api::GroupStatus GroupRunner::status() const {
  api::GroupStatus status;
  status.file = group_.file;
  status.name = group_.name;
  status.interval = timing_.interval;
  status.limit = group_.limit;
  status.evaluation_seconds = last_seconds_;
  status.last_evaluation = last_evaluation_;
  status.iterations = iterations_;
  status.iterations_missed = missed_;
  status.failures = failures_;
  for (const RuleState& state : rules_) {
    api::RuleStatus rule;
    rule.rule = state.life->rule();
    rule.health = state.health;
    rule.last_error = state.last_error;
    rule.evaluation_seconds = state.seconds;
    rule.last_evaluation = state.last_evaluation;
    rule.series = state.elements;
    if (const alert::AlertTracker* tracker = state.life->tracker()) {
      rule.state = tracker->state();
      rule.held_back = tracker->held_back();
      for (const auto& [labels, alert] : tracker->alerts()) {
        if (alert.state != alert::State::Inactive) rule.alerts.push_back(alert);
      }
    }
    status.rules.push_back(std::move(rule));
  }
  return status;
}

}  // namespace tocsin::daemon
