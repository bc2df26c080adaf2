// SPDX-License-Identifier: Apache-2.0
#include "replay/rule_replay.h"

#include <algorithm>

namespace tocsin::replay {

RuleReplay::RuleReplay(const rule::Rule& rule, std::size_t limit, RuleTiming timing,
                       store::Store& store, Duration history,
                       std::shared_ptr<promql::SharedSteps> shared)
    : limit_(limit),
      timing_(timing),
      store_(store),
      block_(store.add_block({.history = history, .origin = store::Origin::Rules})),
      life_(std::make_shared<const rule::Rule>(rule), limit),
      query_(promql::Query::prepare(rule.expr, {.shared_steps = std::move(shared)})) {}

void RuleReplay::answer(std::span<const Timestamp> slots) {
  const SystemClock clock;
  const auto began = clock.ticks();
  answer_all(slots);
  answering_took_ = clock.ticks() - began;
}

void RuleReplay::answer_all(std::span<const Timestamp> slots) {
  answers_.clear();
  next_.clear();
  recording_.reset();
  each_alone_ = false;
  if (slots.empty()) return;
  auto answer = query_.evaluate_range(store_, slots.front() - timing_.query_offset,
                                      slots.back() - timing_.query_offset, timing_.interval);
  if (!answer) return answer_slot_by_slot();  // One of them fails.
  answers_ = std::move(std::get<promql::Matrix>(answer->value));
  const bool has_histograms = std::any_of(answers_.begin(), answers_.end(),
                                          [](const auto& s) { return !s.histograms.empty(); });
  if (has_histograms) return answer_slot_by_slot();
  next_.assign(answers_.size(), 0);
  if (rule().kind == rule::RuleKind::Record) recording_ = Recording::of(rule(), answers_);
}

void RuleReplay::answer_slot_by_slot() {
  answers_.clear();
  next_.clear();
  each_alone_ = true;
}

Result<promql::Answer> RuleReplay::answer_at(Timestamp slot) {
  const Timestamp at = slot - timing_.query_offset;
  if (each_alone_) return query_.evaluate(store_, at);
  promql::Vector vector;
  answers_at(at, [&](std::size_t series, const Sample& sample) {
    vector.push_back({answers_[series].labels, sample, nullptr});
  });
  return promql::Answer{std::move(vector), {}};
}

template <class Use>
void RuleReplay::answers_at(Timestamp at, Use use) {
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    const std::vector<Sample>& samples = answers_[i].samples;
    std::size_t& next = next_[i];
    while (next < samples.size() && samples[next].at < at) ++next;
    if (next < samples.size() && samples[next].at == at) use(i, samples[next]);
  }
}

std::optional<SlotOutcome> RuleReplay::take(Timestamp slot, const Surroundings& surroundings) {
  if (has_nothing()) return std::nullopt;
  if (recording()) {
    record(slot - timing_.query_offset);
    return std::nullopt;
  }
  const auto answer = answer_at(slot);
  auto outcome = life_.take(slot, answer, surroundings(rule(), slot));
  SlotOutcome out{slot, {}, {}};
  if (outcome) {
    write(slot - timing_.query_offset, outcome->series);
    out.changes = std::move(outcome->changes);
  } else {
    ++failures_;
    last_failure_ = outcome.error().message;
  }
  if (life_.tracker()) out.due = life_.tracker()->take_due(slot, timing_.resend_delay);
  return out;
}

// What the life of a recording rule would do, without looking at every label again.
void RuleReplay::record(Timestamp at) {
  ids_.clear();
  values_.clear();
  answers_at(at, [&](std::size_t series, const Sample& sample) {
    ids_.push_back(recording_->series(series, store_, block_));
    values_.push_back(sample.value);
  });
  if (limit_ > 0 && ids_.size() > limit_) {
    ++failures_;
    last_failure_ = alert::RuleLife::limit_failure(limit_, ids_.size());
    return;
  }
  if (ids_.empty() && !is_written_) return;
  store_.append_column(block_, at, ids_, values_);
  is_written_ = !ids_.empty();
}

void RuleReplay::write(Timestamp at, const promql::Vector& series) {
  if (series.empty() && !is_written_) return;
  std::vector<store::SeriesId> ids;
  std::vector<double> values;
  for (const promql::Element& element : series) {
    if (element.histogram) continue;
    ids.push_back(store_.add_series(block_, element.labels, false));
    values.push_back(element.sample.value);
  }
  store_.append_column(block_, at, ids, values);
  is_written_ = !series.empty();
}

void RuleReplay::restart(Timestamp at) {
  std::vector<alert::Alert> alerts;
  if (life_.tracker()) {
    for (const auto& [labels, alert] : life_.tracker()->alerts()) alerts.push_back(alert);
  }
  life_ = alert::RuleLife(life_.rule(), limit_);
  if (life_.tracker()) life_.tracker()->restore(std::move(alerts), at);
}

}  // namespace tocsin::replay
