// SPDX-License-Identifier: Apache-2.0
#include "daemon/group_runner.h"

#include <doctest/doctest.h>

#include "daemon/rule_engine.h"
#include "support/executors.h"
#include "support/manual_clock.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

// Groups over a store that a test fills, on a clock that it moves; everything runs in this thread.
struct World {
  testing::ManualClock clock;
  testing::InlineExecutor executor;
  store::Store store;
  SeriesWriter writer{store, executor, executor};
  StoreEvaluator evaluator{{store, executor, executor, &clock}};
  store::BlockId block = store.add_block({.history = 1h});
  std::vector<std::string> changes;
  std::vector<std::string> sent;
  std::size_t sent_blind = 0;
  std::map<state::AlertKey, state::SavedAlert> kept;
  std::vector<state::RecordedSample> recorded;
  std::unique_ptr<RuleEngine> engine = std::make_unique<RuleEngine>(parts());

  GroupParts parts() {
    GroupParts parts{clock, clock, evaluator, writer, {}, {}, {}, {}, {}};
    parts.surroundings = [](const rule::Rule&, Timestamp) { return alert::Surroundings{}; };
    parts.on_transitions = [this](const rule::Rule& rule, const auto& all) {
      for (const auto& change : all) {
        changes.push_back(rule.name + " " + std::string(name_of(change.from)) + ">" +
                          std::string(name_of(change.to)));
      }
    };
    parts.on_due = [this](const rule::Rule& rule, Timestamp, Duration, const auto& due) {
      for (const auto& alert : due) {
        sent.push_back(rule.name + " " + std::string(name_of(alert.state)));
        sent_blind += alert.blind ? 1 : 0;
      }
    };
    parts.on_unsaved = [this](const rule::Rule& rule, const auto& unsaved) {
      for (const Labels& labels : unsaved.gone) kept.erase({rule.id, labels});
      for (const auto& alert : unsaved.changed) {
        kept[{rule.id, alert.labels}] = {rule.id, rule.content_id, rule.name, alert};
      }
    };
    parts.on_recorded = [this](Timestamp at, const promql::Vector& series) {
      for (const auto& element : series) {
        recorded.push_back({element.labels, at, element.sample.value});
      }
    };
    return parts;
  }

  // Goes on where `before` ended.
  void restore(const World& before, const Diagnostics& problems = {}) {
    std::vector<state::SavedAlert> saved;
    for (const auto& [key, alert] : before.kept) saved.push_back(alert);
    kept = before.kept;
    engine->restore(before.recorded);
    engine->restore(std::move(saved), problems);
  }

  void set(const Labels& labels, double value) {
    store.append_sample(store.add_series(block, labels, false), clock.now(), value);
  }

  void apply(const std::string& yaml) {
    const std::vector<rule::SourceFile> files{{"rules.yaml", yaml}};
    const auto loaded = rule::load(files);
    CAPTURE(loaded.diagnostics.text());
    REQUIRE(loaded.diagnostics.empty());
    engine->apply(loaded.rules, {15s, 0s, 1min});
    engine->start();
  }
};

const char* const kRules = R"(
groups:
  - name: g
    rules:
      - {record: doubled, expr: m * 2}
      - {alert: High, expr: doubled > 10, for: 30s}
      - {alert: Pending, expr: 'ALERTS{alertname="High",alertstate="pending"}'}
)";

TEST_CASE("rules of a group see what the rules before them wrote, in the same evaluation") {
  World w;
  w.apply(kRules);
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  CHECK(w.changes == std::vector<std::string>{"High inactive>pending", "Pending pending>firing"});
  CHECK(w.sent == std::vector<std::string>{"Pending firing"});
  w.set(Labels{{"__name__", "m"}}, 7);
  w.clock.advance(30s);
  CHECK(w.changes[2] == "High pending>firing");
}

TEST_CASE("rules that look ahead as pages come in say what they would have said") {
  World w;
  Foresight foresight;
  GroupParts parts = w.parts();
  parts.foresight = &foresight;
  w.engine = std::make_unique<RuleEngine>(std::move(parts));
  w.apply("groups: [{name: g, rules: [{alert: High, expr: 'sum(increase(m_total[1m])) > 30'}]}]");
  const auto id = w.store.add_series(w.block, Labels{{"__name__", "m_total"}}, true);
  for (int second = 0; second < 180; ++second) {
    const double value = second < 60 ? 0 : second < 100 ? second - 60 : 40;
    w.store.append_column(w.block, w.clock.now(), std::span(&id, 1), std::span(&value, 1));
    foresight.look(w.clock.now() + 15s);
    w.clock.advance(1s);
  }
  CHECK(w.changes == std::vector<std::string>{"High pending>firing", "High firing>inactive"});
}

TEST_CASE("reloads that come faster than slots hold up no rule") {
  World w;
  const auto rules = [](int version) {
    return "groups: [{name: g" + std::to_string(version) +
           ", rules: [{alert: High, expr: m > 5, annotations: {version: '" +
           std::to_string(version % 3) + "'}}]}]";
  };
  w.apply(rules(0));
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  REQUIRE(w.changes == std::vector<std::string>{"High pending>firing"});
  Timestamp seen = w.clock.now();
  for (int version = 1; version < 100; ++version) {
    w.apply(rules(version));
    w.clock.advance(2s);
    const auto groups = w.engine->groups();
    if (groups[0].rules[0].last_evaluation) seen = *groups[0].rules[0].last_evaluation;
    CHECK(w.clock.now() - seen <= 17s);
  }
  w.clock.advance(60s);
  CHECK(w.clock.now() - *w.engine->groups()[0].last_evaluation < 15s);
  CHECK(w.changes.size() == 1);
}

TEST_CASE("aggregations that rules have in common see what the rules between them wrote") {
  World w;
  w.apply(R"(
groups:
  - name: g
    rules:
      - {record: shared, expr: sum(m)}
      - {record: before, expr: sum(doubled) or vector(0)}
      - {record: doubled, expr: sum(m) * 2}
      - {record: after, expr: sum(doubled)}
      - {alert: Sums, expr: after == 2 * shared and after == before + 4 and sum(m) == shared}
)");
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  CHECK(w.changes.empty());  // Nothing was doubled before: 12 is not 0 + 4.
  w.set(Labels{{"__name__", "m"}}, 8);
  w.clock.advance(15s);
  CHECK(w.changes == std::vector<std::string>{"Sums pending>firing"});
}

TEST_CASE("a failing rule keeps its alerts and says why; the rest of the group goes on") {
  World w;
  w.apply(R"(
groups:
  - name: g
    rules:
      - {alert: Joined, expr: a * on (x) b}
      - {alert: Other, expr: a > 100}
)");
  w.set(Labels{{"__name__", "a"}, {"x", "1"}}, 1);
  w.set(Labels{{"__name__", "b"}, {"x", "1"}}, 1);
  w.clock.advance(15s);
  CHECK(w.changes == std::vector<std::string>{"Joined pending>firing"});
  w.set(Labels{{"__name__", "b"}, {"x", "1"}, {"y", "2"}}, 1);
  w.clock.advance(15s);
  const auto status = w.engine->groups()[0];
  CHECK(status.failures == 1);
  CHECK(status.rules[0].health == api::RuleHealth::Failing);
  CHECK(status.rules[0].last_error.find("many-to-many") != std::string::npos);
  REQUIRE(status.rules[0].alerts.size() == 1);
  CHECK(status.rules[0].alerts[0].blind.has_value());
  CHECK(status.rules[1].health == api::RuleHealth::Ok);
}

TEST_CASE("a reload keeps unchanged groups, hands alerts on, and resolves those of removed rules") {
  World w;
  w.apply("groups: [{name: g, rules: [{alert: A, expr: m > 1}, {alert: B, expr: m > 1}]}]");
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  const auto iterations = w.engine->groups()[0].iterations;
  w.apply("groups: [{name: g, rules: [{alert: A, expr: m > 1}, {alert: B, expr: m > 1}]}]");
  CHECK(w.engine->groups()[0].iterations == iterations);
  w.changes.clear();
  w.apply("groups: [{name: g, rules: [{alert: A, expr: m > 2}]}]");
  CHECK(w.changes == std::vector<std::string>{"B firing>inactive"});
  CHECK(w.sent.back() == "B inactive");
  w.changes.clear();
  w.clock.advance(15s);
  CHECK(w.changes.empty());  // A fires on, since when it did.
  CHECK(w.engine->groups()[0].rules[0].state == alert::State::Firing);
}

TEST_CASE("evaluations are stamped with their slot, which a restart does not move") {
  World w;
  w.apply("groups: [{name: g, interval: 1m, rules: [{record: r, expr: time()}]}]");
  w.clock.advance(2min);
  std::vector<Sample> first;
  const auto ids = w.store.select({Matcher::equal("__name__", "r")});
  REQUIRE(ids.size() == 1);
  w.store.read(ids[0], w.clock.now() - 5min, w.clock.now(), first);
  REQUIRE(first.size() == 2);
  CHECK(first[1].at - first[0].at == 1min);
  CHECK(first[0].value == to_seconds(first[0].at));
  World again;
  again.apply("groups: [{name: g, interval: 1m, rules: [{record: r, expr: time()}]}]");
  again.clock.advance(2min);
  std::vector<Sample> second;
  again.store.read(again.store.select({Matcher::equal("__name__", "r")})[0],
                   again.clock.now() - 5min, again.clock.now(), second);
  CHECK(second == first);
}

TEST_CASE("what a rule says of its alerts counts once it is known what could not be seen") {
  World w;
  GroupParts parts = w.parts();
  std::vector<std::string> looked;
  std::function<void()> go_on;
  bool is_blind = false;
  parts.look_around = [&](const GroupParts::Rules& rules, Timestamp at, auto then) {
    for (const auto& rule : rules) looked.push_back(rule->name);
    CHECK(at == w.clock.now());
    go_on = then;
  };
  parts.surroundings = [&](const rule::Rule&, Timestamp) {
    alert::Surroundings around;
    around.why_blind = [&](const Labels&) {
      return is_blind ? std::optional(alert::Obstacle{"job j", "nobody can see it"}) : std::nullopt;
    };
    return around;
  };
  w.engine = std::make_unique<RuleEngine>(parts);
  w.apply("groups: [{name: g, rules: [{alert: High, expr: m > 5}, {alert: Other, expr: m > 50}]}]");
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  CHECK(looked.empty());  // There was nothing that could be over.
  REQUIRE(w.changes.size() == 1);
  w.set(Labels{{"__name__", "m"}}, 4);
  w.clock.advance(15s);
  CHECK(looked == std::vector<std::string>{"High"});
  CHECK(w.changes.size() == 1);
  is_blind = true;
  go_on();
  CHECK(w.changes.size() == 1);
  CHECK(w.sent == std::vector<std::string>{"High firing", "High firing"});
  is_blind = false;
  for (int i = 0; i < 30; ++i) {
    w.clock.advance(15s);
    go_on();
  }
  CHECK(w.changes.back() == "High firing>inactive");
}

// A world whose expressions are evaluated only when a test says so.
struct SlowWorld : World {
  testing::QueueExecutor slow;
  StoreEvaluator slow_evaluator;

  // Without a clock that says what is quick, every rule is a task of its own.
  explicit SlowWorld(const Clock* what_is_quick = nullptr)
      : slow_evaluator({store, slow, executor, what_is_quick}) {
    const GroupParts all = parts();
    engine = std::make_unique<RuleEngine>(GroupParts{all.clock, all.scheduler, slow_evaluator,
                                                     all.writer, all.surroundings,
                                                     all.on_transitions, all.on_due});
  }
};

TEST_CASE("a small group waits for one rule of a big group, and not for all of them") {
  SlowWorld w;
  std::string rules = "groups:\n  - {name: small, rules: [{record: s, expr: time()}]}\n";
  rules += "  - name: big\n    rules:\n";
  for (int i = 0; i < 100; ++i) {
    rules += "      - {record: r" + std::to_string(i) + ", expr: time()}\n";
  }
  w.apply(rules);
  w.clock.advance(15s);  // Now both are due.
  w.slow.run_one();
  w.slow.run_one();
  for (const api::GroupStatus& group : w.engine->groups()) {
    CHECK(group.rules[0].last_evaluation.has_value());
    if (group.name == "big") CHECK(!group.rules[1].last_evaluation.has_value());
  }
}

// Every look at it is two milliseconds later.
struct TickingClock : Clock {
  mutable int looks = 0;
  Timestamp now() const override { return {}; }
  std::chrono::nanoseconds ticks() const override { return ++looks * 2ms; }
};

TEST_CASE(
    "quick rules are evaluated in one go, for a few milliseconds, up to one that reads alerts") {
  const TickingClock clock;
  SlowWorld w(&clock);
  std::string rules = "groups:\n  - name: g\n    rules:\n";
  for (int i = 0; i < 7; ++i) {
    rules += "      - {record: r" + std::to_string(i) + ", expr: time()}\n";
  }
  rules += "      - {alert: High, expr: r6 > 0}\n";
  rules += "      - {record: last, expr: count(ALERTS)}\n";
  w.apply(rules);
  w.clock.advance(15s);
  std::vector<std::size_t> evaluated;
  while (w.slow.size() > 0) {
    w.slow.run_one();
    const auto groups = w.engine->groups();
    std::size_t count = 0;
    for (const auto& rule : groups[0].rules) count += rule.last_evaluation ? 1 : 0;
    evaluated.push_back(count);
  }
  CHECK(evaluated == std::vector<std::size_t>{3, 6, 8, 9});
  CHECK(w.changes.size() == 1);
  CHECK(w.store.select({Matcher::equal("__name__", "last")}).size() == 1);
}

TEST_CASE("slots that pass while an evaluation runs are missed, and counted") {
  SlowWorld w;
  w.apply("groups: [{name: g, interval: 10s, rules: [{record: r, expr: time()}]}]");
  w.clock.advance(10s);
  REQUIRE(w.slow.size() == 1);
  w.clock.advance(25s);
  CHECK(w.slow.size() == 1);
  w.slow.run();
  CHECK(w.engine->groups()[0].iterations_missed == 2);
  w.clock.advance(10s);
  CHECK(w.slow.size() == 1);
}

// ---- Beyond the process.

TEST_CASE("alerts go on after a restart, in a group of another name too") {
  World before;
  before.apply(
      "groups: [{name: g, rules: [{alert: A, expr: m > 1, for: 1m}, {alert: B, expr: m > 1}]}]");
  before.set(Labels{{"__name__", "m"}}, 6);
  before.clock.advance(15s);
  CHECK(before.kept.size() == 2);
  const Timestamp since = before.kept.begin()->second.alert.active_at;
  World after;
  after.clock.advance(60s);
  after.apply(
      "groups: [{name: other, rules: [{alert: A, expr: m > 1, for: 1m}, {alert: B, expr: m > "
      "1}]}]");
  after.restore(before);
  CHECK(after.changes.empty());
  REQUIRE(after.kept.size() == 2);
  for (const auto& [key, saved] : after.kept) CHECK(before.kept.count(key) == 0);
  after.set(Labels{{"__name__", "m"}}, 6);
  after.clock.advance(30s);
  CHECK(after.changes == std::vector<std::string>{"A pending>firing"});
  CHECK(after.kept.begin()->second.alert.active_at == since);
}

TEST_CASE("when the clock is set, what was due by the old one is not evaluated any more") {
  World w;
  w.apply("groups: [{name: g, rules: [{alert: A, expr: m > 1, for: 1m}]}]");
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.set(w.clock.now() + 1h);
  w.engine->note_clock_step(1h);
  w.clock.advance(0s);
  CHECK(w.changes.empty());
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  CHECK(w.changes == std::vector<std::string>{"A inactive>pending"});
}

TEST_CASE("what is pending when the clock is set has been so for as long as before") {
  const char* const rules = "groups: [{name: g, rules: [{alert: A, expr: m > 1, for: 1m}]}]";
  World before;
  before.apply(rules);
  before.set(Labels{{"__name__", "m"}}, 6);
  before.clock.advance(15s);
  REQUIRE(before.changes == std::vector<std::string>{"A inactive>pending"});
  before.engine->note_clock_step(1h);
  World after;
  after.clock.advance(1h + 15s);
  after.apply(rules);
  after.restore(before);
  after.set(Labels{{"__name__", "m"}}, 6);
  after.clock.advance(45s);
  CHECK(after.changes.empty());
  after.clock.advance(30s);
  CHECK(after.changes == std::vector<std::string>{"A pending>firing"});
}

TEST_CASE("what fires is sent on before the first evaluation after a restart") {
  const char* const rules =
      "groups: [{name: g, rules: [{alert: Fires, expr: m > 1}, {alert: Waits, expr: m > 1, for: "
      "1h}]}]";
  World before;
  before.apply(rules);
  before.set(Labels{{"__name__", "m"}}, 6);
  before.clock.advance(15s);
  REQUIRE(before.sent == std::vector<std::string>{"Fires firing"});
  World soon;
  soon.clock.advance(30s);
  soon.apply(rules);
  soon.restore(before);
  CHECK(soon.sent.empty());  // Not for resend_delay.
  // Processes that are killed before they have evaluated anything.
  auto& last = before;
  for (const auto later : {120s, 125s, 200s}) {
    CAPTURE(later.count());
    World next;
    next.clock.advance(later);
    next.apply(rules);
    next.restore(last);
    CHECK(next.sent.size() == (later == 125s ? 0 : 1));
    CHECK(next.sent_blind == next.sent.size());  // Nobody has looked yet.
    last.kept = std::move(next.kept);
  }
}

TEST_CASE("a reload that renames a group loses nothing, and what is kept moves with it") {
  World w;
  w.apply("groups: [{name: g, rules: [{alert: A, expr: m > 1}]}]");
  w.set(Labels{{"__name__", "m"}}, 6);
  w.clock.advance(15s);
  w.changes.clear();
  const std::string old_id = w.kept.begin()->first.rule_id;
  w.apply("groups: [{name: renamed, rules: [{alert: A, expr: m > 1}]}]");
  CHECK(w.changes.empty());
  REQUIRE(w.kept.size() == 1);
  CHECK(w.kept.begin()->first.rule_id != old_id);
}

TEST_CASE("a rule that went while nobody was running has its alerts resolved, and forgotten") {
  World before;
  before.apply("groups: [{name: g, rules: [{alert: A, expr: m > 1}]}]");
  before.set(Labels{{"__name__", "m"}}, 6);
  before.clock.advance(15s);
  World after;
  after.apply("groups: [{name: g, rules: [{alert: Other, expr: m > 1}]}]");
  after.restore(before);
  CHECK(after.changes == std::vector<std::string>{"A firing>inactive"});
  CHECK(after.sent == std::vector<std::string>{"A inactive"});
  CHECK(after.kept.empty());
}

TEST_CASE("alerts of rules that could not be loaded stay, until rules load without fault") {
  const std::string rules = "groups: [{name: g, rules: [{alert: A, expr: m > 1}]}]";
  const std::string others = "groups: [{name: g, rules: [{alert: Other, expr: m > 100}]}]";
  Diagnostics problems;
  problems.add({Severity::Error, "", {"a.yaml", 3, 7, 1}, "unexpected end", "", "", ""});
  World before;
  before.apply(rules);
  before.set(Labels{{"__name__", "m"}}, 6);
  before.clock.advance(15s);
  REQUIRE(before.changes == std::vector<std::string>{"A pending>firing"});
  for (const Duration restart : {5min, 10min}) {  // However many.
    World broken;
    broken.clock.advance(restart);
    broken.apply(others);
    broken.restore(before, problems);
    broken.clock.advance(3min);
    CHECK(broken.changes.empty());
    REQUIRE(broken.sent.size() >= 3);  // Sent on.
    CHECK(broken.sent_blind == broken.sent.size());
    REQUIRE(broken.kept.size() == 1);
    CHECK(broken.kept.begin()->first.rule_id == before.kept.begin()->first.rule_id);
    const api::RuleStatus lost = broken.engine->groups().back().rules[0];
    CHECK(lost.rule->name == "A");
    CHECK(lost.health == api::RuleHealth::Failing);
    REQUIRE(lost.alerts.size() == 1);
    CHECK(lost.alerts[0].blind->obstacle.reason ==
          "the rule cannot be evaluated: it is in no rule file that can be loaded; a.yaml:3:7: "
          "unexpected end");
    before.kept = broken.kept;
  }
  SUBCASE("with the rule: it goes on") {
    World mended;
    mended.clock.advance(20min);
    mended.apply(others);
    mended.restore(before, problems);
    mended.apply(rules);
    mended.set(Labels{{"__name__", "m"}}, 6);
    mended.clock.advance(15s);
    CHECK(mended.changes.empty());
    REQUIRE(mended.kept.size() == 1);
    CHECK_FALSE(mended.kept.begin()->second.alert.blind.has_value());
    CHECK(mended.engine->groups().size() == 1);
  }
  SUBCASE("without the rule: it ends, at a reload") {
    World removed;
    removed.clock.advance(20min);
    removed.apply(others);
    removed.restore(before, problems);
    removed.apply(others);
    CHECK(removed.changes == std::vector<std::string>{"A firing>inactive"});
    CHECK(removed.kept.empty());
  }
  SUBCASE("without the rule: it ends, at a start") {
    World removed;
    removed.clock.advance(20min);
    removed.apply(others);
    removed.restore(before);
    CHECK(removed.changes == std::vector<std::string>{"A firing>inactive"});
    CHECK(removed.kept.empty());
  }
}

TEST_CASE("recordings that rules look back at are there after a restart") {
  const char* const rules = R"(
groups:
  - name: g
    rules:
      - {record: usual, expr: m * 2}
      - {record: momentary, expr: m * 3}
      - {alert: Spike, expr: 'm > 2 * avg_over_time(usual[1h])'}
      - {alert: Present, expr: momentary > 100}
)";
  World before;
  before.apply(rules);
  before.set(Labels{{"__name__", "m"}}, 5);
  before.clock.advance(1min);
  REQUIRE(before.recorded.size() == 4);
  World after;
  after.clock.advance(2min);
  after.apply(rules);
  after.restore(before);
  const auto ids = after.store.select({Matcher::equal("__name__", "usual")});
  REQUIRE(ids.size() == 1);
  std::vector<Sample> samples;
  after.store.read(ids[0], after.clock.now() - 1h, after.clock.now(), samples);
  CHECK(samples.size() == 4);
  CHECK(samples[0].value == 10);
}

}  // namespace
}  // namespace tocsin::daemon
