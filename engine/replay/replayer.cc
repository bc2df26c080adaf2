// SPDX-License-Identifier: Apache-2.0
#include "replay/replayer.h"

#include <algorithm>
#include <cmath>

#include "alert/rule_life.h"
#include "daemon/eyesight.h"
#include "daemon/group_plan.h"
#include "daemon/outgoing.h"
#include "promql/ast.h"
#include "promql/shared_steps.h"
#include "replay/pages.h"
#include "replay/parallel.h"
#include "replay/report.h"
#include "replay/rule_replay.h"
#include "replay/stages.h"
#include "tocsin/clock.h"
#include "tocsin/duration.h"

namespace tocsin::replay {
namespace {

// Whether smaller values are worse: what a peak is.
bool is_below(const rule::Rule& rule) {
  if (rule.condition) return rule.condition->comparison == rule::Comparison::Below;
  const auto* binary = promql::as<promql::Binary>(*rule.expr);
  return binary && (binary->op == promql::BinaryOp::Lt || binary->op == promql::BinaryOp::Le);
}

Duration longest_need(const rule::RuleSet& rules) {
  Duration longest = std::chrono::minutes(5);
  for (const promql::Need& need : rule::required_needs(rules)) {
    longest = std::max(longest, need.history);
  }
  return longest;
}

std::shared_ptr<promql::SharedSteps> shared_steps_of(const rule::Group& group) {
  std::vector<promql::ExprPtr> exprs;
  for (const rule::Rule& rule : group.rules) exprs.push_back(rule.expr);
  return std::make_shared<promql::SharedSteps>(exprs);
}

// The alerts of one rule, as they are told.
class Chronicle {
 public:
  Chronicle(std::size_t rule, bool is_below) : rule_(rule), is_below_(is_below) {}

  void note(const SlotOutcome& slot, const alert::AlertTracker& tracker) {
    for (const alert::Transition& change : slot.changes) {
      const alert::Alert& alert = change.alert;
      if (change.to == alert::State::Firing) open(slot.at, alert);
      if (change.to != alert::State::Inactive) continue;
      if (change.from == alert::State::Pending) ++pending_only_;
      if (change.from == alert::State::Firing) end(slot.at, alert);
    }
    for (const auto& [labels, alert] : tracker.alerts()) {
      if (alert.state == alert::State::Inactive) continue;
      double& worst = worst_.try_emplace(labels, alert.value).first->second;
      worst = is_below_ ? std::min(worst, alert.value) : std::max(worst, alert.value);
      const auto episode = open_.find(labels);
      if (episode != open_.end()) episode->second.peak = worst;
    }
    std::erase_if(worst_, [&](const auto& entry) {
      const auto it = tracker.alerts().find(entry.first);
      return it == tracker.alerts().end() || it->second.state == alert::State::Inactive;
    });
  }

  std::size_t rule() const { return rule_; }
  std::size_t pending_only() const { return pending_only_; }
  void take(std::vector<Episode>& out) {
    for (auto& [labels, episode] : open_) ended_.push_back(std::move(episode));
    for (Episode& episode : ended_) out.push_back(std::move(episode));
  }

 private:
  void open(Timestamp at, const alert::Alert& alert) {
    const auto summary = alert.annotations.find("summary");
    open_[alert.labels] = {rule_,
                           alert.labels,
                           alert.active_at,
                           at,
                           std::nullopt,
                           alert.value,
                           summary == alert.annotations.end() ? "" : summary->second};
  }
  void end(Timestamp at, const alert::Alert& alert) {
    auto episode = open_.extract(alert.labels);
    if (episode.empty()) return;
    episode.mapped().ended_at = at;
    ended_.push_back(std::move(episode.mapped()));
  }

  const std::size_t rule_;
  const bool is_below_;
  std::size_t pending_only_ = 0;
  std::map<Labels, double> worst_;  // Of those that are active.
  std::map<Labels, Episode> open_;
  std::vector<Episode> ended_;
};

class Replayer {
 public:
  Replayer(const rule::RuleSet& rules, History& history, const ReplayOptions& options)
      : rules_(rules),
        history_(history),
        options_(options),
        sources_(rules),
        stages_(stages_of(rules)),
        team_(options.threads) {
    const Duration kept = longest_need(rules) + 2 * kStretch;
    for (const rule::Group& group : rules.groups) {
      Members members{&group, timing_of(group), shared_steps_of(group), {}};
      for (const rule::Rule& rule : group.rules) {
        members.rules.push_back(
            {std::make_unique<RuleReplay>(rule, group.limit, members.timing, history.store(), kept,
                                          members.shared),
             std::nullopt});
        if (rule.kind != rule::RuleKind::Alert) continue;
        members.rules.back().chronicle.emplace(outcome_.rules.size(), is_below(rule));
        outcome_.rules.push_back({group.name, rule, 0, 0, ""});
      }
      groups_.push_back(std::move(members));
    }
  }

  Result<Outcome> run() {
    const History::Extent extent = history_.extent();
    outcome_.from = std::max(options_.from.value_or(extent.oldest), extent.oldest);
    outcome_.to = std::min(options_.to.value_or(extent.newest), extent.newest);
    if (outcome_.from > outcome_.to) {
      return fail(ErrorCode::InvalidArgument, "there is no data for that time: it reaches from " +
                                                  moment_text(extent.oldest) + " to " +
                                                  moment_text(extent.newest));
    }
    // What fires at the beginning has begun before.
    const Timestamp begin = std::max(extent.oldest, outcome_.from - warm_up());
    history_.skip_to(begin - longest_need(rules_));
    live(begin);
    if (const auto failure = history_.failure()) return fail(*failure);
    return finish();
  }

 private:
  struct Member {
    std::unique_ptr<RuleReplay> replay;
    std::optional<Chronicle> chronicle;  // Of an alerting rule.
  };
  struct Members {
    const rule::Group* group;
    RuleTiming timing;
    std::shared_ptr<promql::SharedSteps> shared;
    std::vector<Member> rules;
  };

  RuleTiming timing_of(const rule::Group& group) const {
    return {group.query_offset.value_or(options_.defaults.query_offset),
            group.interval.value_or(options_.defaults.evaluation_interval),
            options_.defaults.resend_delay};
  }

  Duration warm_up() const {
    Duration longest{0};
    for (const rule::Group& group : rules_.groups) {
      for (const rule::Rule& rule : group.rules) {
        longest = std::max(longest, rule.for_duration + rule.keep_firing_for);
      }
    }
    return longest + longest_need(rules_);
  }

  // ---- Time

  void live(Timestamp begin) {
    // The first slot may be the first moment.
    Timestamp now = begin - Duration(1);
    while (now < outcome_.to) {
      const Timestamp until = std::min(now + kStretch, outcome_.to);
      const History::Advance moved = history_.advance(until);
      if (history_.failure()) return;
      const Timestamp seen = std::min(until, std::max(now, moved.last));
      const Timestamp next = std::max(seen, moved.other_begins_at.value_or(seen));
      fetch_until_ = std::min(next + kStretch, outcome_.to);
      live_through(now, seen);
      if (moved.other_begins_at) restart(next);
      now = next;
      say_progress(begin, now);
    }
  }

  void say_progress(Timestamp begin, Timestamp now) const {
    if (!options_.on_progress) return;
    options_.on_progress(to_seconds(now - begin) / std::max(1.0, to_seconds(outcome_.to - begin)));
  }

  void restart(Timestamp at) {
    for (Members& group : groups_) {
      for (Member& member : group.rules) member.replay->restart(at);
    }
  }

  std::vector<Timestamp> slots_of(const Members& group, Timestamp after, Timestamp upto) const {
    std::vector<Timestamp> out;
    Timestamp slot = daemon::next_slot(*group.group, group.timing.interval, after);
    for (; slot <= upto; slot += group.timing.interval) out.push_back(slot);
    return out;
  }

  void live_through(Timestamp after, Timestamp upto) {
    slots_.clear();
    for (const Members& group : groups_) slots_.push_back(slots_of(group, after, upto));
    begin_sharing();
    for (std::size_t s = 0; s < stages_.units.size(); ++s) {
      const std::vector<Unit>& stage = stages_.units[s];
      if (stages_.is_cut) begin_sharing();
      const Asked asked = asked_at_once(stage);
      const bool is_last = s + 1 == stages_.units.size();
      team_.run(asked.size() + 1, [&](std::size_t i) {
        if (i == 0) return fetch(upto, is_last);
        const auto& [rule, group] = asked[i - 1];
        rule->answer(slots_[group]);
      });
      if (is_last && !asked.empty()) leave_to_last(asked.front().first->answering_took());
      for (const Unit& unit : stage) take(unit);
    }
  }

  // Rules that are evaluated at all slots, and their groups.
  using Asked = std::vector<std::pair<RuleReplay*, std::size_t>>;

  // What took longest the last time comes first, so that nobody waits for it in the end.
  Asked asked_at_once(const std::vector<Unit>& stage) const {
    Asked asked;
    for (const Unit& unit : stage) {
      if (unit.slot_by_slot && has_alerts(unit)) continue;
      for (const std::size_t rule : unit.rules) {
        asked.emplace_back(groups_[unit.group].rules[rule].replay.get(), unit.group);
      }
    }
    std::stable_sort(asked.begin(), asked.end(), [](const auto& a, const auto& b) {
      return a.first->answering_took() > b.first->answering_took();
    });
    return asked;
  }

  // The next stretch is unpacked while rules are evaluated over this one; some of it beside those
  // of the last stage, which are few and wait for each other.
  void fetch(Timestamp from, bool is_last) {
    const SystemClock clock;
    const auto began = clock.ticks();
    const Duration whole = fetch_until_ - from;
    const double share = is_last ? 1 : 1 - share_of_last_;
    history_.fetch(from + Duration(std::llround(share * static_cast<double>(whole.count()))));
    fetching_took_ += clock.ticks() - began;
  }

  // As much as takes as long as the stage's longest rule.
  void leave_to_last(std::chrono::nanoseconds longest) {
    constexpr double kMost = 0.5;
    const auto whole = static_cast<double>(std::exchange(fetching_took_, {}).count());
    share_of_last_ = std::min(static_cast<double>(longest.count()) / std::max(whole, 1.0), kMost);
  }

  void begin_sharing() {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (slots_[g].empty()) continue;
      const RuleTiming& timing = groups_[g].timing;
      groups_[g].shared->begin({slots_[g].front() - timing.query_offset,
                                slots_[g].back() - timing.query_offset, timing.interval});
    }
  }

  bool has_alerts(const Unit& unit) const {
    const auto& rules = groups_[unit.group].rules;
    return std::any_of(rules.begin(), rules.end(),
                       [](const Member& m) { return m.replay->has_alerts(); });
  }

  // A unit that looks back at what it wrote itself: while it has no alerts and would write nothing,
  // there is nothing to look back at, and the answers over all slots are right.
  bool is_quiet(const Unit& unit) const {
    const auto& rules = groups_[unit.group].rules;
    return !has_alerts(unit) && std::none_of(rules.begin(), rules.end(), [](const Member& m) {
      return m.replay->has_answers();
    });
  }

  void take(const Unit& unit) {
    Members& group = groups_[unit.group];
    if (unit.slot_by_slot && !is_quiet(unit)) {
      for (Member& member : group.rules) member.replay->answer_slot_by_slot();
    }
    for (const Timestamp slot : slots_[unit.group]) {
      for (const std::size_t rule : unit.rules) take(group.rules[rule], slot);
    }
  }

  // ---- What a slot says

  void take(Member& member, Timestamp slot) {
    const auto outcome = member.replay->take(
        slot, [this](const rule::Rule& rule, Timestamp at) { return surroundings(rule, at); });
    if (!outcome || !member.chronicle) return;
    member.chronicle->note(*outcome, *member.replay->tracker());
    if (!outcome->due.empty()) send(member, *outcome);
  }

  void send(const Member& member, const SlotOutcome& outcome) {
    const RuleTiming& timing = member.replay->timing();
    const daemon::OutgoingContext context{
        options_.external_labels,
        options_.external_url,
        {},
        outcome.at,
        alert::valid_until(outcome.at, timing.interval, timing.resend_delay)};
    Sending sending{outcome.at, member.chronicle->rule(), {}, {}};
    for (const alert::Alert& alert : outcome.due) {
      sending.alerts.push_back(daemon::make_outgoing(member.replay->rule(), alert, context));
      sending.labels.push_back(alert.labels);
    }
    sendings_.push_back(std::move(sending));
  }

  alert::Surroundings surroundings(const rule::Rule& rule, Timestamp at) {
    alert::Surroundings around;
    around.external_labels = options_.external_labels;
    around.external_url = options_.external_url;
    around.query = [this, at](std::string_view expr) { return query(expr, at); };
    around.why_blind = [this, &rule, at](const Labels& labels) {
      if (!eyes_ || eyes_at_ != at) {
        eyes_.emplace(targets_down(at));
        eyes_at_ = at;
      }
      return eyes_->why_blind(sources_.of(rule), labels);
    };
    return around;
  }

  Result<promql::Vector> query(std::string_view expr, Timestamp at) {
    const auto parsed = promql::parse(expr);
    if (!parsed) return fail(ErrorCode::Parse, parsed.error().message);
    const auto answer = promql::Query::prepare(*parsed).evaluate(history_.store(), at);
    if (!answer) return fail(answer.error());
    return alert::as_vector(answer->value);
  }

  std::vector<source::TargetStatus> targets_down(Timestamp at) {
    std::vector<source::TargetStatus> out;
    const auto down = query("up == 0", at);
    if (!down) return out;
    for (const promql::Element& element : *down) {
      source::TargetStatus status;
      status.target.labels = element.labels.without(kMetricName);
      status.target.job = element.labels.get("job");
      status.target.url = element.labels.get("instance");
      status.health = source::Health::Down;
      status.last_error = "up is 0";
      status.metrics = history_.metrics_of(element.labels);
      out.push_back(std::move(status));
    }
    return out;
  }

  // ---- The end

  Outcome finish() {
    for (Members& group : groups_) {
      for (Member& member : group.rules) {
        if (!member.chronicle) continue;
        ReplayedRule& rule = outcome_.rules[member.chronicle->rule()];
        rule.pending_only = member.chronicle->pending_only();
        rule.failures = member.replay->failures();
        rule.failure = member.replay->last_failure();
        member.chronicle->take(outcome_.episodes);
      }
    }
    std::erase_if(outcome_.episodes, [this](const Episode& episode) {
      return episode.ended_at && *episode.ended_at < outcome_.from;
    });
    std::stable_sort(outcome_.episodes.begin(), outcome_.episodes.end(),
                     [](const Episode& a, const Episode& b) { return a.fired_at < b.fired_at; });
    outcome_.pages = pages_of(std::move(sendings_), options_.notify, outcome_.to);
    std::erase_if(outcome_.pages, [this](const Page& page) { return page.at < outcome_.from; });
    outcome_.complaints = history_.complaints();
    return std::move(outcome_);
  }

  const rule::RuleSet& rules_;
  History& history_;
  const ReplayOptions& options_;
  const daemon::RuleSources sources_;
  const Stages stages_;
  Team team_;
  std::vector<Members> groups_;
  std::vector<std::vector<Timestamp>> slots_;  // Of groups_, in the stretch that is lived through.
  Timestamp fetch_until_;                      // What the next stretch needs.
  double share_of_last_ = 0;                   // Of that, what is unpacked in the last stage.
  std::chrono::nanoseconds fetching_took_{0};
  std::optional<daemon::Eyesight> eyes_;
  Timestamp eyes_at_{};
  std::vector<Sending> sendings_;
  Outcome outcome_;
};

}  // namespace

Result<Outcome> replay(const rule::RuleSet& rules, History& history, const ReplayOptions& options) {
  return Replayer(rules, history, options).run();
}

}  // namespace tocsin::replay
