// SPDX-License-Identifier: Apache-2.0
#include "notify/notifier.h"

#include <doctest/doctest.h>

#include <set>

#include "support/fake_http.h"
#include "support/manual_clock.h"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

OutgoingAlert alert(const char* deployment, bool resolved = false) {
  OutgoingAlert a;
  a.labels = Labels{{"alertname", "SuccessRateLow"}, {"deployment", deployment}};
  a.annotations = {{"summary", "it fails"}};
  a.starts_at = kStart;
  a.ends_at = kStart + 4min;
  a.resolved = resolved;
  a.generator_url = "http://tocsin/g";
  a.decided_at = kStart;
  return a;
}

struct World {
  testing::ManualClock clock{kStart};
  testing::FakeHttp http;
  Notifier notifier;

  explicit World(NotifyConfig config, Outbox* outbox = nullptr)
      : notifier({http, clock, clock, [] { return 0.0; }, {}, outbox}, std::move(config)) {}
};

// An outbox whose disk works when the test says so. It outlives the worlds that write to it.
struct FakeOutbox : Outbox {
  std::map<std::pair<std::string, std::string>, WrittenMessage> messages;
  std::map<std::string, std::string> groups;
  std::map<std::string, std::string> silences;
  std::vector<std::function<void()>> unwritten;
  int group_writes = 0;

  void put(WrittenMessage message, std::function<void()> written) override {
    messages[{message.receiver, message.key}] = message;
    unwritten.push_back(std::move(written));
  }
  void remove(const std::string& receiver, const std::string& key) override {
    messages.erase({receiver, key});
  }
  void put_group(const std::string& key, std::string content) override {
    groups[key] = std::move(content);
    ++group_writes;
  }
  void remove_group(const std::string& key) override { groups.erase(key); }
  void put_silence(const std::string& id, std::string content,
                   std::function<void()> done) override {
    silences[id] = std::move(content);
    unwritten.push_back(std::move(done));
  }
  void remove_silence(const std::string& id) override { silences.erase(id); }

  void write_all() {
    for (const auto& call : std::exchange(unwritten, {})) call();
  }
  Notifier::Written written() const {
    Notifier::Written out;
    for (const auto& [key, message] : messages) out.messages.push_back(message);
    out.groups = groups;
    out.silences = silences;
    return out;
  }
};

NotifyConfig two_alertmanagers() {
  NotifyConfig config;
  config.alertmanagers = {{"http://am1:9093/prefix", 10s, {}}, {"http://am2:9093", 10s, {}}};
  return config;
}

NotifyConfig one_webhook() {
  NotifyConfig config;
  ReceiverConfig receiver;
  receiver.name = "chat";
  ChannelConfig webhook;
  webhook.url.text = "http://chat/hook";
  receiver.channels.push_back(webhook);
  config.receivers = {receiver};
  config.route = RouteConfig{};
  config.route->receiver = "chat";
  config.route->group_by = {"alertname"};
  config.external_url = "http://tocsin";
  return config;
}

TEST_CASE("every Alertmanager gets every alert, in the shape of its API") {
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  REQUIRE(w.http.open() == 2);
  const auto first = w.http.answer(200);
  CHECK(first.method == "POST");
  CHECK(first.url == "http://am1:9093/prefix/api/v2/alerts");
  CHECK(first.body ==
        R"([{"labels":{"alertname":"SuccessRateLow","deployment":"web"},)"
        R"("annotations":{"summary":"it fails"},"startsAt":"2026-11-22T17:42:00.000Z",)"
        R"("endsAt":"2026-11-22T17:46:00.000Z","generatorURL":"http://tocsin/g"}])");
  CHECK(w.http.answer(200).url == "http://am2:9093/api/v2/alerts");
  CHECK(w.notifier.receivers()[0].stats.sent == 1);
}

TEST_CASE("what cannot be delivered is tried again, with growing pauses") {
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  w.http.refuse();
  w.http.answer(200);  // The other one is not held up.
  CHECK(w.notifier.receivers()[0].stats.last_error == "connection refused");
  CHECK(w.notifier.receivers()[0].stats.waiting == 1);
  w.clock.advance(1s);
  REQUIRE(w.http.open() == 1);
  w.http.answer(503);
  w.clock.advance(1s);
  CHECK(w.http.open() == 0);
  w.clock.advance(1s);
  REQUIRE(w.http.open() == 1);
  w.http.answer(200);
  CHECK(w.notifier.receivers()[0].stats.waiting == 0);
  CHECK(w.notifier.receivers()[0].stats.failed == 2);
  CHECK(w.notifier.receivers()[0].stats.last_error.empty());
}

TEST_CASE("an Alertmanager that was away hears of an alert before it stops believing it") {
  NotifyConfig config = two_alertmanagers();
  config.alertmanagers.pop_back();
  config.resend_delay = 1min;
  World w(config);
  w.notifier.send({alert("web")});
  for (Duration gone{0}; gone < 1h; gone += 1s) {
    if (w.http.open() > 0) w.http.refuse();
    w.clock.advance(1s);
  }
  Duration waited{0};
  for (; w.http.open() == 0; waited += 1s) w.clock.advance(1s);
  CHECK(waited <= 1min);
}

TEST_CASE("a newer state replaces the one that waits") {
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  w.notifier.send({alert("web", true), alert("api")});
  w.http.refuse();
  w.http.refuse();
  w.clock.advance(1s);
  REQUIRE(w.http.open() == 2);
  CHECK(w.notifier.receivers()[0].stats.waiting == 2);
}

TEST_CASE("Retry-After is obeyed, as seconds and as a date") {
  CHECK(*retry_after("120", kStart) == 120s);
  CHECK(*retry_after("Sun, 22 Nov 2026 17:43:00 GMT", kStart) == 60s);
  CHECK(*retry_after("999999", kStart) == 1h);
  CHECK(*retry_after("-332300000033230003", kStart) == 0s);  // Times a thousand, more than fits.
  CHECK_FALSE(retry_after("soon", kStart).has_value());
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  w.http.answer(429, {{"Retry-After", "30"}});
  w.http.answer(200);
  w.clock.advance(29s);
  CHECK(w.http.open() == 0);
  w.clock.advance(1s);
  CHECK(w.http.open() == 1);
}

TEST_CASE("each status is one of three things") {
  for (int status = 100; status < 600; ++status) {
    CAPTURE(status);
    const bool retried = status == 408 || status == 425 || status == 429 || status >= 500;
    const Verdict expected = status >= 200 && status < 300 ? Verdict::Delivered
                             : retried                     ? Verdict::Retry
                                                           : Verdict::GiveUp;
    CHECK(judge_status(status) == expected);
  }
}

TEST_CASE("pauses double from a second to five minutes, less the jitter") {
  CHECK(backoff(1, 0) == 1s);
  CHECK(backoff(4, 0) == 8s);
  CHECK(backoff(50, 0) == 5min);
  CHECK(backoff(4, 0.5) == 6s);
}

TEST_CASE("what a receiver will never take is given up, counted, and the rest goes on") {
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  w.http.answer(400, {}, "bad");
  w.http.answer(200);
  CHECK(w.notifier.receivers()[0].stats.given_up == 1);
  w.notifier.send({alert("api")});
  CHECK(w.http.open() == 2);
}

TEST_CASE("a webhook gets its group after group_wait, in Alertmanager's version 4") {
  World w(one_webhook());
  w.notifier.send({alert("web"), alert("api")});
  CHECK(w.http.open() == 0);
  w.clock.advance(30s);
  REQUIRE(w.http.open() == 1);
  const std::string body = w.http.answer(200).body;
  CHECK(body.find(R"("version":"4")") != std::string::npos);
  CHECK(body.find(R"("receiver":"chat","status":"firing")") != std::string::npos);
  CHECK(body.find(R"("groupLabels":{"alertname":"SuccessRateLow"})") != std::string::npos);
  CHECK(body.find(R"("commonLabels":{"alertname":"SuccessRateLow"})") != std::string::npos);
  CHECK(body.find(R"("groupKey":"{}:{alertname=\"SuccessRateLow\"}")") != std::string::npos);
  CHECK(body.find(R"("endsAt":"0001-01-01T00:00:00Z")") != std::string::npos);
  CHECK(body.find(R"("truncatedAlerts":0)") != std::string::npos);
}

TEST_CASE(
    "a webhook hears of changes every group_interval, and of nothing new every repeat_interval") {
  World w(one_webhook());
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  w.http.answer(200);
  const auto confirmed = [&] {
    OutgoingAlert a = alert("web");
    a.ends_at = w.clock.now() + 6min;
    return a;
  };
  for (int i = 0; i < 47; ++i) {
    w.notifier.send({confirmed()});
    w.clock.advance(5min);
    CHECK(w.http.open() == 0);
  }
  w.notifier.send({confirmed()});
  w.clock.advance(5min);
  CHECK(w.http.open() == 1);
  w.http.answer(200);
  w.notifier.send({alert("web", true)});
  w.clock.advance(5min);
  REQUIRE(w.http.open() == 1);
  CHECK(w.http.answer(200).body.find(R"("status":"resolved")") != std::string::npos);
  w.clock.advance(10h);
  CHECK(w.http.open() == 0);
}

TEST_CASE("routes choose the receiver: the deepest match, the first unless it continues") {
  RouteConfig root;
  root.receiver = "all";
  RouteConfig page;
  page.receiver = "pager";
  page.matchers = {Matcher::equal("severity", "critical")};
  page.continue_matching = true;
  RouteConfig shop;
  shop.receiver = "shop";
  shop.matchers = {Matcher::equal("namespace", "shop")};
  root.routes = {page, shop};
  const auto names = [&](const Labels& labels) {
    std::string out;
    for (const Destination& d : destinations_of(root, labels)) out += d.route->receiver + " ";
    return out;
  };
  CHECK(names(Labels{{"severity", "warning"}}) == "all ");
  CHECK(names(Labels{{"severity", "critical"}}) == "pager ");
  CHECK(names(Labels{{"severity", "critical"}, {"namespace", "shop"}}) == "pager shop ");
  CHECK(destinations_of(root, Labels{{"namespace", "shop"}})[0].route_key ==
        R"({}/{namespace="shop"})");
}

TEST_CASE("a new configuration keeps the queues that it does not change") {
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  w.http.refuse();
  w.http.refuse();
  NotifyConfig less = two_alertmanagers();
  less.alertmanagers.pop_back();
  w.notifier.reconfigure(less);
  w.clock.advance(2s);
  CHECK(w.http.open() == 1);
  CHECK(w.notifier.receivers().size() == 1);
}

TEST_CASE("other settings for a receiver at the same place send what waits for it") {
  World w(two_alertmanagers());
  w.notifier.send({alert("web")});
  w.http.refuse();
  w.http.answer(200);
  NotifyConfig patient = two_alertmanagers();
  patient.alertmanagers[0].timeout = 30s;
  w.notifier.reconfigure(patient);
  REQUIRE(w.http.open() == 1);
  CHECK(w.http.answer(200).timeout == 30s);
}

TEST_CASE("an alert that a reload has sent another way leaves its old group") {
  World w(one_webhook());
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  w.http.answer(200);
  NotifyConfig other = one_webhook();
  other.route->group_by = {"deployment"};
  w.notifier.reconfigure(other);
  OutgoingAlert still = alert("web");
  for (int i = 0; i < 60; ++i) {
    still.ends_at = w.clock.now() + 4min;
    w.notifier.send({still});
    w.clock.advance(5min);
    while (w.http.open() > 0) {
      CHECK(w.http.answer(200).body.find(R"("groupLabels":{"deployment":"web"})") !=
            std::string::npos);
    }
  }
}

// ---- The outbox.

TEST_CASE("two webhooks that lead to the same place have messages of their own") {
  FakeOutbox outbox;
  NotifyConfig config = one_webhook();
  ChannelConfig second = config.receivers[0].channels[0];
  second.send_resolved = false;
  config.receivers[0].channels.push_back(second);
  World w(config, &outbox);
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  CHECK(outbox.messages.size() == 2);
}

TEST_CASE("a message is on disk before it is on the wire, and leaves the disk when it is taken") {
  FakeOutbox outbox;
  World w(two_alertmanagers(), &outbox);
  w.notifier.send({alert("web")});
  CHECK(w.http.open() == 0);
  CHECK(outbox.messages.size() == 2);
  outbox.write_all();
  REQUIRE(w.http.open() == 2);
  w.http.answer(200);
  CHECK(outbox.messages.size() == 1);
  w.http.refuse();
  CHECK(outbox.messages.size() == 1);
}

TEST_CASE("a newer state that arrives while the older one is on its way stays in the outbox") {
  FakeOutbox outbox;
  NotifyConfig config = two_alertmanagers();
  config.alertmanagers.pop_back();
  World w(config, &outbox);
  w.notifier.send({alert("web")});
  outbox.write_all();
  w.notifier.send({alert("web", true)});
  w.http.answer(200);
  REQUIRE(outbox.messages.size() == 1);
  CHECK(outbox.messages.begin()->second.content.find(R"("resolved":true)") != std::string::npos);
  CHECK(w.http.open() == 0);
  outbox.write_all();
  CHECK(w.http.open() == 1);
  w.http.answer(200);
  CHECK(outbox.messages.empty());
}

TEST_CASE(
    "what a receiver refuses for good, and what nobody receives any more, leaves the outbox") {
  FakeOutbox outbox;
  World w(two_alertmanagers(), &outbox);
  w.notifier.send({alert("web")});
  outbox.write_all();
  w.http.answer(400);
  w.http.refuse();
  CHECK(outbox.messages.size() == 1);
  NotifyConfig less = two_alertmanagers();
  less.alertmanagers.pop_back();
  w.notifier.reconfigure(less);
  CHECK(outbox.messages.empty());
}

TEST_CASE("alerts that come together write their group once") {
  FakeOutbox outbox;
  World w(one_webhook(), &outbox);
  w.notifier.send({alert("web"), alert("api"), alert("db")});
  CHECK(outbox.group_writes == 1);
  w.notifier.send({alert("web")});
  CHECK(outbox.group_writes == 1);
  w.notifier.send({alert("web", true), alert("cache")});
  CHECK(outbox.group_writes == 2);
}

TEST_CASE("what was waiting when the process ended is sent by the next one") {
  FakeOutbox outbox;
  {
    World before(two_alertmanagers(), &outbox);
    before.notifier.send({alert("web"), alert("api")});
    outbox.write_all();
    before.http.answer(200);
    before.http.refuse();
  }
  outbox.unwritten.clear();
  World after(two_alertmanagers(), &outbox);
  after.notifier.restore(outbox.written());
  std::set<std::string> sent;
  while (after.http.open() > 0) {
    const auto request = after.http.answer(200);
    for (const char* name : {"web", "api"}) {
      if (request.body.find(name) != std::string::npos) sent.insert(request.url + " " + name);
    }
  }
  CHECK(sent == std::set<std::string>{"http://am1:9093/prefix/api/v2/alerts api",
                                      "http://am2:9093/api/v2/alerts api",
                                      "http://am2:9093/api/v2/alerts web"});
  CHECK(outbox.messages.empty());
}

TEST_CASE("a message for a receiver that is gone, or that nobody can read, is dropped and said") {
  FakeOutbox outbox;
  outbox.messages[{"nobody", "k"}] = {"nobody", "k", "{}", kStart};
  outbox.messages[{"alertmanager http://am2:9093", "k"}] = {"alertmanager http://am2:9093", "k",
                                                            "garbage", kStart};
  outbox.groups["g"] = "garbage";
  World w(two_alertmanagers(), &outbox);
  w.notifier.restore(outbox.written());
  CHECK(w.http.open() == 0);
  CHECK(outbox.messages.empty());
  CHECK(outbox.groups.empty());
}

TEST_CASE("a group goes on after a restart: nothing twice, and the next when it is due") {
  FakeOutbox outbox;
  {
    World before(one_webhook(), &outbox);
    before.notifier.send({alert("web")});
    CHECK(outbox.groups.size() == 1);
    before.clock.advance(30s);
    outbox.write_all();
    REQUIRE(before.http.open() == 1);
    before.http.answer(200);
  }
  World after(one_webhook(), &outbox);
  after.clock.advance(1min);
  after.notifier.restore(outbox.written());
  after.notifier.send({alert("web")});
  after.clock.advance(5min);
  CHECK(after.http.open() == 0);
  after.notifier.send({alert("web", true)});
  after.clock.advance(5min);
  outbox.write_all();
  REQUIRE(after.http.open() == 1);
  CHECK(after.http.answer(200).body.find(R"("status":"resolved")") != std::string::npos);
  CHECK(outbox.groups.empty());
  CHECK(outbox.messages.empty());
}

}  // namespace
}  // namespace tocsin::notify
