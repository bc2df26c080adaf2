// SPDX-License-Identifier: Apache-2.0
//
// With TOCSIN_PAGE_DIR set, the pages are also written there, to be looked at in a browser.
#include "api/page.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "support/fake_backend.h"

namespace tocsin::api {
namespace {

using namespace std::chrono_literals;
using testing::FakeBackend;

constexpr std::size_t kMostBytes = 30 * 1024;

std::string render(const FakeBackend& b, const std::string& name) {
  std::string page = html_page(take_page_snapshot(b));
  if (const char* folder = std::getenv("TOCSIN_PAGE_DIR")) {
    std::ofstream(std::string(folder) + "/" + name + ".html") << page;
  }
  return page;
}

bool has(const std::string& page, const std::string& text) {
  return page.find(text) != std::string::npos;
}

alert::Alert firing(const Labels& labels, const std::string& summary, Duration age) {
  alert::Alert alert;
  alert.labels = labels;
  alert.annotations = {{"summary", summary}};
  alert.state = alert::State::Firing;
  alert.active_at = FakeBackend::kNow - age - 2min;
  alert.fired_at = FakeBackend::kNow - age;
  return alert;
}

RuleStatus status_of(std::shared_ptr<const rule::Rule> rule) {
  RuleStatus out;
  out.rule = std::move(rule);
  out.health = RuleHealth::Ok;
  return out;
}

GroupStatus group_of(const std::string& name, double seconds, std::vector<RuleStatus> rules) {
  GroupStatus out;
  out.file = "rules/linkerd/" + name + ".yaml";
  out.name = name;
  out.interval = 15s;
  out.evaluation_seconds = seconds;
  out.last_evaluation = FakeBackend::kNow - 4s;
  out.iterations = 400;
  out.rules = std::move(rules);
  return out;
}

// A mesh in which nothing is wrong.
void make_calm(FakeBackend& b) {
  b.info.external_labels = {{"cluster", "prod-eu"}};
  b.info.state.is_kept = true;
  b.all_groups = {
      group_of("golden-signals", 0.0011,
               {status_of(testing::alerting_rule("SuccessRateLow", "a < 0.99", 2min)),
                status_of(testing::alerting_rule("LatencyHigh", "b > 0.5", 2min))}),
      group_of("control-plane", 0.0004,
               {status_of(testing::alerting_rule("ControlPlaneDown", "up == 0", 1min))}),
      group_of("certificates", 0.0002,
               {status_of(testing::alerting_rule("CertificateExpiring", "x < 25200"))})};
  for (int i = 1; i < 25; ++i) {
    b.all_targets.push_back(testing::target(
        "linkerd-proxy", "10.0.0." + std::to_string(i) + ":4191", source::Health::Up));
  }
  b.all_targets.push_back(
      testing::target("linkerd-controller", "10.0.1.7:9996", source::Health::Up));
  b.all_receivers = {{"alertmanager http://am-0:9093", {.sent = 41}},
                     {"alertmanager http://am-1:9093", {.sent = 41}},
                     {"oncall", {.sent = 12}}};
  for (source::TargetStatus& status : b.all_targets) {
    status.last_samples = 12'000;
    status.last_kept = 4200;
    status.history = 66min;
  }
  b.all_kept = testing::kept_metrics();
  b.scraping.scrapes = 1;
  b.sample({{"__name__", "up"}}, 1);
}

void add_alerts(FakeBackend& b) {
  auto& golden = b.all_groups[0].rules;
  alert::Alert web = firing({{"alertname", "SuccessRateLow"},
                             {"severity", "critical"},
                             {"namespace", "shop"},
                             {"deployment", "web"}},
                            "web in shop: only 87.31% of requests succeed", 12min + 4s);
  web.value = 0.8731;
  web.annotations["value"] = "87.31%";
  web.annotations["threshold"] = "99%";
  web.annotations["description"] =
      "Of the requests to web in shop, 87.31% succeeded over the last 5m, as its own proxies "
      "counted them. At least 99% should.";
  web.annotations["runbook_url"] = "https://runbooks.example.org/mesh/success-rate";
  alert::Alert slow = firing({{"alertname", "LatencyHigh"},
                              {"severity", "warning"},
                              {"namespace", "shop"},
                              {"service", "checkout"},
                              {"route", "POST /orders/{id}"}},
                             "route POST /orders/{id} of service checkout in shop: slow, p99 is "
                             "1.84s",
                             40s);
  slow.annotations["value"] = "1.84s";
  slow.annotations["threshold"] = "500ms";
  slow.blind =
      alert::Blindness{FakeBackend::kNow - 30s,
                       {"target t", "target http://10.0.0.9:4191/metrics cannot be scraped."}};
  alert::Alert bare = firing({{"alertname", "QueueLong"}, {"namespace", "shop"}}, "", 26h);
  bare.annotations.clear();
  bare.value = 1234.5678;
  golden[0].alerts = {web};
  golden[0].state = alert::State::Firing;
  golden[1].alerts = {slow, bare};
  golden[1].state = alert::State::Firing;
  alert::Alert pending = web;
  pending.state = alert::State::Pending;
  pending.fired_at.reset();
  pending.active_at = FakeBackend::kNow - 45s;
  pending.labels = Labels{{"alertname", "SuccessRateLow"},
                          {"severity", "critical"},
                          {"namespace", "shop"},
                          {"statefulset", "cart-db"}};
  golden[0].alerts.push_back(pending);
}

void add_trouble(FakeBackend& b) {
  b.all_groups[2].rules[0].health = RuleHealth::Failing;
  b.all_groups[2].rules[0].last_error =
      "found duplicate series for the match group {pod=\"web-1\"} on the right hand-side of the "
      "operation: many-to-many matching not allowed";
  b.all_groups[0].iterations_missed = 3;
  b.all_targets[8].health = source::Health::Down;
  b.all_targets[8].last_error = "connection refused";
  b.all_receivers[1].stats = {.sent = 38, .failed = 9, .waiting = 3};
  b.all_receivers[1].stats.last_error = "503 Service Unavailable";
  b.info.reload.successful = false;
  b.info.reload.error =
      "tocsin.yaml:14:5: error: unknown key 'scrape_intervall' [yaml/unknown-key]\n"
      "    scrape_intervall: 10s\n    ^^^^^^^^^^^^^^^^\n  hint: did you mean 'scrape_interval'?\n";
}

TEST_CASE("a quiet mesh is reported calmly") {
  FakeBackend b;
  make_calm(b);
  const std::string page = render(b, "calm");
  CHECK(has(page, "<h1>Nothing is firing</h1>"));
  CHECK(has(page, "4 rules in 3 groups, last evaluated 4s ago. 25 of 25 targets up."));
  CHECK(has(page, "24 of 24 up"));
  CHECK_FALSE(has(page, "class=\"problems\""));
  CHECK_FALSE(has(page, "Pending"));
  CHECK(has(page, "cluster prod-eu"));
  CHECK(page.size() < kMostBytes);
}

TEST_CASE("a card leads where the configuration's links lead, unless the rule knows better") {
  FakeBackend b;
  make_calm(b);
  alert::Alert alert = firing({{"alertname", "SuccessRateLow"}}, "it fails", 1h);
  alert.annotations["logs"] = "https://own.example.org/";
  b.all_groups[0].rules[0].alerts = {alert};
  b.links = {{"logs", "https://logs.example.org/?ns=shop"},
             {"traces", "https://traces.example.org/?a=1&b=2"}};
  const std::string page = render(b, "links");
  CHECK(has(page, "href=\"https://own.example.org/\""));
  CHECK_FALSE(has(page, "logs.example.org"));
  CHECK(has(page, "href=\"https://traces.example.org/?a=1&amp;b=2\""));
}

TEST_CASE("the page tells what waits for a receiver from what it has refused") {
  FakeBackend b;
  make_calm(b);
  b.all_receivers[1].stats = {.sent = 38, .failed = 9, .given_up = 1, .refused = 1};
  b.all_receivers[1].stats.last_error = "status 404";
  CHECK(has(render(b, "refused"),
            "status 404; 0 messages waiting, 1 refused and offered again now and then."));
}

TEST_CASE("a heartbeat is no alarm") {
  FakeBackend b;
  make_calm(b);
  b.all_groups[1].rules[0].alerts = {
      firing({{"alertname", "TocsinHeartbeat"}, {"severity", "none"}}, "it beats", 1h)};
  const std::string page = render(b, "heartbeat");
  CHECK(has(page, "<h1>Nothing is firing</h1>"));
  CHECK(has(page, "The heartbeat beats."));
  CHECK_FALSE(has(page, "it beats"));
}

TEST_CASE("the page tells what happened lately, the newest first") {
  FakeBackend b;
  make_calm(b);
  const auto entry = [](Duration age, alert::State from, alert::State to, const char* summary) {
    return state::HistoryEntry{
        FakeBackend::kNow - age, "SuccessRateLow", from, to, Labels{{"a", "b"}}, 0.5, summary};
  };
  using alert::State;
  b.all_history = {entry(1min, State::Firing, State::Inactive, "it fails <b>"),
                   entry(5min, State::Pending, State::Firing, "it fails <b>"),
                   entry(7min, State::Inactive, State::Pending, "not yet")};
  const std::string page = render(b, "history");
  const std::size_t resolved = page.find("resolved</span> SuccessRateLow");
  const std::size_t fired = page.find("firing</b> SuccessRateLow");
  REQUIRE(fired != std::string::npos);
  CHECK(resolved < fired);
  CHECK(has(page, "it fails &lt;b&gt;"));
  CHECK(has(page, "5m ago"));
  CHECK_FALSE(has(page, "not yet"));
}

TEST_CASE("trouble with the disk, and state that was damaged, stand at the top") {
  FakeBackend b;
  make_calm(b);
  b.info.state.works = false;
  b.info.state.error = "database or disk is full";
  b.info.state.since = FakeBackend::kNow - 3min;
  CHECK(has(render(b, "disk"), "State cannot be written to disk."));
  CHECK(has(render(b, "disk"), "database or disk is full. It began 3m ago"));
  b.info.state.works = true;
  b.info.state.was_set_aside = true;
  CHECK(has(render(b, "damaged"), "State was damaged at start."));
}

TEST_CASE("a takeover, and a replica that does not answer, stand at the top") {
  FakeBackend b;
  make_calm(b);
  ReplicaStatus& replica = b.info.replica.emplace();
  replica.peer = "http://first:9467";
  replica.peer_error = "has not been asked yet";
  CHECK_FALSE(has(render(b, "replica"), "does not answer."));
  replica.was_asked = true;
  replica.peer_error = "connection refused";
  CHECK(has(render(b, "replica"),
            "<b>The first replica does not answer.</b> http://first:9467: connection "
            "refused. This one tells if that lasts."));
  replica.tells = true;
  replica.took_over = FakeBackend::kNow - 3min;
  CHECK(has(render(b, "replica"),
            "<b>This standby tells the receivers.</b> It took the place of the first replica "
            "3m ago. http://first:9467: connection refused."));
  replica.peer_error.clear();
  CHECK(has(render(b, "replica"), "3m ago. http://first:9467 evaluates no rules."));
  replica = {true, true, "http://standby:9467", true, "timeout", std::nullopt, 0};
  CHECK(has(render(b, "replica"),
            "<b>The standby does not answer.</b> http://standby:9467: timeout. Nobody goes "
            "on if this one ends."));
}

TEST_CASE("the page says how much is kept, and who asked for it") {
  FakeBackend b;
  make_calm(b);
  const std::string page = render(b, "calm");
  CHECK(has(page, "105000 of 300000 lines of the last scrapes are kept."));
  CHECK(has(page, "up to 1h 6m, for <code>response_total</code> in TrafficSpike."));
  CHECK(has(page, ">7200</td><td class=\"n\">1h 5m</td>"));
  CHECK(has(page, "TrafficSpike <span>golden-signals</span><br>SuccessRateLow "));
  CHECK(has(page, "<span>and 2 more</span>"));
  CHECK(has(page, "nobody any more"));
  CHECK(has(page, "and who asked for it</a>: 8, of which 1 asked for and not here"));
  CHECK_FALSE(has(page, "request_errors_total"));
}

TEST_CASE("the page of what is kept leaves nothing out, and stays as it is while one reads it") {
  FakeBackend b;
  make_calm(b);
  for (int i = 0; i < 100; ++i) {
    b.all_kept.insert(b.all_kept.begin() + 6, {"small_" + std::to_string(i), 1, 5min, {}});
  }
  const std::string page = kept_html(take_snapshot(b));
  if (const char* folder = std::getenv("TOCSIN_PAGE_DIR")) {
    std::ofstream(std::string(folder) + "/kept.html") << page;
  }
  CHECK_FALSE(has(page, "http-equiv"));
  CHECK(has(page,
            "SuccessRateLow <span title=\"group "
            "golden-signals\">rules/linkerd/golden-signals.yaml:17, 5m"));
  CHECK(has(page, "keep: <code>{__name__=~&quot;tcp_.+&quot;}</code>"));
  CHECK(has(
      page,
      "recorded here <span title=\"group golden-signals\">rules/linkerd/golden-signals.yaml:31<"));
  CHECK(has(page, "<summary>57 metrics with fewer series</summary>"));
  CHECK(has(page, "1 metric that is asked for and not here"));
  for (const api::KeptMetric& metric : b.all_kept) CHECK(has(page, ">" + metric.name + "<"));
}

TEST_CASE("where nothing is kept, nothing is said about it") {
  FakeBackend b;
  make_calm(b);
  b.all_kept.clear();
  CHECK_FALSE(has(render(b, "nothing"), "What is kept"));
}

TEST_CASE("silence is called calm only where Tocsin can see and tell") {
  struct Case {
    const char* headline;
    void (*change)(FakeBackend& b);
  };
  const Case cases[] = {
      {"as far as Tocsin can see", [](FakeBackend& b) { b.info.reload.successful = false; }},
      {"as far as Tocsin can see", [](FakeBackend& b) { b.info.rule_problems = "x.yaml:1:1"; }},
      {"as far as Tocsin can see", [](FakeBackend& b) { b.info.prometheus_error = "refused"; }},
      {"as far as Tocsin can see",
       [](FakeBackend& b) { b.all_groups[0].rules[0].health = RuleHealth::Failing; }},
      {"as far as Tocsin can see",
       [](FakeBackend& b) { b.all_targets[0].health = source::Health::Down; }},
      {"as far as Tocsin can see",
       [](FakeBackend& b) { b.all_receivers[0].stats.last_error = "refused"; }},
      {"no rules are loaded", [](FakeBackend& b) { b.all_groups.clear(); }},
      {"Starting", [](FakeBackend& b) { b.is_ready_now = false; }},
  };
  for (const Case& c : cases) {
    FakeBackend b;
    make_calm(b);
    c.change(b);
    const std::string page = render(b, "uneasy");
    CHECK(has(page, c.headline));
    CHECK_FALSE(has(page, "<h1>Nothing is firing</h1>"));
  }
}

TEST_CASE("what fires is told with its age, its place, its value and its worth") {
  FakeBackend b;
  make_calm(b);
  add_alerts(b);
  const std::string page = render(b, "firing");
  CHECK(has(page, "<title>(3) Tocsin</title>"));
  CHECK(has(page, "<h1>3 alerts firing</h1>"));
  CHECK(has(page, "The newest since 17:41:20 UTC, the oldest since 2026-11-21 15:42:00 UTC."));
  CHECK(has(page, "web in shop: only 87.31% of requests succeed"));
  CHECK(has(page, "<b>12m 4s</b>"));
  CHECK(has(page, ">17:29:56 UTC</time>"));
  CHECK(has(page, ">2026-11-21 15:42:00 UTC</time>"));
  CHECK(has(page, "<span>deployment</span>web"));
  CHECK(has(page, "<span>route</span>POST /orders/{id}"));
  CHECK(has(page, "<li class=\"value\">87.31%<span>threshold 99%</span>"));
  CHECK(has(page, "href=\"https://runbooks.example.org/mesh/success-rate\""));
  CHECK(has(page, "Cannot be seen for 30s."));
  CHECK(has(page, "cannot be scraped."));
  CHECK(has(page, "b &gt; 0.5"));  // An alert without words shows its expression.
  CHECK(has(page, "<li class=\"value\">1235</li>"));  // And its value in four digits.
  CHECK(has(page, "1 alert pending."));
  CHECK(has(page, "in 1m 15s"));
  // Critical comes before warning, whatever its age.
  CHECK(page.find("only 87.31%") < page.find("p99 is 1.84s"));
  CHECK(page.size() < kMostBytes);
}

TEST_CASE("an alert that nobody is told of says until when, by whom and why") {
  FakeBackend b;
  make_calm(b);
  add_alerts(b);
  CHECK_FALSE(has(render(b, "firing"), "Silenced"));
  for (const auto& group : b.all_groups) {
    for (const auto& rule : group.rules) {
      for (const auto& alert : rule.alerts) {
        b.mutes[alert.labels] = {notify::MuteReason::Silence, "by alice: <we know>",
                                 FakeBackend::kNow + 1h, "id"};
      }
    }
  }
  const std::string page = render(b, "silenced");
  CHECK(has(page, "<b>Silenced</b> until <time datetime=\"2026-11-22T18:42:00.000Z\">"));
  CHECK(has(page, "by alice: &lt;we know&gt;"));
}

TEST_CASE("what keeps Tocsin from its work stands at the top, and beside what it is about") {
  FakeBackend b;
  make_calm(b);
  add_alerts(b);
  add_trouble(b);
  const std::string page = render(b, "trouble");
  CHECK(has(page, "The new configuration was refused."));
  CHECK(has(page, "hint: did you mean &#39;scrape_interval&#39;?"));
  CHECK(has(page, "1 rule cannot be evaluated."));
  CHECK(has(page, "many-to-many matching not allowed"));
  CHECK(has(page, "http://10.0.0.9:4191/metrics: connection refused"));
  CHECK(has(page, "Notifications do not reach alertmanager http://am-1:9093."));
  CHECK(has(page, "<b class=\"warn\">3</b>"));
  CHECK(has(page, "1 down"));
  CHECK(page.find("was refused.") < page.find("class=\"alert"));
  CHECK(page.size() < kMostBytes);
}

TEST_CASE("a storm of alerts does not make an endless page") {
  FakeBackend b;
  make_calm(b);
  add_alerts(b);
  auto& alerts = b.all_groups[0].rules[0].alerts;
  const alert::Alert one = alerts[0];
  const alert::Alert pending = alerts[1];
  for (int i = 0; i < 2000; ++i) {
    alerts.push_back(one);
    alerts.push_back(pending);
  }
  for (source::TargetStatus& status : b.all_targets) {
    status.health = source::Health::Down;
    status.last_error = std::string(5000, 'x');
  }
  const std::string page = render(b, "storm");
  CHECK(has(page, "2003 alerts firing"));
  CHECK(has(page, "and 1983 more"));
  CHECK(page.size() < 3 * kMostBytes);
}

TEST_CASE("no text from outside becomes markup") {
  const std::string evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;";
  FakeBackend b;
  make_calm(b);
  add_alerts(b);
  add_trouble(b);
  const std::size_t tags = [&] {
    const std::string page = render(b, "trouble");
    return static_cast<std::size_t>(std::count(page.begin(), page.end(), '<'));
  }();
  b.info.external_labels["cluster"] = evil;
  b.info.reload.error = evil;
  for (GroupStatus& group : b.all_groups) {
    group.name = group.file = evil;
    for (RuleStatus& rule : group.rules) {
      auto changed = std::make_shared<rule::Rule>(*rule.rule);
      changed->name = changed->expr_text = evil;
      rule.rule = changed;
      if (!rule.last_error.empty()) rule.last_error = evil;
      for (alert::Alert& alert : rule.alerts) {
        LabelsBuilder builder;
        for (const LabelView& label : alert.labels) builder.set(label.name, evil);
        alert.labels = builder.build();
        for (auto& [name, text] : alert.annotations) text = evil;
        if (alert.blind) alert.blind->obstacle.reason = evil;
      }
    }
  }
  for (source::TargetStatus& status : b.all_targets) {
    status.target.url = evil;
    if (!status.last_error.empty()) status.last_error = evil;
  }
  for (KeptMetric& metric : b.all_kept) {
    metric.name = evil;
    for (KeepReason& reason : metric.reasons) reason.name = reason.file = evil;
  }
  const std::string kept = kept_html(take_snapshot(b));
  CHECK_FALSE(has(kept, "<script"));
  CHECK_FALSE(has(kept, "<img"));
  for (auto& receiver : b.all_receivers) {
    receiver.name = evil;
    if (!receiver.stats.last_error.empty()) receiver.stats.last_error = evil;
  }
  const std::string page = render(b, "evil");
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "<img"));
  CHECK_FALSE(has(page, "'>"));
  // Nothing but the link, which is no link any more, and texts that now equal the summary.
  CHECK(static_cast<std::size_t>(std::count(page.begin(), page.end(), '<')) <= tags);
}

TEST_CASE("only web addresses become links") {
  FakeBackend b;
  make_calm(b);
  add_alerts(b);
  b.all_groups[0].rules[0].alerts[0].annotations["runbook_url"] = "javascript:alert(1)";
  const std::string page = render(b, "links");
  CHECK_FALSE(has(page, "href=\"javascript"));
  CHECK(has(page, "runbook: javascript:alert(1)"));
}

}  // namespace
}  // namespace tocsin::api
