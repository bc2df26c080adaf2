// SPDX-License-Identifier: Apache-2.0
//
// From a page to what receivers are sent, on a virtual clock: scrapes, store, rules, outlook and
// outgoing alerts are the daemon's own.
#include <doctest/doctest.h>

#include "daemon/config.h"
#include "daemon/eyesight.h"
#include "daemon/outgoing.h"
#include "daemon/outlook.h"
#include "daemon/query_desk.h"
#include "daemon/rule_engine.h"
#include "source/scraper.h"
#include "support/executors.h"
#include "support/fake_web.h"
#include "support/manual_clock.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Duration kInterval = 15s;
constexpr EngineDefaults kDefaults{kInterval, 0s, 1min};
const std::string kUrl = "http://web:4191/metrics";

struct Sent {
  Timestamp at;
  notify::OutgoingAlert alert;
};

class World {
 public:
  World() {
    GroupParts parts{clock, clock, evaluator, writer, {}, {}, {}, {}, {}};
    parts.surroundings = [this](const auto& rule, Timestamp at) {
      return outlook.surroundings(rule, at, "");
    };
    parts.look_around = [this](const auto& rules, Timestamp at, auto then) {
      outlook.look_around(rules, at, std::move(then));
    };
    parts.on_transitions = [](const auto&, const auto&) {};
    parts.on_due = [this](const rule::Rule& rule, Timestamp at, Duration interval,
                          const auto& due) {
      const Timestamp until = alert::valid_until(at, interval, kDefaults.resend_delay);
      for (const alert::Alert& alert : due) {
        sent.push_back({at, make_outgoing(rule, alert, {{}, "", {}, clock.now(), until})});
      }
    };
    parts.on_unsaved = [this](const rule::Rule& rule, const auto& unsaved) {
      for (const Labels& labels : unsaved.gone) saved.erase(labels);
      for (const alert::Alert& alert : unsaved.changed) {
        saved[alert.labels] = {rule.id, rule.content_id, rule.name, alert};
      }
    };
    engine.emplace(std::move(parts));
  }

  // What a process leaves behind that is killed at this moment.
  struct Left {
    std::map<Labels, state::SavedAlert> alerts;
    source::JobsSeen jobs;
    Timestamp at;
  };
  Left left() const { return {saved, scraper.jobs_seen(), clock.now()}; }

  // Begins with what another process has left.
  void run(const std::string& yaml, const Left& left, const std::vector<std::string>& targets) {
    clock.advance(left.at - clock.now());
    scraper.remember(left.jobs);
    run(yaml, targets);
    std::vector<state::SavedAlert> alerts;
    for (const auto& [labels, alert] : left.alerts) alerts.push_back(alert);
    engine->restore(std::move(alerts), {});
  }

  void run(const std::string& yaml, const std::vector<std::string>& targets = {"web:4191"}) {
    const std::vector<rule::SourceFile> files{{"rules.yaml", yaml}};
    const auto loaded = rule::load(files);
    REQUIRE_MESSAGE(loaded.diagnostics.empty(), loaded.diagnostics.text());
    outlook.use(config_with(targets), loaded.rules);
    needs = rule::required_needs(loaded.rules);
    discover(targets);
    engine->apply(loaded.rules, kDefaults);
    engine->start();
  }

  static Config config_with(const std::vector<std::string>& targets) {
    Config config;
    source::ScrapeConfig job{.job_name = "proxies", .scrape_interval = kInterval};
    job.static_configs = {{.targets = targets}};
    config.scrape_configs = {job};
    return config;
  }
  void discover(const std::vector<std::string>& targets) {
    REQUIRE(scraper.apply(config_with(targets).scrape_configs, needs));
  }

  void say(const std::string& page) { web.on_page(kUrl, page); }
  void fail_scrapes() {
    web.on(kUrl, [](const auto&) { return net::HttpResponse{.status = 500}; });
  }

  void pass(Duration time) {
    for (Duration passed{0}; passed < time; passed += 500ms) {
      clock.advance(500ms);
      queue.run();
    }
  }

  // What is sent meanwhile.
  std::vector<Sent> sent_in(Duration time) {
    sent.clear();
    pass(time);
    return std::move(sent);
  }

  testing::ManualClock clock;
  testing::QueueExecutor queue;
  testing::FakeWeb web{queue};
  store::Store store;
  source::Scraper scraper{{clock, clock, queue, queue, web, store},
                          [](const std::string&) -> Result<std::vector<source::TargetGroup>> {
                            return std::vector<source::TargetGroup>{};
                          }};
  SeriesWriter writer{store, queue, queue};
  StoreEvaluator evaluator{{store, queue, queue, &clock}};
  QueryDesk queries{{store, queue, queue, &clock}, clock, clock};
  Outlook outlook{queries, [this] { return scraper.targets_to_see(); }};
  std::vector<promql::Need> needs;
  std::vector<Sent> sent;
  std::map<Labels, state::SavedAlert> saved;
  std::optional<RuleEngine> engine;
};

TEST_CASE("an alert outlives ten minutes without a scrape, says so, and ends with fresh data") {
  World w;
  w.say("fault 1\n");
  w.run("groups: [{name: g, rules: [{alert: Fault, expr: fault > 0, for: 30s}]}]");
  const auto before = w.sent_in(5min);
  REQUIRE_FALSE(before.empty());
  const Timestamp since = before.front().alert.starts_at;
  CHECK_FALSE(before.back().alert.blind);

  w.fail_scrapes();
  const auto during = w.sent_in(10min);
  REQUIRE(during.size() >= 8);  // Every minute and some.
  Timestamp believed_until = before.back().alert.ends_at;
  for (const Sent& one : during) {
    CHECK_FALSE(one.alert.resolved);
    CHECK(one.alert.starts_at == since);
    CHECK(one.alert.ends_at > believed_until);
    CHECK(one.at < believed_until);  // Before an Alertmanager would take it for over.
    believed_until = one.alert.ends_at;
  }
  const notify::OutgoingAlert& last = during.back().alert;
  CHECK(last.blind);
  CHECK(last.annotations.at("blind").find("web:4191/metrics cannot be scraped") !=
        std::string::npos);

  // Fresh data that says that it lasts: no longer blind.
  w.say("fault 1\n");
  const auto seen = w.sent_in(3min);
  REQUIRE_FALSE(seen.empty());
  CHECK_FALSE(seen.back().alert.resolved);
  CHECK_FALSE(seen.back().alert.blind);

  w.say("fault 0\n");
  const auto after = w.sent_in(1min);
  REQUIRE_FALSE(after.empty());
  CHECK(after.back().alert.resolved);
  CHECK(after.back().alert.starts_at == since);
}

// An instant selector looks back five minutes: until then something of the gap could still be in
// sight.
TEST_CASE("a fault that ends unseen ends once fresh data covers all that the rule looks back at") {
  World w;
  w.say("fault 1\n");
  w.run("groups: [{name: g, rules: [{alert: Fault, expr: fault > 0}]}]");
  w.pass(10min);
  w.fail_scrapes();
  for (const Sent& one : w.sent_in(10min)) CHECK_FALSE(one.alert.resolved);
  w.say("fault 0\n");
  for (const Sent& one : w.sent_in(4min)) CHECK_FALSE(one.alert.resolved);
  const auto after = w.sent_in(2min);
  REQUIRE_FALSE(after.empty());
  CHECK(after.back().alert.resolved);
}

// The window that hides the restart itself is over after five minutes.
TEST_CASE("a kill while discovery names no target does not make an alert end") {
  const std::string rules = "groups: [{name: g, rules: [{alert: Fault, expr: fault > 0}]}]";
  World before;
  before.say("fault 1\n");
  before.run(rules);
  before.pass(10min);
  SUBCASE("discovery had failed before") {
    before.discover({});
    for (const Sent& one : before.sent_in(20min)) CHECK_FALSE(one.alert.resolved);
  }
  SUBCASE("discovery fails with the restart") {}
  World w;
  w.say("fault 0\n");
  w.run(rules, before.left(), {});
  const auto during = w.sent_in(30min);
  REQUIRE(during.size() >= 20);
  for (const Sent& one : during) CHECK_FALSE(one.alert.resolved);
  CHECK(during.back().alert.annotations.at("blind").find("no target of the job 'proxies'") !=
        std::string::npos);
  // What the job never had, it hides nothing of.
  const Eyesight eyes(w.scraper.targets_to_see());
  const Labels any{{"alertname", "A"}};
  CHECK(eyes.why_blind({{"fault"}, false}, any).has_value());
  CHECK_FALSE(eyes.why_blind({{"elsewhere"}, false}, any).has_value());
  SUBCASE("fresh data ends it") {
    w.discover({"web:4191"});
    const auto after = w.sent_in(10min);
    REQUIRE_FALSE(after.empty());
    CHECK(after.back().alert.resolved);
  }
  SUBCASE("an hour without any target ends it") {
    const auto after = w.sent_in(35min);
    REQUIRE_FALSE(after.empty());
    CHECK(after.back().alert.resolved);
  }
}

}  // namespace
}  // namespace tocsin::daemon
