// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_engine.h"

#include <algorithm>
#include <map>

namespace tocsin::daemon {
namespace {

bool same_rule(const rule::Rule& a, const rule::Rule& b) {
  return a.id == b.id && a.kind == b.kind && a.expr_text == b.expr_text &&
         a.for_duration == b.for_duration && a.keep_firing_for == b.keep_firing_for &&
         a.labels == b.labels && a.annotations == b.annotations;
}

bool has_same_id(const rule::Rule& a, const rule::Rule& b) { return a.id == b.id; }
bool says_the_same(const rule::Rule& a, const rule::Rule& b) {
  return a.content_id == b.content_id;
}

bool is_saved_by_id(const state::SavedAlert& saved, const rule::Rule& rule) {
  return saved.rule_id == rule.id;
}
bool is_saved_by_content(const state::SavedAlert& saved, const rule::Rule& rule) {
  return saved.content_id == rule.content_id;
}

bool same_group(const rule::Group& a, const rule::Group& b) {
  return a.file == b.file && a.name == b.name && a.limit == b.limit &&
         std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(), same_rule);
}

}  // namespace

RuleEngine::~RuleEngine() {
  for (const auto& runner : runners_) runner->stop();
}

GroupTiming RuleEngine::timing_of(const rule::Group& group, const EngineDefaults& defaults) const {
  return {group.interval.value_or(defaults.evaluation_interval),
          group.query_offset.value_or(defaults.query_offset), defaults.resend_delay};
}

void RuleEngine::apply(const rule::RuleSet& rules, const EngineDefaults& defaults) {
  auto before = std::move(runners_);
  runners_.clear();
  const auto inherited = std::move(inherited_);
  std::vector<std::shared_ptr<GroupRunner>> fresh;
  for (const rule::Group& group : rules.groups) {
    const GroupTiming timing = timing_of(group, defaults);
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& runner) {
      return runner->timing() == timing && same_group(runner->group(), group);
    });
    if (same != before.end()) {
      runners_.push_back(std::move(*same));
      before.erase(same);
    } else {
      fresh.push_back(std::make_shared<GroupRunner>(parts_, group, timing));
      runners_.push_back(fresh.back());
    }
  }
  before.insert(before.end(), inherited.begin(), inherited.end());
  for (const auto& old : before) old->stop();
  for (const auto same : {has_same_id, says_the_same}) {
    for (const auto& old : before) {
      for (const auto& runner : fresh) runner->adopt(*old, same);
    }
  }
  for (const auto& old : before) old->retire(parts_.clock.now());
  if (!started_) return;
  for (const auto& runner : fresh) runner->start();
}

void RuleEngine::restore(std::vector<state::SavedAlert> saved) {
  const Timestamp now = parts_.clock.now();
  for (const auto is_of : {is_saved_by_id, is_saved_by_content}) {
    for (const auto& runner : runners_) runner->restore(saved, is_of, now);
  }
  std::map<std::string, std::vector<state::SavedAlert>> orphans;
  for (state::SavedAlert& one : saved) orphans[one.rule_id].push_back(std::move(one));
  for (auto& [rule_id, alerts] : orphans) retire(std::move(alerts));
}

void RuleEngine::restore(const std::vector<state::RecordedSample>& samples) {
  for (const auto& runner : runners_) runner->restore(samples);
}

// A rule that went while nobody was running: its alerts end as if it went now.
void RuleEngine::retire(std::vector<state::SavedAlert> orphans) {
  rule::Rule rule;
  rule.name = orphans.front().rule_name;
  rule.id = orphans.front().rule_id;
  rule.content_id = orphans.front().content_id;
  alert::AlertTracker tracker(rule, 0);
  std::vector<alert::Alert> alerts;
  for (state::SavedAlert& one : orphans) alerts.push_back(std::move(one.alert));
  const Timestamp now = parts_.clock.now();
  tracker.restore(std::move(alerts), now);
  const auto changes = tracker.retire(now);
  if (!changes.empty()) parts_.on_transitions(rule, changes);
  const auto due = tracker.take_due(now, Duration(0));
  if (!due.empty()) parts_.on_due(rule, now, Duration(0), due);
  tracker.forget();
  if (parts_.on_unsaved) parts_.on_unsaved(rule, tracker.take_unsaved());
}

void RuleEngine::take_over(RuleEngine& before) {
  for (const auto& runner : before.runners_) runner->stop();
  inherited_ = std::move(before.runners_);
}

void RuleEngine::start() {
  if (started_) return;
  started_ = true;
  for (const auto& runner : runners_) runner->start();
}

bool RuleEngine::is_evaluating(Timestamp now) const {
  return runners_.empty() || std::any_of(runners_.begin(), runners_.end(), [&](const auto& runner) {
           return runner->is_evaluated(now);
         });
}

std::vector<api::GroupStatus> RuleEngine::groups() const {
  std::vector<api::GroupStatus> out;
  for (const auto& runner : runners_) out.push_back(runner->status());
  return out;
}

}  // namespace tocsin::daemon
