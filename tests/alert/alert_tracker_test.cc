// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "tocsin/alert.h"

namespace tocsin::alert {
namespace {

using namespace std::chrono_literals;

Timestamp at(Duration since_start) { return Timestamp(1'000'000s) + since_start; }

promql::Vector series(std::vector<std::pair<const char*, double>> values) {
  promql::Vector out;
  for (const auto& [name, value] : values) {
    out.push_back({Labels{{"__name__", "m"}, {"deployment", name}}, {{}, value}});
  }
  return out;
}

rule::Rule rule_named(const char* name, Duration for_duration = 0s, Duration keep = 0s) {
  rule::Rule rule;
  rule.name = name;
  rule.for_duration = for_duration;
  rule.keep_firing_for = keep;
  rule.labels = {{"severity", "page"}};
  rule.annotations = {{"summary", "{{ $labels.deployment }} at {{ $value }}"}};
  return rule;
}

// One tracker and what it does, step by step, as text.
struct Life {
  AlertTracker tracker;
  Surroundings around;

  explicit Life(const rule::Rule& rule, std::size_t limit = 0) : tracker(rule, limit) {}

  // "web: pending>firing", one per change.
  std::string observe(Duration when, std::vector<std::pair<const char*, double>> values) {
    const auto changes = tracker.observe(at(when), series(std::move(values)), around);
    if (!changes) return changes.error().message;
    std::string out;
    for (const Transition& t : *changes) {
      out += (out.empty() ? "" : ", ") + std::string(t.alert.labels.get("deployment")) + ": " +
             std::string(name_of(t.from)) + ">" + std::string(name_of(t.to));
    }
    return out;
  }
  std::size_t due(Duration when, Duration resend = 1min) {
    return tracker.take_due(at(when), resend).size();
  }
  const Alert& only() const { return tracker.alerts().begin()->second; }
};

TEST_CASE("an alert is pending until `for` has passed, then fires, then is resolved") {
  Life life(rule_named("A", 2min));
  CHECK(life.observe(0min, {{"web", 1}}) == "web: inactive>pending");
  CHECK(life.due(0min) == 0);
  CHECK(life.observe(1min, {{"web", 2}}) == "");
  CHECK(life.observe(2min, {{"web", 3}}) == "web: pending>firing");
  CHECK(life.only().annotations.at("summary") == "web at 3");
  CHECK(life.only().labels.text() == R"({alertname="A", deployment="web", severity="page"})");
  CHECK(life.only().active_at == at(0min));
  CHECK(*life.only().fired_at == at(2min));
  CHECK(life.observe(3min, {}) == "web: firing>inactive");
  CHECK(*life.only().resolved_at == at(3min));
  CHECK(life.tracker.state() == State::Inactive);
}

TEST_CASE("without `for` it fires at once; a pending one that ends is forgotten") {
  Life now(rule_named("A"));
  CHECK(now.observe(0min, {{"web", 1}}) == "web: pending>firing");
  Life later(rule_named("A", 5min));
  later.observe(0min, {{"web", 1}});
  CHECK(later.observe(1min, {}) == "web: pending>inactive");
  CHECK(later.tracker.alerts().empty());
}

TEST_CASE("keep_firing_for holds an alert whose series is gone, and starts anew when it returns") {
  Life life(rule_named("A", 0s, 3min));
  life.observe(0min, {{"web", 1}});
  CHECK(life.observe(1min, {}) == "");
  CHECK(life.observe(2min, {{"web", 1}}) == "");
  CHECK_FALSE(life.only().keep_firing_since.has_value());
  CHECK(life.observe(3min, {}) == "");
  CHECK(life.observe(5min, {}) == "");
  CHECK(life.observe(6min, {}) == "web: firing>inactive");
}

TEST_CASE("alerts are resent when the delay has passed, and resolved ones for fifteen minutes") {
  Life life(rule_named("A"));
  life.observe(0s, {{"web", 1}});
  CHECK(life.due(0s) == 1);
  CHECK(life.due(30s) == 0);
  CHECK(life.due(60s) == 0);  // Strictly later than the delay.
  CHECK(life.due(90s) == 1);
  life.observe(2min, {});
  CHECK(life.due(2min) == 1);
  CHECK(life.due(4min) == 1);
  life.observe(17min, {});
  CHECK(life.due(17min) == 1);
  life.observe(17min + 1s, {});
  CHECK(life.tracker.alerts().empty());
}

TEST_CASE("a resolved alert that returns is a new one") {
  Life life(rule_named("A"));
  life.observe(0min, {{"web", 1}});
  life.due(0min);
  life.observe(1min, {});
  CHECK(life.observe(2min, {{"web", 1}}) == "web: pending>firing");
  CHECK(life.only().active_at == at(2min));
  CHECK(life.due(2min) == 1);
}

TEST_CASE("a failing evaluation is not a recovery") {
  Life life(rule_named("A"));
  life.observe(0min, {{"web", 1}});
  life.due(0min);
  life.tracker.observe_failure(at(1min), "many-to-many matching not allowed");
  CHECK(life.tracker.state() == State::Firing);
  CHECK(life.only().blind->reason == "many-to-many matching not allowed");
  CHECK(life.due(1min) == 1);  // Sent on, because there is something new to say.
  life.tracker.observe_failure(at(2min), "again");
  CHECK(life.only().blind->since == at(1min));
  CHECK(life.observe(3min, {{"web", 1}}) == "");
  CHECK_FALSE(life.only().blind.has_value());
}

TEST_CASE("an alert whose target cannot be seen stays as it is") {
  Life life(rule_named("A"));
  bool target_up = false;
  life.around.why_blind = [&](const Labels& labels) -> std::optional<std::string> {
    CHECK(labels.get("deployment") == "web");
    if (target_up) return std::nullopt;
    return "10.0.0.1:4191 cannot be scraped";
  };
  life.observe(0min, {{"web", 1}});
  CHECK(life.observe(1min, {}) == "");
  CHECK(life.only().blind->reason == "10.0.0.1:4191 cannot be scraped");
  target_up = true;
  CHECK(life.observe(2min, {}) == "");  // Its windows have yet to fill again.
  CHECK(life.observe(6min, {}) == "web: firing>inactive");
}

TEST_CASE("an alert that is seen again after blindness fires on") {
  Life life(rule_named("A"));
  life.observe(0min, {{"web", 1}});
  life.tracker.observe_failure(at(1min), "no answer");
  CHECK(life.observe(2min, {}) == "");
  CHECK(life.observe(3min, {{"web", 1}}) == "");
  CHECK_FALSE(life.only().blind.has_value());
  CHECK(life.only().active_at == at(0min));
  CHECK(life.observe(4min, {}) == "web: firing>inactive");
}

TEST_CASE("a limit sends the first and says how many are held back") {
  Life life(rule_named("A"), 2);
  life.observe(0min, {{"b", 1}, {"c", 1}});
  CHECK(life.tracker.held_back() == 0);
  life.observe(1min, {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}});
  CHECK(life.tracker.held_back() == 2);
  CHECK(life.tracker.alerts().size() == 3);
  const Labels held{{"alertname", "TocsinAlertsHeldBack"}, {"rule", "A"}, {"severity", "page"}};
  REQUIRE(life.tracker.alerts().count(held) == 1);
  CHECK(life.tracker.alerts().at(held).annotations.at("summary") ==
        "2 more alerts of A are held back by the group's limit of 2");
  CHECK(life.tracker.alerts().count(
            Labels{{"alertname", "A"}, {"deployment", "b"}, {"severity", "page"}}) == 1);
  life.observe(2min, {{"b", 1}});
  CHECK(life.tracker.alerts().at(held).state == State::Inactive);
}

TEST_CASE("two elements with the same labels are an error, and change nothing") {
  rule::Rule rule = rule_named("A");
  rule.labels["deployment"] = "same";
  Life life(rule);
  CHECK(life.observe(0min, {{"a", 1}, {"b", 1}}) ==
        "vector contains metrics with the same labelset after applying alert labels");
  CHECK(life.tracker.alerts().empty());
}

TEST_CASE("active alerts are series; a rule that is removed resolves them") {
  Life life(rule_named("A", 1min));
  life.observe(0min, {{"web", 1}});
  const auto written = life.tracker.series(at(0min));
  REQUIRE(written.size() == 2);
  CHECK(written[0].labels.text() ==
        R"(ALERTS{alertname="A", alertstate="pending", deployment="web", severity="page"})");
  CHECK(written[1].sample.value == 1'000'000);
  CHECK(life.tracker.retire(at(1min)).size() == 1);
  CHECK(life.only().annotations.at("resolved_because") == "rule removed");
}

TEST_CASE("a reload keeps what was active") {
  Life before(rule_named("A"));
  before.observe(0min, {{"web", 1}});
  AlertTracker after(rule_named("A"), 0);
  after.adopt(std::move(before.tracker));
  CHECK(after.state() == State::Firing);
  CHECK(after.alerts().begin()->second.active_at == at(0min));
}

}  // namespace
}  // namespace tocsin::alert
