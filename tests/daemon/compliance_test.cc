// SPDX-License-Identifier: Apache-2.0
//
// The four cases of Prometheus' alert generator compliance (prometheus/compliance), as timelines on
// a clock that a test moves: a group every 30 seconds, samples every 15. Times are minutes after
// the first evaluation; a value that changes at 2 is seen by the evaluation at 2.5.
#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/rule_engine.h"
#include "support/executors.h"
#include "support/manual_clock.h"
#include "tocsin/sample.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSampleEvery = 15s;
constexpr Duration kInterval = 30s;
constexpr Duration kResendDelay = 1min;

// From a minute on, a series has a value, or none.
struct Step {
  double from;
  std::optional<double> value;
};
struct Series {
  Labels labels;
  std::vector<Step> steps;
};

struct Sent {
  double at;
  alert::Alert alert;
};

const Labels kPlain{{"__name__", "m"}};
Labels variant(std::string_view name) { return kPlain.with("variant", name); }

std::string number(double minutes) { return format_value(minutes); }

// One run of a case.
class Timeline {
 public:
  Timeline(const std::string& rules, std::vector<Series> series) : series_(std::move(series)) {
    const std::vector<rule::SourceFile> files{{"rules.yaml", rules}};
    const auto loaded = rule::load(files);
    CAPTURE(loaded.diagnostics.text());
    REQUIRE(loaded.diagnostics.empty());
    engine_->apply(loaded.rules, {kInterval, 0s, kResendDelay});
    engine_->start();
    // The first evaluation is at the group's own slot.
    while (!engine_->groups()[0].last_evaluation) clock_.advance(1s);
    origin_ = *engine_->groups()[0].last_evaluation;
    clock_.advance_to(origin_);
  }

  void run_until(double minute) {
    while (this->minute() < minute) {
      for (const Series& series : series_) sample(series);
      clock_.advance(kSampleEvery);
    }
  }

  // "2.5 High pending", in order.
  const std::vector<std::string>& changes() const { return changes_; }
  // When the rule's alerts were sent, in minutes, as long as they were in this state.
  std::vector<double> sent(const std::string& rule, alert::State state) const {
    std::vector<double> out;
    for (const auto& [at, alert] : sent_) {
      if (alert.labels.get("alertname") == rule && alert.state == state) out.push_back(at);
    }
    return out;
  }
  const std::vector<Sent>& all_sent() const { return sent_; }
  double minute(Timestamp at) const { return static_cast<double>((at - origin_).count()) / 60e3; }
  double minute() const { return minute(clock_.now()); }

  // What ALERTS says at this moment: "High pending".
  std::vector<std::string> alert_series() const {
    std::vector<std::string> out;
    auto query = promql::Query::prepare(*promql::parse("ALERTS"));
    const auto answer = query.evaluate(store_, clock_.now());
    REQUIRE(answer);
    for (const auto& element : std::get<promql::Vector>(answer->value)) {
      CHECK(element.sample.value == 1);
      out.push_back(std::string(element.labels.get("alertname")) + " " +
                    std::string(element.labels.get("alertstate")));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  api::RuleStatus rule(std::size_t index) const { return engine_->groups()[0].rules[index]; }

 private:
  GroupParts parts() {
    GroupParts parts{clock_, clock_, evaluator_, writer_, {}, {}, {}, {}, {}};
    parts.surroundings = [](const rule::Rule&, Timestamp) { return alert::Surroundings{}; };
    parts.on_transitions = [this](const rule::Rule& rule, const auto& all) {
      for (const auto& change : all) {
        changes_.push_back(number(minute()) + " " + rule.name + " " +
                           std::string(name_of(change.to)));
      }
    };
    parts.on_due = [this](const rule::Rule&, Timestamp, Duration, const auto& due) {
      for (const auto& alert : due) sent_.push_back({minute(), alert});
    };
    return parts;
  }

  void sample(const Series& series) {
    const Step* now = nullptr;
    for (const Step& step : series.steps) {
      if (step.from <= minute()) now = &step;
    }
    if (!now) return;
    const auto id = store_.add_series(block_, series.labels, false);
    store_.append_sample(id, clock_.now(), now->value ? *now->value : stale_nan());
  }

  testing::ManualClock clock_;
  testing::InlineExecutor executor_;
  store::Store store_;
  SeriesWriter writer_{store_, executor_, executor_};
  StoreEvaluator evaluator_{{store_, executor_, executor_, &clock_}};
  store::BlockId block_ = store_.add_block({.history = 1h});
  std::vector<Series> series_;
  std::vector<std::string> changes_;
  std::vector<Sent> sent_;
  Timestamp origin_{};
  std::unique_ptr<RuleEngine> engine_ = std::make_unique<RuleEngine>(parts());
};

using Minutes = std::vector<double>;
using Texts = std::vector<std::string>;

TEST_CASE("compliance: pending, firing, resolved, and again while the end is still being told") {
  Timeline t(R"(
groups:
  - name: case
    rules:
      - alert: High
        expr: m > 10
        for: 6m
        labels: {foo: bar, rulegroup: case}
        annotations: {description: 'is {{ $value }} and {{ .Value }}'}
)",
             {{kPlain, {{0, 5}, {2, 11}, {6, 19}, {18, 5}, {28, 12}, {40, 5}}}});
  t.run_until(5);
  CHECK(t.alert_series() == Texts{"High pending"});
  CHECK(t.rule(0).state == alert::State::Pending);
  CHECK(t.rule(0).alerts.at(0).annotations.at("description") == "is 11 and 11");
  CHECK(t.minute(t.rule(0).alerts.at(0).active_at) == 2.5);
  t.run_until(7);
  CHECK(t.rule(0).alerts.at(0).annotations.at("description") == "is 19 and 19");
  CHECK(t.all_sent().empty());
  t.run_until(10);
  CHECK(t.alert_series() == Texts{"High firing"});
  t.run_until(20);
  CHECK(t.alert_series().empty());
  t.run_until(80);
  CHECK(t.changes() == Texts{"2.5 High pending", "8.5 High firing", "18.5 High inactive",
                             "28.5 High pending", "34.5 High firing", "40.5 High inactive"});
  CHECK(t.sent("High", alert::State::Firing) ==
        Minutes{8.5, 10, 11.5, 13, 14.5, 16, 17.5, 34.5, 36, 37.5, 39});
  CHECK(t.sent("High", alert::State::Inactive) == Minutes{18.5, 20, 21.5, 23, 24.5, 26, 27.5, 40.5,
                                                          42, 43.5, 45, 46.5, 48, 49.5, 51, 52.5,
                                                          54, 55.5});
  for (const auto& [at, alert] : t.all_sent()) {
    CAPTURE(at);
    CHECK(alert.labels == Labels{{"alertname", "High"}, {"foo", "bar"}, {"rulegroup", "case"}});
    REQUIRE(alert.fired_at);
    CHECK(t.minute(*alert.fired_at) == (at < 30 ? 8.5 : 34.5));
    if (alert.state == alert::State::Inactive) {
      REQUIRE(alert.resolved_at);
      CHECK(t.minute(*alert.resolved_at) == (at < 30 ? 18.5 : 40.5));
    }
    CHECK(alert.annotations.at("description") == (at < 30 ? "is 19 and 19" : "is 12 and 12"));
  }
}

TEST_CASE("compliance: pending that ends, by a value and by silence, is told to nobody") {
  Timeline t(R"(
groups:
  - name: case
    rules:
      - {alert: Ends, expr: m > 10, for: 3m}
      - {alert: Never, expr: m > 99, for: 3m}
)",
             {{kPlain, {{0, 5}, {2, 11}, {4, 5}, {8, 15}, {10, std::nullopt}, {14, 5}}}});
  t.run_until(30);
  CHECK(t.changes() ==
        Texts{"2.5 Ends pending", "4.5 Ends inactive", "8.5 Ends pending", "10.5 Ends inactive"});
  CHECK(t.all_sent().empty());
  CHECK(t.rule(1).state == alert::State::Inactive);
  CHECK(t.rule(1).health == api::RuleHealth::Ok);
  CHECK(t.rule(1).last_error.empty());
}

TEST_CASE("compliance: without for, with a for below the interval, and data that goes") {
  Timeline t(R"(
groups:
  - name: case
    rules:
      - {alert: Zero, expr: m > 10}
      - {alert: Small, expr: m > 10, for: 15s}
)",
             {{kPlain, {{0, 5}, {2, 11}, {6, 5}, {30, 13}, {33, std::nullopt}, {40, 5}}}});
  t.run_until(60);
  CHECK(t.changes() == Texts{"2.5 Zero firing", "2.5 Small pending", "3 Small firing",
                             "6.5 Zero inactive", "6.5 Small inactive", "30.5 Zero firing",
                             "30.5 Small pending", "31 Small firing", "33.5 Zero inactive",
                             "33.5 Small inactive"});
  CHECK(t.sent("Zero", alert::State::Firing) == Minutes{2.5, 4, 5.5, 30.5, 32});
  CHECK(t.sent("Small", alert::State::Firing) == Minutes{3, 4.5, 6, 31, 32.5});
  const Minutes ends = t.sent("Zero", alert::State::Inactive);
  REQUIRE(ends.size() == 22);
  CHECK(ends.front() == 6.5);
  CHECK(ends[10] == 21.5);  // Fifteen minutes later, and then no more.
  CHECK(ends[11] == 33.5);
  CHECK(ends.back() == 48.5);
}

TEST_CASE("compliance: new series join a rule that fires, and rules see the alerts before them") {
  Timeline t(
      R"(
groups:
  - name: case
    rules:
      - {alert: One, expr: m > 10, for: 3m, labels: {ba_dum: tss},
         annotations: {labels: '{{ $labels.variant }}{{ $labels.ba_dum }}'}}
      - {alert: Two, expr: 'ALERTS{alertname="One", alertstate="firing"}'}
)",
      {{variant("a"), {{0, 5}, {2, 11}, {20, 5}}}, {variant("b"), {{0, 5}, {8, 11}, {20, 5}}}});
  t.run_until(9);
  CHECK(t.alert_series() == Texts{"One firing", "One pending", "Two firing"});
  t.run_until(12);
  CHECK(t.alert_series() == Texts{"One firing", "One firing", "Two firing", "Two firing"});
  t.run_until(22);
  CHECK(t.alert_series().empty());
  CHECK(t.changes() == Texts{"2.5 One pending", "5.5 One firing", "5.5 Two firing",
                             "8.5 One pending", "11.5 One firing", "11.5 Two firing",
                             "20.5 One inactive", "20.5 One inactive", "20.5 Two inactive",
                             "20.5 Two inactive"});
  for (const auto& [at, alert] : t.all_sent()) {
    CAPTURE(at);
    if (alert.labels.get("alertname") != "One") continue;
    CHECK(alert.labels.get("ba_dum") == "tss");
    CHECK(alert.annotations.at("labels") == alert.labels.get("variant"));
  }
}

}  // namespace
}  // namespace tocsin::daemon
