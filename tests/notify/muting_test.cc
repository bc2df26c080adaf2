// SPDX-License-Identifier: Apache-2.0
#include "notify/muting.h"

#include <doctest/doctest.h>

#include "notify/matcher_text.h"
#include "notify/world.h"

namespace tocsin::notify {
namespace {

// One group for all, which tells within ten seconds.
NotifyConfig quick_webhook() {
  NotifyConfig config = one_webhook();
  config.route->group_by = {};
  config.route->group_wait = 10s;
  config.route->group_interval = 1min;
  return config;
}

NotifyConfig with_rule() {
  NotifyConfig config = quick_webhook();
  config.inhibit_rules = {
      {*parse_matchers("alertname=Down"), *parse_matchers("alertname=~Slow.*"), {"namespace"}}};
  return config;
}

// Muted between 18:00 and 19:00.
NotifyConfig with_interval() {
  NotifyConfig config = quick_webhook();
  TimeInterval supper;
  supper.times = {{18 * 60, 19 * 60}};
  config.time_intervals["supper"] = {supper};
  RouteConfig child = *config.route;
  child.matchers = {Matcher::equal("namespace", "shop")};
  child.mute_time_intervals = {"supper"};
  config.route->routes = {child};
  return config;
}

// Alerts that fire until they are resolved, and a webhook that is asked what it was told.
struct Story : World {
  FakeOutbox* const disk;
  std::map<std::string, OutgoingAlert> firing;

  explicit Story(NotifyConfig config, Timestamp start = kStart, FakeOutbox* outbox = nullptr)
      : World(std::move(config), outbox, start), disk(outbox) {}

  void fire(const std::string& name, const char* name_space = "shop") {
    OutgoingAlert a;
    a.labels = Labels{{"alertname", name}, {"namespace", name_space}};
    a.starts_at = clock.now();
    firing[name] = a;
    confirm();
  }
  void resolve(const std::string& name) {
    OutgoingAlert a = firing.at(name);
    firing.erase(name);
    a.resolved = true;
    a.ends_at = clock.now();
    notifier.send({a});
  }
  void confirm() {
    std::vector<OutgoingAlert> alerts;
    for (auto& [name, a] : firing) {
      a.ends_at = clock.now() + 4min;
      alerts.push_back(a);
    }
    notifier.send(alerts);
  }

  std::string silence(const char* matchers, Duration length) {
    Silence s;
    s.matchers = *parse_matchers(matchers);
    s.starts_at = clock.now();
    s.ends_at = clock.now() + length;
    s.created_by = "alice";
    s.comment = "we know";
    std::string out;
    notifier.put_silence(s, [&](const Result<std::string>& id) { out = id.value_or(""); });
    if (disk) disk->write_all();
    return out;
  }

  // What the webhook is told within `span`, alerts confirmed all the while: "Slow fires; ".
  std::string told(Duration span) {
    std::string out;
    for (Duration done{0}; done < span; done += 10s) {
      clock.advance(10s);
      if (disk) disk->write_all();
      while (http.open() > 0) out += said(http.answer(200).body) + "; ";
      confirm();
    }
    return out;
  }

 private:
  static std::string said(const std::string& body) {
    std::string out;
    std::size_t at = 0;
    while ((at = body.find(R"({"status":")", at)) != std::string::npos) {
      const std::string state = body.substr(at + 11, body.find('"', at + 11) - at - 11);
      const std::size_t name = body.find(R"("alertname":")", at) + 13;
      out +=
          (out.empty() ? "" : ", ") + body.substr(name, body.find('"', name) - name) + " " + state;
      at = name;
    }
    return out;
  }
};

TEST_CASE("a silenced alert is left out, and told when the silence ends if it still fires") {
  Story w(quick_webhook());
  w.silence("alertname=Slow", 5min);
  w.fire("Slow");
  w.fire("Wrong");
  CHECK(w.told(4min) == "Wrong firing; ");
  CHECK(w.told(3min) == "Slow firing, Wrong firing; ");
  CHECK(w.notifier.muted()[0] == 5);
}

TEST_CASE("an alert that comes and goes under a silence is never heard of") {
  Story w(quick_webhook());
  w.silence("alertname=Slow", 5min);
  w.fire("Slow");
  CHECK(w.told(2min).empty());
  w.resolve("Slow");
  CHECK(w.told(10min).empty());
}

TEST_CASE("what was held back and is over is no news when the silence ends") {
  Story w(quick_webhook());
  w.silence("alertname=Slow", 1min);
  w.fire("Slow");
  CHECK(w.told(1min).empty());  // The silence is over, the next flush is due in ten seconds.
  w.resolve("Slow");
  CHECK(w.told(10min).empty());
}

TEST_CASE("whoever was told that an alert fires is told that it is over, silenced or not, once") {
  Story w(quick_webhook());
  w.fire("Slow");
  CHECK(w.told(1min) == "Slow firing; ");
  w.silence("alertname=Slow", 1h);
  CHECK(w.told(5min).empty());
  w.resolve("Slow");
  CHECK(w.told(5min) == "Slow resolved; ");
  w.fire("Slow");
  CHECK(w.told(5min).empty());
  w.resolve("Slow");
  CHECK(w.told(2h).empty());
}

TEST_CASE("a told alert that a later message left out under a silence is told again") {
  Story w(quick_webhook());
  w.fire("Slow");
  CHECK(w.told(1min) == "Slow firing; ");
  w.silence("alertname=Slow", 5min);
  w.fire("Wrong");
  CHECK(w.told(2min) == "Wrong firing; ");
  CHECK(w.told(5min) == "Slow firing, Wrong firing; ");
}

TEST_CASE("a told alert that nothing was said of under a silence is not told again") {
  Story w(quick_webhook());
  w.fire("Slow");
  CHECK(w.told(1min) == "Slow firing; ");
  w.silence("alertname=Slow", 5min);
  CHECK(w.told(30min).empty());
}

TEST_CASE("a silence that is ended early is over") {
  Story w(quick_webhook());
  const std::string id = w.silence("alertname=Slow", 5h);
  CHECK(id.size() == 36);
  w.fire("Slow");
  CHECK(w.told(2min).empty());
  w.notifier.expire_silence(id, [](const Result<std::string>& done) { CHECK(done.has_value()); });
  CHECK(w.told(2min) == "Slow firing; ");
}

TEST_CASE("every silence has an id of its own") {
  Story w(quick_webhook());
  CHECK(w.silence("a=b", 1h) != w.silence("a=b", 1h));
  CHECK(w.notifier.silences().size() == 2);
}

TEST_CASE("an inhibited alert is left out, and told when its inhibitor is resolved") {
  Story w(with_rule());
  w.fire("Slow");
  w.fire("Down");
  CHECK(w.told(3min) == "Down firing; ");
  w.resolve("Down");
  CHECK(w.told(3min) == "Down resolved, Slow firing; ");
  CHECK(w.notifier.muted()[1] > 0);
}

TEST_CASE("an alert that fires elsewhere is not inhibited") {
  Story w(with_rule());
  w.fire("Slow", "blog");
  w.fire("Down");
  CHECK(w.told(3min) == "Down firing, Slow firing; ");
}

TEST_CASE("a muted route says nothing until its interval ends, then what still fires") {
  Story w(with_interval(), kStart + 17min);
  w.fire("Slow");
  CHECK(w.told(1min) == "Slow firing; ");  // 18:00
  w.fire("Wrong");
  w.fire("Brief");
  CHECK(w.told(10min).empty());
  w.resolve("Brief");
  w.resolve("Slow");
  CHECK(w.told(45min).empty());
  CHECK(w.told(10min) == "Slow resolved, Wrong firing; ");
  CHECK(w.notifier.muted()[2] > 0);
}

TEST_CASE("another route speaks while one is muted") {
  Story w(with_interval(), kStart + 30min);
  w.fire("Slow", "blog");
  CHECK(w.told(1min) == "Slow firing; ");
}

TEST_CASE("a route speaks only inside its active intervals") {
  NotifyConfig config = with_interval();
  config.route->routes[0].mute_time_intervals = {};
  config.route->routes[0].active_time_intervals = {"supper"};
  Story w(config);
  w.fire("Slow");
  CHECK(w.told(15min).empty());
  CHECK(w.told(5min) == "Slow firing; ");
}

TEST_CASE("why an alert is muted is said: by whom, until when, by what") {
  Story w(with_rule());
  const Labels slow{{"alertname", "Slow"}, {"namespace", "shop"}};
  CHECK_FALSE(w.notifier.mute_of(slow).has_value());
  w.fire("Down");
  CHECK(w.notifier.mute_of(slow)->text == R"(while {alertname="Down", namespace="shop"} fires)");
  w.silence("namespace=shop", 1h);
  const auto mute = w.notifier.mute_of(slow);
  CHECK(mute->reason == MuteReason::Silence);
  CHECK(mute->text == "by alice: we know");
  CHECK(*mute->until == kStart + 1h);
  Story night(with_interval(), kStart + 30min);
  CHECK(night.notifier.mute_of(slow)->text == "in supper");
  CHECK_FALSE(night.notifier.mute_of(slow.with("namespace", "blog")).has_value());
}

TEST_CASE("a restart forgets no silence, no inhibitor and nothing that was held back") {
  FakeOutbox outbox;
  {
    Story before(with_rule(), kStart, &outbox);
    before.silence("alertname=SlowToo", 1h);
    before.fire("Slow");
    before.fire("SlowToo", "blog");
    before.fire("Down");
    CHECK(before.told(1min) == "Down firing; ");
  }
  const Notifier::Written kept = outbox.written();
  CHECK(kept.silences.size() == 1);
  Story after(with_rule(), kStart + 3min, &outbox);
  after.notifier.restore(kept);
  CHECK(after.told(5min).empty());  // Before the rules have spoken again.
  OutgoingAlert down;
  down.labels = Labels{{"alertname", "Down"}, {"namespace", "shop"}};
  down.starts_at = kStart;
  after.firing["Down"] = down;
  after.resolve("Down");
  CHECK(after.told(2min) == "Down resolved, Slow firing; ");
}

TEST_CASE("a silence that nobody can read is dropped, the others hold") {
  FakeOutbox outbox;
  {
    Story before(quick_webhook(), kStart, &outbox);
    before.silence("alertname=Slow", 1h);
  }
  outbox.silences["x"] = "garbage";
  Story after(quick_webhook(), kStart, &outbox);
  after.notifier.restore(outbox.written());
  CHECK(after.notifier.silences().size() == 1);
  CHECK(outbox.silences.size() == 1);
}

TEST_CASE("silences that ended long ago leave the outbox") {
  FakeOutbox outbox;
  Story w(quick_webhook(), kStart, &outbox);
  w.silence("alertname=Slow", 1h);
  w.clock.advance(5 * 24h);
  w.notifier.prune_silences();
  CHECK(outbox.silences.size() == 1);
  w.clock.advance(2h);
  w.notifier.prune_silences();
  CHECK(outbox.silences.empty());
}

TEST_CASE("a group that an older Tocsin wrote goes on: what was told is told when it is over") {
  const std::string older =
      R"({"receiver":"chat","group_wait":10000,"group_interval":60000,"repeat_interval":14400000,)"
      R"("labels":{},"changed":false,"last_flush":1795369260000,"alerts":[{"labels":)"
      R"({"alertname":"Slow","namespace":"shop"},"annotations":{},"starts_at":1795369200000,)"
      R"("ends_at":1795369440000,"resolved":false,"generator_url":"","decided_at":1795369200000}]})";
  Notifier::Written written;
  written.groups["chat|{}:{}"] = older;
  Story w(quick_webhook());
  w.notifier.restore(written);
  CHECK(w.told(2min).empty());
  w.silence("alertname=Slow", 1h);  // Holds back what was never told.
  OutgoingAlert slow;
  slow.labels = Labels{{"alertname", "Slow"}, {"namespace", "shop"}};
  slow.starts_at = from_millis(1'795'369'200'000);
  w.firing["Slow"] = slow;
  w.resolve("Slow");
  CHECK(w.told(2min) == "Slow resolved; ");
}

}  // namespace
}  // namespace tocsin::notify
