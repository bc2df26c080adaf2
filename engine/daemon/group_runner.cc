// SPDX-License-Identifier: Apache-2.0
#include "daemon/group_runner.h"

#include <algorithm>
#include <set>

#include "base/hash.h"

namespace tocsin::daemon {
namespace {

// How long what a rule writes is kept, unless a rule asks for more: the lookback and some slack.
constexpr Duration kLeastHistory = std::chrono::minutes(6);

double seconds_since(std::chrono::nanoseconds began, const Clock& clock) {
  return std::chrono::duration<double>(clock.ticks() - began).count();
}

// What other rules of the group ask of the series that this one records.
Duration history_of(const rule::Group& group, const std::string& name) {
  Duration longest = kLeastHistory;
  for (const rule::Rule& reader : group.rules) {
    for (const promql::Need& need : promql::needs_of(*reader.expr)) {
      const bool reads =
          std::any_of(need.matchers.begin(), need.matchers.end(), [&](const auto& m) {
            return m.name() == kMetricName && m.matches(std::string_view(name));
          });
      if (reads) longest = std::max(longest, need.history + kLeastHistory);
    }
  }
  return longest;
}

}  // namespace

Result<promql::Vector> as_vector(const promql::Value& value) {
  if (const auto* vector = std::get_if<promql::Vector>(&value)) return *vector;
  if (const auto* scalar = std::get_if<Sample>(&value)) return promql::Vector{{Labels(), *scalar}};
  return fail(ErrorCode::Execution, "rule result is not a vector or scalar");
}

GroupRunner::GroupRunner(GroupParts parts, rule::Group group, GroupTiming timing)
    : parts_(std::move(parts)), group_(std::move(group)), timing_(timing) {
  for (const rule::Rule& rule : group_.rules) {
    RuleState state;
    state.rule = std::make_shared<const rule::Rule>(rule);
    state.expr = parts_.evaluator.prepare(rule.expr);
    const bool alerting = rule.kind == rule::RuleKind::Alert;
    if (alerting) state.tracker = std::make_unique<alert::AlertTracker>(rule, group_.limit);
    state.series = parts_.writer.open(alerting ? kLeastHistory : history_of(group_, rule.name));
    rules_.push_back(std::move(state));
  }
}

GroupRunner::~GroupRunner() { stop(); }

void GroupRunner::start() { schedule(next_slot(parts_.clock.now())); }

void GroupRunner::stop() {
  if (!stopped_) parts_.scheduler.cancel(task_);
  stopped_ = true;
}

Timestamp GroupRunner::next_slot(Timestamp after) const {
  const std::int64_t interval = timing_.interval.count();
  const std::uint64_t hash = hash_bytes(group_.name, hash_bytes(group_.file + ";"));
  const auto offset = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval));
  const std::int64_t past = to_millis(after) - offset;
  return from_millis((past / interval + 1) * interval + offset);
}

void GroupRunner::schedule(Timestamp slot) {
  if (stopped_) return;
  task_ = parts_.scheduler.at(slot, [self = weak_from_this(), slot] {
    if (const auto runner = self.lock()) runner->run(slot);
  });
}

void GroupRunner::run(Timestamp slot) {
  began_ = parts_.clock.ticks();
  ++iterations_;
  run_rule(0, slot);
}

void GroupRunner::run_rule(std::size_t index, Timestamp slot) {
  if (stopped_) return;
  if (index == rules_.size()) return finish(slot);
  const auto began = parts_.clock.ticks();
  rules_[index].expr->evaluate(slot - timing_.query_offset, [self = shared_from_this(), index, slot,
                                                             began](Result<promql::Answer> answer) {
    self->take_answer(index, slot, began, std::move(answer));
  });
}

void GroupRunner::take_answer(std::size_t index, Timestamp slot, std::chrono::nanoseconds began,
                              Result<promql::Answer> answer) {
  if (stopped_) return;
  RuleState& state = rules_[index];
  const Timestamp at = slot - timing_.query_offset;
  state.last_evaluation = parts_.clock.now();
  auto vector = answer ? as_vector(answer->value) : fail(answer.error());
  auto written = vector ? apply(state, slot, *vector) : fail(vector.error());
  state.seconds = seconds_since(began, parts_.clock);
  const auto next = [self = shared_from_this(), index, slot] { self->run_rule(index + 1, slot); };
  if (!written) {
    note_failure(state, slot, written.error().message);
    send_due(state, slot);
    return next();
  }
  state.health = api::RuleHealth::Ok;
  state.last_error.clear();
  state.elements = vector->size();
  send_due(state, slot);
  parts_.writer.write(state.series, at, std::move(*written), next);
}

// What the rule makes of its result: the series to write.
Result<promql::Vector> GroupRunner::apply(RuleState& state, Timestamp at,
                                          const promql::Vector& vector) {
  if (!state.tracker) return record(state, vector);
  const auto changes = state.tracker->observe(at, vector, parts_.surroundings(at));
  if (!changes) return fail(changes.error());
  if (!changes->empty()) parts_.on_transitions(*state.rule, *changes);
  return state.tracker->series(at);
}

Result<promql::Vector> GroupRunner::record(const RuleState& state,
                                           const promql::Vector& vector) const {
  if (group_.limit > 0 && vector.size() > group_.limit) {
    return fail(ErrorCode::Limit, "exceeded limit of " + std::to_string(group_.limit) + " with " +
                                      std::to_string(vector.size()) + " series");
  }
  promql::Vector out;
  std::set<Labels> seen;
  for (const promql::Element& element : vector) {
    LabelsBuilder labels(element.labels);
    labels.set(kMetricName, state.rule->name);
    for (const auto& [name, value] : state.rule->labels) labels.set(name, value);
    out.push_back({labels.build(), element.sample});
    if (!seen.insert(out.back().labels).second) {
      return fail(ErrorCode::Execution,
                  "vector contains metrics with the same labelset after applying rule labels");
    }
  }
  return out;
}

void GroupRunner::note_failure(RuleState& state, Timestamp at, const std::string& error) {
  ++failures_;
  state.health = api::RuleHealth::Failing;
  state.last_error = error;
  if (state.tracker) state.tracker->observe_failure(at, "the rule cannot be evaluated: " + error);
}

void GroupRunner::send_due(RuleState& state, Timestamp at) {
  if (!state.tracker) return;
  const auto due = state.tracker->take_due(at, timing_.resend_delay);
  if (!due.empty()) parts_.on_due(*state.rule, at, timing_.interval, due);
}

void GroupRunner::finish(Timestamp slot) {
  last_seconds_ = seconds_since(began_, parts_.clock);
  last_evaluation_ = parts_.clock.now();
  const Duration late = parts_.clock.now() - slot;
  const auto passed =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, late / timing_.interval));
  missed_ += passed;
  schedule(slot + timing_.interval * static_cast<std::int64_t>(passed + 1));
}

void GroupRunner::adopt(GroupRunner& before) {
  for (RuleState& state : rules_) {
    for (RuleState& old : before.rules_) {
      if (!state.tracker || !old.tracker || state.rule->id != old.rule->id) continue;
      state.tracker->adopt(std::move(*old.tracker));
      old.tracker.reset();
      break;
    }
  }
}

void GroupRunner::retire(Timestamp at) {
  for (RuleState& state : rules_) {
    if (!state.tracker) continue;
    const auto changes = state.tracker->retire(at);
    if (!changes.empty()) parts_.on_transitions(*state.rule, changes);
    send_due(state, at);
  }
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
    rule.rule = state.rule;
    rule.health = state.health;
    rule.last_error = state.last_error;
    rule.evaluation_seconds = state.seconds;
    rule.last_evaluation = state.last_evaluation;
    rule.series = state.elements;
    if (state.tracker) {
      rule.state = state.tracker->state();
      rule.held_back = state.tracker->held_back();
      for (const auto& [labels, alert] : state.tracker->alerts()) {
        if (alert.state != alert::State::Inactive) rule.alerts.push_back(alert);
      }
    }
    status.rules.push_back(std::move(rule));
  }
  return status;
}

}  // namespace tocsin::daemon
