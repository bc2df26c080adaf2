// SPDX-License-Identifier: Apache-2.0
#include "notify/notifier.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <optional>
#include <set>

#include "notify/world.h"

namespace tocsin::notify {
namespace {

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

TEST_CASE("an Alertmanager is told of nothing that ends before it begins: it would refuse it") {
  World w(one_alertmanager());
  OutgoingAlert ended = alert("web", true);
  ended.starts_at = ended.ends_at + 1h;  // The clock has been set back.
  w.notifier.send({ended});
  const std::string end = "2026-11-22T17:46:00.000Z";
  CHECK(w.http.answer(200).body.find("\"startsAt\":\"" + end + "\",\"endsAt\":\"" + end) !=
        std::string::npos);
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

TEST_CASE("a clock that jumps tells nobody anything again") {
  World w(one_webhook());
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  w.http.answer(200);
  w.clock.advance(1h);
  OutgoingAlert still = alert("web");
  still.ends_at = w.clock.now() + 4min;
  w.notifier.send({still});
  w.clock.advance(5min);
  CHECK(w.http.open() == 0);
}

// The alert of web has been told by its name; from now on alerts are grouped by deployment.
void tell_and_regroup(World& w) {
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  w.http.answer(200);
  NotifyConfig other = one_webhook();
  other.route->group_by = {"deployment"};
  w.notifier.reconfigure(other);
}

TEST_CASE("an alert that a reload has sent another way leaves its old group") {
  World w(one_webhook());
  tell_and_regroup(w);
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

TEST_CASE(
    "an alert that is over before the new routes have told it is told to be over by the old") {
  World w(one_webhook());
  tell_and_regroup(w);
  w.notifier.send({alert("web", true)});
  w.clock.advance(5min);
  REQUIRE(w.http.open() == 1);
  const std::string body = w.http.answer(200).body;
  CHECK(body.find(R"("status":"resolved")") != std::string::npos);
  CHECK(body.find(R"("groupLabels":{"alertname":"SuccessRateLow"})") != std::string::npos);
  w.clock.advance(1h);
  CHECK(w.http.open() == 0);
}

// A pager for each of the keys, whose alerts are grouped by name.
struct Pagers {
  NotifyConfig config = one_webhook();
  FakeOutbox outbox;
  std::optional<World> world;

  explicit Pagers(const std::vector<std::string>& keys) {
    config.receivers.clear();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ChannelConfig pager;
      pager.kind = ChannelKind::PagerDuty;
      pager.url.text = "http://pager/enqueue";
      pager.key.text = keys[i];
      config.receivers.push_back({"pager-" + std::to_string(i), {pager}});
    }
    config.route->receiver = "pager-0";
    world.emplace(config, &outbox);
  }

  // What is told within `span`, the alert being confirmed or not: "trigger k 12ab", where the last
  // is one of few digits of the incident's name.
  std::vector<std::string> told(Duration span, bool is_confirmed = true) {
    std::vector<std::string> out;
    OutgoingAlert still = alert("web");
    for (Duration gone{0}; gone < span; gone += 30s) {
      still.ends_at = world->clock.now() + 4min;
      if (is_confirmed) world->notifier.send({still});
      if (!is_confirmed) world->notifier.send({});  // Other rules speak.
      world->clock.advance(30s);
      outbox.write_all();
      while (world->http.open() > 0) {
        const auto body = boost::json::parse(world->http.answer(202).body);
        outbox.write_all();
        const auto text = [&](const char* name) { return std::string(body.at(name).as_string()); };
        out.push_back(text("event_action") + " " + text("routing_key") + " " + text("dedup_key"));
      }
    }
    return out;
  }
};

TEST_CASE("an incident whose alerts a reload sends elsewhere is closed, once the others are told") {
  Pagers p({"k", "other"});
  const auto began = p.told(1min);
  REQUIRE(began.size() == 1);
  const std::string old = began[0].substr(std::string("trigger ").size());
  SUBCASE("to another group") { p.config.route->group_by = {"deployment"}; }
  SUBCASE("to another account") { p.config.route->receiver = "pager-1"; }
  SUBCASE("over a restart") {
    p.config.route->group_by = {"deployment"};
    const Notifier::Written left = p.outbox.written();
    const Timestamp now = p.world->clock.now();
    p.world.emplace(p.config, &p.outbox, now);
    p.world->notifier.restore(left);
  }
  p.world->notifier.reconfigure(p.config);
  const auto told = p.told(1h);
  REQUIRE(told.size() == 2);
  CHECK(told[0].starts_with("trigger"));
  CHECK_FALSE(told[0].ends_with(old));
  CHECK(told[1] == "resolve " + old);
}

TEST_CASE("an incident that goes on under its name at the same account is not closed") {
  Pagers p({"k", "k"});
  const auto began = p.told(1min);
  REQUIRE(began.size() == 1);
  p.config.route->receiver = "pager-1";
  p.world->notifier.reconfigure(p.config);
  const auto told = p.told(1h);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == began[0]);
}

TEST_CASE("nor is it when another alert of the group has gone elsewhere since") {
  Pagers p({"k", "k", "other"});
  REQUIRE(p.told(1min).size() == 1);
  p.world->notifier.send({alert("web"), alert("api")});
  CHECK(p.told(6min).size() == 1);
  const auto to = [&](const char* deployment, const char* receiver) {
    RouteConfig child = *p.config.route;
    child.receiver = receiver;
    child.matchers = {Matcher::equal("deployment", deployment)};
    return child;
  };
  p.config.route->routes = {to("api", "pager-2")};
  p.config.route->receiver = "pager-1";
  p.world->notifier.reconfigure(p.config);
  OutgoingAlert web = alert("web");
  OutgoingAlert api = alert("api");
  web.ends_at = api.ends_at = p.world->clock.now() + 4min;
  p.world->notifier.send({web, api});
  for (const std::string& said : p.told(1h)) CHECK_FALSE(said.starts_with("resolve k"));
}

TEST_CASE(
    "an alert that nobody confirms, though other rules speak, is not taken for gone elsewhere") {
  Pagers p({"k"});
  REQUIRE(p.told(1min).size() == 1);
  p.config.route->group_wait = 31s;  // Other routes.
  p.world->notifier.reconfigure(p.config);
  CHECK(p.told(3h, false).empty());
}

TEST_CASE("a receiver is sent as many messages a minute as it was said to take") {
  NotifyConfig config = one_webhook();
  config.route->group_by = {"deployment"};
  config.receivers[0].channels[0].max_per_minute = 24;  // Two of them at once.
  World w(config);
  w.notifier.send(alerts_of(100));
  w.clock.advance(30s);
  int sent = 0;
  const auto answer_all = [&] {
    for (; w.http.open() > 0; ++sent) w.http.answer(200);
  };
  answer_all();
  CHECK(sent == 2);
  for (int second = 0; second < 60; ++second) {
    w.clock.advance(1s);
    answer_all();
  }
  CHECK(sent >= 23);
  CHECK(sent <= 24);
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
  NotifyConfig config = one_alertmanager();
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
