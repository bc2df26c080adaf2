// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_engine.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"

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

rule::Rule rule_of(const state::SavedAlert& saved) {
  rule::Rule rule;
  rule.name = saved.rule_name;
  rule.id = saved.rule_id;
  rule.content_id = saved.content_id;
  return rule;
}

// Stands in for rules that could not be loaded: nobody knows what they would find.
class NoEvaluator : public Evaluator {
 public:
  explicit NoEvaluator(Error error) : error_(std::move(error)) {}

  std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr, SharedValuesPtr) override {
    return std::make_unique<Nothing>(error_);
  }
  void evaluate(Steps steps, Timestamp, std::function<void()> before,
                std::function<void(Answers)> done) override {
    if (before) before();
    Answers answers;
    for (std::size_t i = 0; i < steps.size(); ++i) answers.push_back({fail(error_), 0});
    done(std::move(answers));
  }

 private:
  struct Nothing : PreparedExpr {
    explicit Nothing(Error why) : error(std::move(why)) {}
    void evaluate(Timestamp, Callback done) override { done(fail(error)); }
    const Error error;
  };

  const Error error_;
};

Error why_not_loaded(const Diagnostics& problems) {
  const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::Error; };
  const auto& all = problems.all();
  const auto first = std::find_if(all.begin(), all.end(), is_error);
  std::string text =
      "it is in no rule file that can be loaded; " + first->place.text() + ": " + first->message;
  const std::size_t others = problems.count(Severity::Error) - 1;
  if (others > 0) text += ", and " + std::to_string(others) + " more";
  return {ErrorCode::Unavailable, std::move(text)};
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
  defaults_ = defaults;
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

void RuleEngine::restore(std::vector<state::SavedAlert> saved, const Diagnostics& problems) {
  const Timestamp now = parts_.clock.now();
  for (const auto is_of : {is_saved_by_id, is_saved_by_content}) {
    for (const auto& runner : runners_) runner->restore(saved, is_of, now);
  }
  if (problems.has_errors()) {
    const auto orphans = std::partition(saved.begin(), saved.end(), [](const auto& one) {
      return one.alert.state == alert::State::Inactive;
    });
    keep({std::make_move_iterator(orphans), std::make_move_iterator(saved.end())}, problems);
    saved.erase(orphans, saved.end());
  }
  std::map<std::string, std::vector<state::SavedAlert>> orphans;
  for (state::SavedAlert& one : saved) orphans[one.rule_id].push_back(std::move(one));
  for (auto& [rule_id, alerts] : orphans) retire(std::move(alerts));
}

void RuleEngine::restore(const std::vector<state::RecordedSample>& samples) {
  for (const auto& runner : runners_) runner->restore(samples);
}

void RuleEngine::note_clock_step(Duration step) {
  const Timestamp now = parts_.clock.now();
  for (const auto& runner : runners_) runner->note_clock_step(step, now);
}

// Alerts whose rules may be in what could not be loaded go on as if these could not be evaluated.
void RuleEngine::keep(std::vector<state::SavedAlert> orphans, const Diagnostics& problems) {
  if (orphans.empty()) return;
  const Error why = why_not_loaded(problems);
  log::warn("alerts of rules that are not loaded stay as they are",
            {{"alerts", std::to_string(orphans.size())}, {"why", why.message}});
  rule::Group group;
  group.name = "rules that are not loaded";
  std::set<std::string> known;
  for (const state::SavedAlert& one : orphans) {
    if (!known.insert(one.rule_id).second) continue;
    group.rules.push_back(rule_of(one));
    group.rules.back().expr = *promql::parse("vector(0)");  // Any: it is not evaluated.
  }
  no_evaluator_ = std::make_unique<NoEvaluator>(why);
  const GroupParts parts{parts_.clock,
                         parts_.scheduler,
                         *no_evaluator_,
                         parts_.writer,
                         parts_.surroundings,
                         parts_.on_transitions,
                         parts_.on_due,
                         parts_.on_unsaved,
                         {},
                         {}};
  const GroupTiming timing = timing_of(group, defaults_);
  const auto runner = std::make_shared<GroupRunner>(parts, std::move(group), timing);
  runner->restore(orphans, is_saved_by_id, parts_.clock.now());
  runners_.push_back(runner);
  if (started_) runner->start();
}

// A rule that went while nobody was running: its alerts end as if it went now.
void RuleEngine::retire(std::vector<state::SavedAlert> orphans) {
  const rule::Rule rule = rule_of(orphans.front());
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
