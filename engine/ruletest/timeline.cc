// SPDX-License-Identifier: Apache-2.0
#include "ruletest/timeline.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "alert/rule_life.h"
#include "alert/template_value.h"
#include "daemon/eyesight.h"
#include "daemon/rule_sources.h"
#include "ruletest/behind.h"
#include "ruletest/compare.h"
#include "ruletest/feed.h"
#include "ruletest/rows.h"
#include "tocsin/duration.h"
#include "tocsin/store.h"

namespace tocsin::ruletest {
namespace {

// A rule as long as the test lasts; its life ends at a restart and goes on.
struct RuleUnderTest {
  std::shared_ptr<const rule::Rule> rule;
  std::size_t limit = 0;
  Duration offset{0};
  alert::RuleLife life;
  promql::Query query;
  std::set<Labels> written;  // At the last evaluation.
  std::optional<RuleWatch> watch;
};

// What a process holds in memory. A restart begins another.
struct Memory {
  Timestamp since;
  std::unique_ptr<store::Store> store = std::make_unique<store::Store>();
  store::BlockId block = store->add_block({.history = kTestHistory});  // Of what rules write.
};

class Timeline {
 public:
  Timeline(const TestFile& file, const TestCase& test, const rule::RuleSet& rules)
      : file_(file), test_(test), sources_(rules) {
    around_.external_labels = test.external_labels;
    around_.external_url = test.external_url;
    for (const rule::Group* group : ordered(rules)) {
      for (const rule::Rule& rule : group->rules) {
        auto shared = std::make_shared<const rule::Rule>(rule);
        rules_.push_back({shared,
                          group->limit,
                          group->query_offset.value_or(Duration(0)),
                          alert::RuleLife(shared, group->limit),
                          promql::Query::prepare(rule.expr),
                          {},
                          std::nullopt});
      }
    }
  }

  void watch(Coverage& coverage) {
    for (RuleUnderTest& rule : rules_) rule.watch.emplace(coverage, *rule.rule);
  }

  CaseResult run() {
    result_.name = test_.name;
    result_.line = test_.line;
    if (!open()) return std::move(result_);
    check_names();
    const Duration interval = file_.evaluation_interval;
    std::vector<Duration> restarts = test_.restart_at;
    std::sort(restarts.begin(), restarts.end(), std::greater<>());
    for (Duration now{0}; now <= last_moment(); now += interval) {
      for (; !restarts.empty() && restarts.back() <= now; restarts.pop_back()) restart(now);
      evaluate(test_.start + now);
      check_at(now, now + interval);
    }
    for (const ExprExpectation& e : test_.exprs) check(e);
    return std::move(result_);
  }

 private:
  // ---- Time

  std::vector<const rule::Group*> ordered(const rule::RuleSet& rules) const {
    std::vector<const rule::Group*> out;
    for (const rule::Group& group : rules.groups) out.push_back(&group);
    const auto& order = file_.group_eval_order;
    const auto place = [&](const rule::Group* group) {
      return std::find(order.begin(), order.end(), group->name) - order.begin();
    };
    std::stable_sort(out.begin(), out.end(),
                     [&](const auto* a, const auto* b) { return place(a) < place(b); });
    return out;
  }

  Duration last_moment() const {
    Duration last{0};
    for (const auto& e : test_.alerts) last = std::max(last, e.eval_time);
    for (const auto& e : test_.exprs) last = std::max(last, e.eval_time);
    for (const auto& e : test_.notifications) last = std::max(last, e.eval_time);
    return last;
  }

  // What of pages is worth keeping.
  std::vector<promql::Need> needs() const {
    std::vector<promql::Need> out;
    const auto add = [&](const promql::Expr& expr) {
      for (promql::Need& need : promql::needs_of(expr)) out.push_back(std::move(need));
    };
    for (const RuleUnderTest& rule : rules_) add(*rule.rule->expr);
    for (const ExprExpectation& e : test_.exprs) {
      if (const auto parsed = promql::parse(e.expr)) add(**parsed);
    }
    return out;
  }

  bool open() {
    auto feeds = open_feeds(file_, test_, needs());
    if (!feeds) {
      fail_at(feeds.error().line, feeds.error().message, "");
      return false;
    }
    feeds_ = std::move(*feeds);
    return begin_memory(test_.start);
  }

  bool begin_memory(Timestamp from) {
    memories_.push_back({from});
    for (const auto& feed : feeds_) {
      const auto begun = feed->begin(*memories_.back().store, from);
      if (begun) continue;
      fail_at(test_.line, begun.error().message, "");
      return false;
    }
    return true;
  }

  // The process is replaced by another: alerts live on, samples have to come in again.
  void restart(Duration now) {
    const Timestamp at = test_.start + now;
    begin_memory(at);
    for (RuleUnderTest& rule : rules_) {
      std::vector<alert::Alert> alerts;
      if (rule.life.tracker()) {
        for (const auto& [labels, alert] : rule.life.tracker()->alerts()) alerts.push_back(alert);
      }
      rule.life = alert::RuleLife(rule.rule, rule.limit);
      if (rule.life.tracker()) rule.life.tracker()->restore(std::move(alerts), at);
      rule.written.clear();
    }
  }

  // ---- Rules

  const store::Store& store() const { return *memories_.back().store; }

  alert::Surroundings surroundings_at(Timestamp at, const rule::Rule& rule) {
    alert::Surroundings around = around_;
    around.query = [this, at](std::string_view expr) -> Result<promql::Vector> {
      const auto parsed = promql::parse(expr);
      if (!parsed) return tocsin::fail(ErrorCode::Parse, parsed.error().message);
      const auto answer = promql::Query::prepare(*parsed).evaluate(store(), at);
      if (!answer) return tocsin::fail(answer.error());
      return alert::as_vector(answer->value);
    };
    around.why_blind = [this, &rule](const Labels& labels) {
      return eyesight_.why_blind(sources_.of(rule), labels);
    };
    return around;
  }

  void evaluate(Timestamp at) {
    std::vector<source::TargetStatus> targets;
    for (const auto& feed : feeds_) {
      feed->advance(at);
      for (source::TargetStatus& target : feed->targets()) targets.push_back(std::move(target));
    }
    eyesight_ = daemon::Eyesight(std::move(targets));
    for (RuleUnderTest& rule : rules_) evaluate(rule, at);
  }

  void evaluate(RuleUnderTest& rule, Timestamp at) {
    const alert::Surroundings around = surroundings_at(at, *rule.rule);
    const bool fails = is_failing(*rule.rule, at);
    const auto answer = fails ? tocsin::fail(ErrorCode::Execution, "the test lets it fail")
                              : rule.query.evaluate(store(), at - rule.offset);
    const auto outcome = rule.life.take(at, answer, around);
    if (outcome) {
      write(rule, at - rule.offset, outcome->series);
    } else if (!fails) {
      fail_at(rule.rule->place.line,
              "rule " + rule.rule->name + " at " + format_duration(at - test_.start),
              outcome.error().message);
    }
    if (outcome && rule.watch) note(rule, at, *answer, outcome->changes, around);
    if (rule.life.tracker() == nullptr) return;
    for (const alert::Alert& alert : rule.life.tracker()->take_due(at, kTestHistory)) tell(alert);
  }

  // That an alert which fires is not seen any more, or is again, wakes nobody.
  void tell(const alert::Alert& alert) {
    const auto [last, is_new] = told_states_.try_emplace(alert.labels, alert.state);
    if (!is_new && last->second == alert.state) return;
    last->second = alert.state;
    told_.push_back(row_of_notification(alert));
  }

  void note(RuleUnderTest& rule, Timestamp at, const promql::Answer& answer,
            const std::vector<alert::Transition>& changes, const alert::Surroundings& around) {
    const auto vector = alert::as_vector(answer.value);
    if (vector) rule.watch->note({store(), at - rule.offset, *vector, changes, around});
  }

  bool is_failing(const rule::Rule& rule, Timestamp at) const {
    return std::any_of(test_.failing.begin(), test_.failing.end(), [&](const Failing& f) {
      return f.rule == rule.name && at >= test_.start + f.start && at < test_.start + f.end;
    });
  }

  void write(RuleUnderTest& rule, Timestamp at, const promql::Vector& series) {
    store::Store& store = *memories_.back().store;
    const store::BlockId block = memories_.back().block;
    std::set<Labels> now;
    for (const promql::Element& element : series) {
      now.insert(element.labels);
      const store::SeriesId id = store.add_series(block, element.labels, false);
      if (element.histogram) {
        store.append_histogram(id, at, element.histogram);
      } else {
        store.append_sample(id, at, element.sample.value);
      }
    }
    for (const Labels& labels : rule.written) {
      if (now.count(labels) > 0) continue;
      store.append_sample(store.add_series(block, labels, false), at, stale_nan());
    }
    rule.written = std::move(now);
  }

  // ---- Expectations

  void fail_at(int line, std::string what, std::string detail) {
    result_.failures.push_back({line, std::move(what), std::move(detail)});
  }

  void compare(int line, std::string what, const std::string& difference) {
    if (difference.empty()) {
      ++result_.passed;
    } else {
      fail_at(line, std::move(what), difference);
    }
  }

  bool has_rule(const std::string& name) const {
    return std::any_of(rules_.begin(), rules_.end(),
                       [&](const RuleUnderTest& r) { return r.rule->name == name; });
  }

  // Whether its annotations may be those that a mesh condition brings. promtool, which knows none,
  // takes expected annotations that are not there for none.
  bool has_own_words(const std::string& alertname) const {
    return std::any_of(rules_.begin(), rules_.end(), [&](const RuleUnderTest& r) {
      return r.rule->name == alertname && r.rule->condition;
    });
  }

  // promtool takes a name that no rule has for an alert that never fires; so do we, but not where
  // the test says in our own words that it is inactive.
  void check_names() {
    for (const AlertExpectation& e : test_.alerts) {
      const bool expected =
          (e.firing && !e.firing->empty()) || (e.pending && !e.pending->empty()) || e.inactive;
      if (expected && !has_rule(e.alertname)) {
        fail_at(e.line, "no alerting rule is called " + e.alertname, "");
      }
    }
    for (const Failing& f : test_.failing) {
      if (!has_rule(f.rule)) fail_at(f.line, "no rule is called " + f.rule, "");
    }
  }

  // What is expected of the evaluation at `from`, the last one before `to`.
  void check_at(Duration from, Duration to) {
    for (const AlertExpectation& e : test_.alerts) {
      if (e.eval_time >= from && e.eval_time < to) check(e, test_.start + from);
    }
    for (const NotificationExpectation& e : test_.notifications) {
      if (e.eval_time >= from && e.eval_time < to) check(e);
    }
  }

  void check(const AlertExpectation& e, Timestamp at) {
    std::string difference;
    const auto add = [&](alert::State state, const std::vector<ExpectedAlert>& expected) {
      std::vector<Row> rows;
      for (const ExpectedAlert& one : expected) rows.push_back(row_of_expected(e.alertname, one));
      std::vector<Row> got = alerts_in(e.alertname, state);
      if (!says_annotations(expected) && has_own_words(e.alertname)) drop_annotations(got);
      difference += ruletest::difference(std::move(rows), std::move(got));
    };
    // As promtool has it: who expects nothing expects that nothing fires.
    const bool asks_for_firing = e.firing || !e.pending;
    if (asks_for_firing) add(alert::State::Firing, e.firing.value_or(std::vector<ExpectedAlert>()));
    if (e.pending) add(alert::State::Pending, *e.pending);
    if (e.inactive) add(alert::State::Pending, {});
    if (!difference.empty()) difference += reasons(e.alertname, at);
    compare(e.line, "alert " + e.alertname + " at " + format_duration(e.eval_time), difference);
  }

  std::vector<Row> alerts_in(const std::string& alertname, alert::State state) const {
    std::vector<Row> out;
    for (const RuleUnderTest& rule : rules_) {
      if (!rule.life.tracker() || rule.rule->name != alertname) continue;
      for (const auto& [labels, one] : rule.life.tracker()->alerts()) {
        if (one.state == state) out.push_back(row_of_alert(one));
      }
    }
    return out;
  }

  // Why the alerts of that name are as they are: what they gave, and how far they got.
  std::string reasons(const std::string& alertname, Timestamp at) const {
    std::string out;
    for (const RuleUnderTest& rule : rules_) {
      if (rule.rule->name != alertname || rule.rule->kind != rule::RuleKind::Alert) continue;
      out += values_behind(*rule.rule, store(), at - rule.offset);
      out += life_behind(*rule.rule, *rule.life.tracker(), {at, test_.start});
    }
    return out;
  }

  void check(const NotificationExpectation& e) {
    std::vector<Row> expected;
    for (const ExpectedNotification& one : e.notifications) {
      expected.push_back(row_of_expected(one));
    }
    if (!says_annotations(e.notifications)) drop_annotations(told_);
    const std::string difference = ruletest::difference(std::move(expected), std::move(told_));
    told_.clear();
    compare(e.line, "notifications until " + format_duration(e.eval_time), difference);
  }

  void check(const ExprExpectation& e) {
    const std::string what = e.expr + " at " + format_duration(e.eval_time);
    const auto difference = difference_of(e);
    if (!difference) return fail_at(e.line, what, difference.error().message);
    compare(e.line, what, *difference);
  }

  // The memory of the process that ran then.
  const store::Store& store_at(Timestamp at) const {
    const Memory* found = &memories_.front();
    for (const Memory& memory : memories_) {
      if (memory.since <= at) found = &memory;
    }
    return *found->store;
  }

  Result<std::string> difference_of(const ExprExpectation& e) const {
    const Timestamp at = test_.start + e.eval_time;
    const auto parsed = promql::parse(e.expr);
    if (!parsed) return tocsin::fail(ErrorCode::Parse, parsed.error().message);
    const auto answer = promql::Query::prepare(*parsed).evaluate(store_at(at), at);
    if (!answer) return tocsin::fail(answer.error());
    const auto vector = alert::as_vector(answer->value);
    if (!vector) return tocsin::fail(vector.error());
    const Precision precision = file_.fuzzy_compare ? Precision::Fuzzy : Precision::Exact;
    std::vector<Row> expected;
    std::vector<Row> got;
    for (const ExpectedSample& sample : e.samples) {
      auto row = row_of_expected(sample, precision);
      if (!row) return tocsin::fail(row.error());
      expected.push_back(std::move(*row));
    }
    for (const promql::Element& element : *vector) got.push_back(row_of_sample(element, precision));
    std::string out = ruletest::difference(std::move(expected), std::move(got));
    if (!out.empty()) out += values_behind(*parsed, store_at(at), at);
    return out;
  }

  const TestFile& file_;
  const TestCase& test_;
  const daemon::RuleSources sources_;
  Feeds feeds_;
  std::vector<Memory> memories_;
  daemon::Eyesight eyesight_{{}};
  alert::Surroundings around_;
  std::vector<RuleUnderTest> rules_;
  std::vector<Row> told_;  // Since the last expectation of notifications.
  std::map<Labels, alert::State> told_states_;
  CaseResult result_;
};

}  // namespace

CaseResult run_case(const TestFile& file, const TestCase& test, const rule::RuleSet& rules,
                    Coverage* coverage) {
  Timeline timeline(file, test, rules);
  if (coverage != nullptr) timeline.watch(*coverage);
  return timeline.run();
}

}  // namespace tocsin::ruletest
