// SPDX-License-Identifier: Apache-2.0
#include "notify/delivery_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "notify/world.h"

namespace tocsin::notify {
namespace {

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
  NotifyConfig config = one_alertmanager();
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

TEST_CASE("a batch that is too large for an Alertmanager is divided, and all of it arrives") {
  World w(one_alertmanager());
  w.notifier.send({alert("first")});  // What follows gathers behind it.
  w.notifier.send({alert("a"), alert("b"), alert("c"), alert("poison"), alert("d")});
  w.http.answer(200);
  std::vector<std::string> taken;
  int requests = 0;
  for (; w.http.open() > 0; ++requests) {
    const std::string body = w.http.first().body;
    const auto alerts = boost::json::parse(body).as_array();
    if (alerts.size() > 2 || body.find("poison") != std::string::npos) {
      w.http.answer(alerts.size() > 2 ? 413 : 400);
      continue;
    }
    for (const auto& a : alerts) {
      taken.emplace_back(a.at("labels").at("deployment").as_string());
    }
    w.http.answer(200);
  }
  std::sort(taken.begin(), taken.end());
  CHECK(taken == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(w.notifier.receivers()[0].stats.given_up == 1);
  CHECK(requests < 10);
}

TEST_CASE("how many alerts an Alertmanager takes at once is remembered") {
  World w(one_alertmanager());
  w.notifier.send(alerts_of(5000));
  std::size_t taken = 0;
  int refused = 0;
  while (w.http.open() > 0) {
    const std::size_t alerts = boost::json::parse(w.http.first().body).as_array().size();
    w.http.answer(alerts > 200 ? 413 : 200);
    taken += alerts > 200 ? 0 : alerts;
    refused += alerts > 200 ? 1 : 0;
  }
  CHECK(taken == 5000);
  CHECK(refused <= 4);
}

TEST_CASE("an Alertmanager that refuses everything is not asked of every alert") {
  World w(one_alertmanager());
  w.notifier.send(alerts_of(2560));
  int requests = 0;
  for (; w.http.open() > 0; ++requests) w.http.answer(400);
  CHECK(w.notifier.receivers()[0].stats.given_up == 2560);
  CHECK(requests < 40);
}

NotifyConfig webhook_of_groups() {
  NotifyConfig config = one_webhook();
  config.route->group_by = {"deployment"};
  return config;
}

bool is_about(const net::HttpRequest& request, const std::string& deployment) {
  return request.body.find(R"("groupLabels":{"deployment":")" + deployment) != std::string::npos;
}

TEST_CASE("a message that its receiver fails on holds up no other") {
  World w(webhook_of_groups());
  w.notifier.send({alert("api"), alert("web")});
  w.clock.advance(30s);
  CHECK(is_about(w.http.answer(500), "api"));
  REQUIRE(w.http.open() == 1);
  CHECK(is_about(w.http.answer(200), "web"));
  // The receiver is there: once, the other need not wait.
  REQUIRE(w.http.open() == 1);
  CHECK(is_about(w.http.answer(500), "api"));
  w.notifier.send({alert("cart")});
  w.clock.advance(30s - 1ms);
  while (w.http.open() > 0) CHECK(is_about(w.http.answer(500), "api"));
  w.clock.advance(1ms);
  REQUIRE(w.http.open() == 1);
  CHECK(is_about(w.http.answer(200), "cart"));
  CHECK(w.http.open() == 0);  // That one has been tried early, and failed.
  w.clock.advance(5min);
  REQUIRE(w.http.open() == 1);
  CHECK(is_about(w.http.answer(200), "api"));
  CHECK(w.notifier.receivers()[0].stats.waiting == 0);
}

TEST_CASE("a receiver that is away is asked for one message at a time, and not always the same") {
  World w(webhook_of_groups());
  w.notifier.send({alert("api"), alert("web")});
  w.clock.advance(30s);
  CHECK(is_about(w.http.first(), "api"));
  w.http.refuse();
  CHECK(w.http.open() == 0);
  w.clock.advance(1s);
  CHECK(is_about(w.http.answer(503), "web"));
  CHECK(w.http.open() == 0);
  w.clock.advance(2s);
  CHECK(is_about(w.http.answer(200), "api"));
  CHECK(is_about(w.http.answer(200), "web"));
}

TEST_CASE("a message that a receiver refuses is offered to it again, for a day") {
  World w(one_webhook());
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  w.http.answer(403);
  CHECK(w.notifier.receivers()[0].stats.given_up == 1);
  w.clock.advance(5min - 1s);
  CHECK(w.http.open() == 0);
  w.clock.advance(1s);
  REQUIRE(w.http.open() == 1);
  SUBCASE("and taken, when it has been a mistake") {
    w.http.answer(200);
    CHECK(w.notifier.receivers()[0].stats.sent == 1);
    CHECK(w.notifier.receivers()[0].stats.waiting == 0);
  }
  SUBCASE("and then dropped") {
    int offers = 0;
    for (Duration passed{0}; passed < 25h; passed += 5min, w.clock.advance(5min)) {
      for (; w.http.open() > 0; ++offers) w.http.answer(400);
    }
    CHECK(offers == 24 * 12);
    CHECK(w.notifier.receivers()[0].stats.waiting == 0);
  }
}

// Whether the group's message says that the alert is over.
bool tells_the_end(const net::HttpRequest& request, const std::string& deployment) {
  const std::size_t at = request.body.find(R"("deployment":")" + deployment + '"');
  const std::size_t status = request.body.rfind(R"("status":)", at);
  return at != std::string::npos && request.body.substr(status, 19) == R"("status":"resolved")";
}

OutgoingAlert lasting(const char* deployment) {
  OutgoingAlert lasts = alert(deployment);
  lasts.ends_at = kStart + 24h;
  return lasts;
}

// The receiver knows that api and web fire; that web is over is on its way to it.
void begin_to_tell_an_end(World& w, FakeOutbox* outbox = nullptr) {
  const auto write = [&] {
    if (outbox) outbox->write_all();
  };
  w.notifier.send({alert("api"), alert("web")});
  w.clock.advance(30s);
  write();
  w.http.answer(200);
  w.notifier.send({lasting("api"), alert("web", true)});
  w.clock.advance(5min);
  write();
}

TEST_CASE("a newer message of a group tells the end that the older one could not tell") {
  World w(one_webhook());
  begin_to_tell_an_end(w);
  REQUIRE(w.http.open() == 1);
  const OutgoingAlert cart = lasting("cart");
  SUBCASE("while it waits") {
    w.http.answer(429, {{"Retry-After", "600"}});
    w.notifier.send({cart});
    w.clock.advance(10min);
  }
  SUBCASE("while it is on its way") {
    w.notifier.send({cart});
    w.clock.advance(5min);
    w.http.answer(503);
    w.clock.advance(1s);
  }
  REQUIRE(w.http.open() == 1);
  const net::HttpRequest told = w.http.answer(200);
  CHECK(tells_the_end(told, "web"));
  CHECK_FALSE(tells_the_end(told, "api"));
  CHECK_FALSE(tells_the_end(told, "cart"));
  CHECK(told.body.find("cart") != std::string::npos);
}

TEST_CASE("an end that a receiver refuses does not go with the newer messages of its group") {
  World w(one_webhook());
  begin_to_tell_an_end(w);
  w.http.answer(400);
  const OutgoingAlert cart = lasting("cart");
  w.notifier.send({cart});
  w.clock.advance(5min - 1s);
  while (w.http.open() > 0) w.http.answer(400);  // It may be offered before.
  w.clock.advance(1s);
  REQUIRE(w.http.open() == 1);
  const net::HttpRequest told = w.http.answer(200);
  CHECK(told.body.find("cart") != std::string::npos);
  CHECK_FALSE(tells_the_end(told, "web"));
}

TEST_CASE("an end that is on its way is written again with what replaces it, until it arrives") {
  FakeOutbox outbox;
  World w(one_webhook(), &outbox);
  begin_to_tell_an_end(w, &outbox);
  REQUIRE(w.http.open() == 1);
  const OutgoingAlert cart = lasting("cart");
  w.notifier.send({cart});
  w.clock.advance(5min);
  REQUIRE(outbox.messages.size() == 1);
  const Notifier::Written written = outbox.written();
  World after(one_webhook(), &outbox);
  after.notifier.restore(written);
  REQUIRE(after.http.open() == 1);
  CHECK(tells_the_end(after.http.answer(200), "web"));
  // Where it arrived, it is not told twice.
  w.http.answer(200);
  outbox.write_all();
  REQUIRE(w.http.open() == 1);
  CHECK_FALSE(tells_the_end(w.http.answer(200), "web"));
}

TEST_CASE("what a receiver repeats of its address or key is not shown") {
  NotifyConfig config = one_webhook();
  config.receivers[0].channels[0].url.text = "http://chat/hook/T0KEN-OF-CHAT?key=s3cret-value";
  World w(config);
  w.notifier.send({alert("web")});
  w.clock.advance(30s);
  w.http.answer(404, {}, "Cannot POST /hook/T0KEN-OF-CHAT: no T0KEN-OF-CHAT with s3cret-value");
  CHECK(w.notifier.receivers()[0].stats.last_error == "status 404: Cannot POST …: no … with …");
}

TEST_CASE("a receiver with another address is told there what it was not told at the old one") {
  FakeOutbox outbox;
  NotifyConfig moved = one_webhook();
  moved.receivers[0].channels[0].url.text = "http://chat/new";
  World before(one_webhook(), &outbox);
  before.notifier.send({alert("web")});
  before.clock.advance(30s);
  outbox.write_all();
  before.http.refuse();
  SUBCASE("after a reload") {
    before.notifier.reconfigure(moved);
    outbox.write_all();
    REQUIRE(before.http.open() == 1);
    CHECK(before.http.answer(200).url == "http://chat/new");
    CHECK(outbox.messages.empty());
  }
  SUBCASE("after a restart") {
    World after(moved, &outbox);
    after.notifier.restore(outbox.written());
    outbox.write_all();
    REQUIRE(after.http.open() == 1);
    CHECK(after.http.answer(200).url == "http://chat/new");
    CHECK(outbox.messages.empty());
  }
  SUBCASE("each of two in its turn") {
    NotifyConfig two = one_webhook();
    two.receivers[0].channels.insert(two.receivers[0].channels.begin(),
                                     moved.receivers[0].channels[0]);
    two.receivers[0].channels[0].url.text = "http://chat/first";
    before.notifier.reconfigure(two);
    two.receivers[0].channels[1].url.text = "http://chat/second";
    before.notifier.reconfigure(two);
    outbox.write_all();
    REQUIRE(before.http.open() == 1);
    CHECK(before.http.answer(200).url == "http://chat/second");
  }
  SUBCASE("after a restart not to one of several, of which nobody knows which it is") {
    NotifyConfig two = moved;
    two.receivers[0].channels.push_back(moved.receivers[0].channels[0]);
    two.receivers[0].channels[1].url.text = "http://chat/second";
    World after(two, &outbox);
    after.notifier.restore(outbox.written());
    CHECK(after.http.open() == 0);
    CHECK(outbox.messages.empty());
  }
  SUBCASE("but not another channel of it, which is told for itself") {
    NotifyConfig two = one_webhook();
    two.receivers[0].channels.push_back(moved.receivers[0].channels[0]);
    before.notifier.reconfigure(two);
    before.notifier.reconfigure(moved);
    outbox.write_all();
    CHECK(before.http.open() == 0);
    CHECK(outbox.messages.empty());
  }
}

}  // namespace
}  // namespace tocsin::notify
