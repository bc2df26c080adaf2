// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "alert/flap.h"
#include "alert/sparkline.h"
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
  life.tracker.observe_failure(at(1min), {"rule A", "many-to-many matching not allowed"});
  CHECK(life.tracker.state() == State::Firing);
  CHECK(life.only().blind->obstacle.reason == "many-to-many matching not allowed");
  CHECK(life.due(1min) == 1);  // Sent on, because there is something new to say.
  life.tracker.observe_failure(at(2min), {"rule A", "again"});
  CHECK(life.only().blind->since == at(1min));
  CHECK(life.observe(3min, {{"web", 1}}) == "");
  CHECK_FALSE(life.only().blind.has_value());
}

TEST_CASE("an alert whose target cannot be seen stays as it is") {
  Life life(rule_named("A"));
  bool target_up = false;
  life.around.why_blind = [&](const Labels& labels) -> std::optional<Obstacle> {
    CHECK(labels.get("deployment") == "web");
    if (target_up) return std::nullopt;
    return Obstacle{"target t", "10.0.0.1:4191 cannot be scraped"};
  };
  life.observe(0min, {{"web", 1}});
  CHECK(life.observe(1min, {}) == "");
  CHECK(life.only().blind->obstacle.reason == "10.0.0.1:4191 cannot be scraped");
  target_up = true;
  CHECK(life.observe(2min, {}) == "");  // Its windows have yet to fill again.
  CHECK(life.observe(6min, {}) == "web: firing>inactive");
}

TEST_CASE("an alert that is seen again after blindness fires on") {
  Life life(rule_named("A"));
  life.observe(0min, {{"web", 1}});
  life.tracker.observe_failure(at(1min), {"rule A", "no answer"});
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

TEST_CASE("who says how many are held back has no severity where that is a template") {
  rule::Rule rule = rule_named("A");
  rule.labels["severity"] = "{{ if gt $value 1.0 }}page{{ else }}ticket{{ end }}";
  Life life(rule, 1);
  life.observe(0min, {{"a", 1}, {"b", 1}});
  CHECK(life.tracker.alerts().count(Labels{{"alertname", "TocsinAlertsHeldBack"}, {"rule", "A"}}) ==
        1);
}

TEST_CASE("a limit ends no alert: those that stay while absent count, and new ones wait") {
  const auto web = [](const char* name) {
    return Labels{{"alertname", "A"}, {"deployment", name}, {"severity", "page"}};
  };
  SUBCASE("kept for a while") {
    Life life(rule_named("A", 0s, 5min), 2);
    life.observe(0min, {{"a", 1}, {"b", 1}});
    life.observe(1min, {{"a", 1}});
    CHECK(life.observe(2min, {{"a", 1}, {"c", 1}}) == ": pending>firing");
    CHECK(life.tracker.held_back() == 1);
    CHECK(life.tracker.alerts().count(web("c")) == 0);
    CHECK(life.observe(3min, {{"a", 1}, {"b", 1}, {"c", 1}}) == "");
    life.observe(4min, {{"a", 1}, {"c", 1}});
    CHECK(life.observe(9min, {{"a", 1}, {"c", 1}}) == "b: firing>inactive, c: pending>firing");
    CHECK(life.tracker.held_back() == 0);
  }
  SUBCASE("not to be seen") {
    Life life(rule_named("A"), 2);
    life.observe(0min, {{"a", 1}, {"b", 1}});
    life.around.why_blind = [](const Labels&) { return Obstacle{"target", "it is down"}; };
    life.observe(1min, {{"a", 1}, {"c", 1}});
    CHECK(life.tracker.alerts().count(web("c")) == 0);
    CHECK(life.observe(2min, {{"a", 1}, {"b", 1}, {"c", 1}}) == "");
  }
  SUBCASE("a reload lowers it") {
    Life before(rule_named("A"), 3);
    before.observe(0min, {{"a", 1}, {"b", 1}, {"c", 1}});
    Life after(rule_named("A"), 1);
    after.tracker.adopt(std::move(before.tracker));
    CHECK(after.observe(1min, {{"a", 1}, {"b", 1}, {"c", 1}}) == "");
    CHECK(after.tracker.held_back() == 0);
    CHECK(after.observe(2min, {{"a", 1}, {"d", 1}}) ==
          "b: firing>inactive, c: firing>inactive, : pending>firing");
    CHECK(after.tracker.held_back() == 1);
  }
  SUBCASE("one ends and makes room at once") {
    Life life(rule_named("A"), 1);
    life.observe(0min, {{"a", 1}});
    life.observe(1min, {{"b", 1}});
    CHECK(life.tracker.held_back() == 0);
    CHECK(life.tracker.alerts().at(web("b")).state == State::Firing);
  }
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

// ---- Beyond the process.

std::vector<Alert> all_of(const AlertTracker& tracker) {
  std::vector<Alert> out;
  for (const auto& [labels, alert] : tracker.alerts()) out.push_back(alert);
  return out;
}

TEST_CASE("what was pending goes on being pending since when it was") {
  Life before(rule_named("A", 2min));
  before.observe(0min, {{"web", 1}});
  Life after(rule_named("A", 2min));
  after.tracker.restore(all_of(before.tracker), at(90s));
  CHECK(after.observe(105s, {{"web", 1}}) == "");
  CHECK(after.observe(120s, {{"web", 1}}) == "web: pending>firing");
  CHECK(after.only().active_at == at(0min));
}

TEST_CASE("after a restart, absence proves nothing until the rule's window has been seen") {
  Life before(rule_named("A"));
  before.observe(0min, {{"web", 1}});
  before.due(0min);
  Life after(rule_named("A"));
  after.tracker.restore(all_of(before.tracker), at(1min));
  CHECK(after.observe(2min, {}) == "");
  CHECK(after.only().blind->obstacle.reason.find("restarted") != std::string::npos);
  CHECK(after.observe(5min, {}) == "");
  CHECK(after.observe(6min, {}) == "web: firing>inactive");
}

TEST_CASE("after a restart nothing is sent twice, and the next is sent when it is due") {
  Life before(rule_named("A"));
  before.observe(0s, {{"web", 1}});
  CHECK(before.due(0s) == 1);
  Life after(rule_named("A"));
  after.tracker.restore(all_of(before.tracker), at(15s));
  after.observe(30s, {{"web", 1}});
  CHECK(after.due(30s) == 0);
  after.observe(75s, {{"web", 1}});
  CHECK(after.due(75s) == 1);
}

TEST_CASE("what ended long before a restart is not told once more") {
  Life before(rule_named("Down"));
  before.observe(0s, {{"web", 1}});
  before.observe(15s, {});
  REQUIRE(before.tracker.alerts().size() == 1);
  Life soon(rule_named("Down"));
  soon.tracker.restore(all_of(before.tracker), at(10min));
  CHECK(soon.due(10min) == 1);
  Life late(rule_named("Down"));
  late.tracker.restore(all_of(before.tracker), at(1h));
  CHECK(late.due(1h) == 0);
  CHECK(late.tracker.take_unsaved().gone.size() == 1);
}

TEST_CASE("a clock that was set back an hour holds nothing up") {
  Life before(rule_named("A", 2min));
  before.observe(60min, {{"web", 1}});
  Life pending(rule_named("A", 2min));
  pending.tracker.restore(all_of(before.tracker), at(1min));
  CHECK(pending.observe(1min, {{"web", 1}}) == "");
  CHECK(pending.observe(3min, {{"web", 1}}) == "web: pending>firing");
  before.observe(62min, {{"web", 1}});
  before.due(62min);
  Life firing(rule_named("A", 2min));
  firing.tracker.restore(all_of(before.tracker), at(2min));
  CHECK(firing.only().fired_at == at(62min));  // It is who it is.
  firing.observe(4min, {{"web", 1}});
  CHECK(firing.due(4min) == 1);
}

TEST_CASE("what a clock is set by counts towards no `for` and no `keep_firing_for`") {
  for (const Duration step : {1h, -1h}) {
    CAPTURE(step.count());
    Life before(rule_named("A", 2min));
    before.observe(90min, {{"web", 1}});
    before.tracker.note_clock_step(step, at(91min + step));
    Life after(rule_named("A", 2min));
    after.tracker.restore(all_of(before.tracker), at(91min + step));
    CHECK(after.observe(91min + step, {{"web", 1}}) == "");
    CHECK(after.observe(92min + step, {{"web", 1}}) == "web: pending>firing");
    after.tracker.note_clock_step(step, at(93min + 2 * step));
    CHECK(after.only().fired_at == at(92min + step));  // It is who it is.
  }
  Life kept(rule_named("A", 0min, 10min));
  kept.observe(0min, {{"web", 1}});
  kept.observe(1min, {});
  kept.tracker.note_clock_step(1h, at(62min));
  CHECK(kept.observe(70min, {}) == "");
  CHECK(kept.observe(71min, {}) == "web: firing>inactive");
}

TEST_CASE("after a clock is set, absence proves nothing until the rule's window has been seen") {
  Life life(rule_named("A"));
  life.observe(0min, {{"web", 1}});
  SUBCASE("of what could be seen then") {}
  SUBCASE("and of what could not") {
    life.tracker.observe_failure(at(1min), {"rule A", "no answer"});
  }
  life.tracker.note_clock_step(1h, at(61min));
  CHECK(life.observe(61min, {}) == "");
  CHECK(life.observe(66min, {}) == "web: firing>inactive");
}

TEST_CASE("an evaluation that began before the clock was set is no older than that") {
  Life life(rule_named("A", 2min));
  life.tracker.note_clock_step(1h, at(61min));
  life.observe(1min, {{"web", 1}});
  CHECK(life.observe(62min, {{"web", 1}}) == "");
  CHECK(life.observe(63min, {{"web", 1}}) == "web: pending>firing");
}

TEST_CASE("what changed is to be saved once, and what is gone is to be forgotten") {
  Life life(rule_named("A", 1min));
  CHECK(life.tracker.take_unsaved().changed.empty());
  life.observe(0min, {{"web", 1}});
  CHECK(life.tracker.take_unsaved().changed.size() == 1);
  life.observe(30s, {{"web", 2}});  // Only its value is another.
  CHECK(life.tracker.take_unsaved().changed.empty());
  life.observe(1min, {{"web", 2}});
  CHECK(life.tracker.take_unsaved().changed[0].state == State::Firing);
  life.due(1min);
  CHECK(life.tracker.take_unsaved().changed[0].last_sent_at == at(1min));
  life.observe(2min, {});
  CHECK(life.tracker.take_unsaved().changed[0].resolved_at == at(2min));
  life.observe(18min, {});
  const auto last = life.tracker.take_unsaved();
  CHECK(last.changed.empty());
  CHECK(last.gone.size() == 1);
}

TEST_CASE("a heartbeat ends when nobody can see it") {
  rule::Rule rule = rule_named("Heartbeat");
  rule.annotations["tocsin_when_blind"] = "resolve";
  Life life(rule);
  life.around.why_blind = [](const Labels&) { return Obstacle{"target t", "down"}; };
  life.observe(0min, {{"web", 1}});
  CHECK(life.only().annotations.size() == 1);
  CHECK(life.observe(1min, {}) == "web: firing>inactive");
  life.observe(2min, {{"web", 1}});
  life.tracker.observe_failure(at(3min), {"rule Heartbeat", "no answer"});
  CHECK(life.tracker.state() == State::Inactive);
  Life after(rule);
  life.observe(4min, {{"web", 1}});
  after.tracker.restore(all_of(life.tracker), at(5min));
  CHECK(after.observe(6min, {}) == "web: firing>inactive");
}

TEST_CASE("values are a line of blocks, from the least to the greatest") {
  CHECK(sparkline(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}) == "▁▂▃▄▅▆▇█");
  CHECK(sparkline(std::vector<double>{3, 3, 3}) == "▅▅▅");
  CHECK(sparkline(std::vector<double>{1}) == "");
  CHECK(sparkline({}) == "");
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(sparkline(std::vector<double>{-1e308, std::nan(""), inf, 1e308}) == "▁  █");
  Life life(rule_named("A"));
  for (int i = 0; i < 40; ++i) life.observe(i * 15s, {{"web", i}});
  CHECK(life.only().values.size() == kMostValues);
  CHECK(life.only().values.back() == 39);
}

// ---- Flapping.

TEST_CASE("changes weigh from 0.8 to 1.2, and all of them together are one") {
  CHECK(flapping_share(0) == 0);
  CHECK(flapping_share(looks_of(true)) == 0);
  std::uint32_t looks = 0;
  for (int i = 0; i < kFlapLooks; ++i) looks = with_look(looks, i % 2 == 0);
  CHECK(flapping_share(looks) == doctest::Approx(1.0));
  CHECK(flapping_share(1) == doctest::Approx(1.2 / 20));
  CHECK(flapping_share(1U << 20) == doctest::Approx(0.8 / 20));
}

TEST_CASE("an alert that comes and goes becomes one that fires, until it keeps still") {
  Life life(rule_named("A"));
  std::size_t sent = 0;
  Duration now = 0s;
  const auto step = [&](bool there) {
    now += 15s;
    if (there) {
      life.observe(now, {{"web", 1}});
    } else {
      life.observe(now, {});
    }
    sent += life.due(now, 1h);
  };
  for (int i = 0; i < 200; ++i) step(i % 2 == 0);
  CHECK(sent <= 14);  // Of two hundred.
  REQUIRE(life.only().flapping_since.has_value());
  CHECK(life.tracker.state() == State::Firing);
  for (int i = 0; i < 30; ++i) step(false);
  CHECK(life.tracker.state() == State::Inactive);
  CHECK_FALSE(life.only().flapping_since.has_value());
}

TEST_CASE("an alert flaps, too, that is pending in between and does not always fire") {
  Life life(rule_named("A", 15s));
  Duration now = 0s;
  for (int i = 0; i < 50; ++i) {  // There, there, gone, there, gone: it fires every other time.
    now += 15s;
    const bool there = i % 5 == 0 || i % 5 == 1 || i % 5 == 3;
    if (there) {
      life.observe(now, {{"web", 1}});
    } else {
      life.observe(now, {});
    }
  }
  REQUIRE(life.tracker.alerts().size() == 1);
  CHECK(life.only().flapping_since.has_value());
  CHECK(life.tracker.state() == State::Firing);
}

TEST_CASE("an alert that has ended, and then was only pending, is told as one that has ended") {
  Life life(rule_named("A", 2min));
  life.observe(0min, {{"web", 1}});
  life.observe(2min, {{"web", 1}});
  CHECK(life.due(2min) == 1);
  life.observe(3min, {});
  CHECK(life.due(3min) == 1);
  CHECK(life.observe(5min, {{"web", 1}}) == "web: inactive>pending");
  CHECK(life.due(5min) == 0);
  SUBCASE("and is not news") {
    CHECK(life.observe(6min, {}) == "web: pending>inactive");
    CHECK(life.due(6min, 1h) == 0);
    CHECK(life.due(6min) == 1);
    CHECK(*life.only().fired_at == at(2min));
    CHECK(*life.only().resolved_at == at(3min));
    life.observe(19min, {});
    CHECK(life.tracker.alerts().empty());
  }
  SUBCASE("until it fires again") {
    CHECK(life.observe(7min, {{"web", 1}}) == "web: pending>firing");
    CHECK(life.due(7min) == 1);
    CHECK(*life.only().fired_at == at(7min));
    CHECK_FALSE(life.only().resolved_at.has_value());
  }
  SUBCASE("or its rule goes") {
    CHECK(life.tracker.retire(at(6min)).size() == 1);
    CHECK(life.due(6min, 1h) == 0);
    CHECK(*life.only().resolved_at == at(3min));
  }
}

TEST_CASE("an alert that changes now and then does not flap") {
  Life life(rule_named("A"));
  Duration now = 0s;
  for (int i = 0; i < 200; ++i) {
    now += 15s;
    if (i / 10 % 2 == 0) {
      life.observe(now, {{"web", 1}});
    } else {
      life.observe(now, {});
    }
    if (!life.tracker.alerts().empty()) CHECK_FALSE(life.only().flapping_since.has_value());
  }
}

}  // namespace
}  // namespace tocsin::alert
