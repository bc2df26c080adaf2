// SPDX-License-Identifier: Apache-2.0
#include "daemon/replica.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "notify/notifier.h"
#include "support/manual_clock.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

// The network between two replicas and a webhook. Everything is answered at once.
struct Network : net::HttpSender {
  std::map<std::string, std::function<Result<std::string>()>> replicas;  // By URL.
  std::vector<std::string> told;  // "first: firing web", in order.
  bool webhook_answers = true;

  // What one of them sends goes through here.
  net::HttpResult answer(const std::string& sender, const net::HttpRequest& request) {
    const std::string url = request.url.substr(0, request.url.find("/api"));
    if (const auto it = replicas.find(url); it != replicas.end()) {
      auto report = it->second();
      if (!report) return fail(report.error());
      net::HttpResponse response;
      response.status = 200;
      response.body = std::move(*report);
      return response;
    }
    if (!webhook_answers) return fail(ErrorCode::Unavailable, "connection refused");
    note(sender, request.body);
    net::HttpResponse response;
    response.status = 200;
    return response;
  }

  // One line for each alert of the message.
  void note(const std::string& sender, const std::string& body) {
    const std::size_t begin = body.find("\"alerts\":[");
    const std::string alerts = body.substr(begin, body.find(']', begin) - begin);
    const auto value_after = [&](const std::string& key, std::size_t from) {
      const std::size_t at = alerts.find(key, from) + key.size();
      return alerts.substr(at, alerts.find('"', at) - at);
    };
    const std::string status = "\"status\":\"";
    for (auto at = alerts.find(status); at != alerts.npos; at = alerts.find(status, at + 1)) {
      told.push_back(sender + ": " + value_after(status, at) + " " +
                     value_after("\"alertname\":\"", at));
    }
  }

  RequestId send(net::HttpRequest, net::HttpCallback) override { return 0; }
  void cancel(RequestId) override {}
};

struct Wire : net::HttpSender {
  Network& network;
  std::string sender;
  Wire(Network& to, std::string who) : network(to), sender(std::move(who)) {}
  RequestId send(net::HttpRequest request, net::HttpCallback done) override {
    done(network.answer(sender, request));
    return 1;
  }
  void cancel(RequestId) override {}
};

notify::NotifyConfig one_webhook() {
  notify::NotifyConfig config;
  notify::ReceiverConfig receiver;
  receiver.name = "chat";
  notify::ChannelConfig webhook;
  webhook.url.text = "http://chat/hook";
  receiver.channels.push_back(webhook);
  config.receivers = {receiver};
  config.route = notify::RouteConfig{};
  config.route->receiver = "chat";
  config.route->group_wait = 10s;
  config.route->group_interval = 30s;
  config.route->group_by = {"alertname"};
  return config;
}

// What is on the disk of one.
struct Disk : notify::Outbox {
  testing::ManualClock* clock = nullptr;
  notify::Notifier::Written content;
  std::optional<Timestamp> took_over;
  void put(notify::WrittenMessage message, std::function<void()> written) override {
    remove(message.receiver, message.key);
    content.messages.push_back(std::move(message));
    clock->after(0s, std::move(written));
  }
  void remove(const std::string& receiver, const std::string& key) override {
    std::erase_if(content.messages,
                  [&](const auto& m) { return m.receiver == receiver && m.key == key; });
  }
  void put_group(const std::string& key, std::string group) override {
    content.groups[key] = std::move(group);
  }
  void remove_group(const std::string& key) override { content.groups.erase(key); }
  void put_silence(const std::string& id, std::string silence,
                   std::function<void()> written) override {
    content.silences[id] = std::move(silence);
    clock->after(0s, std::move(written));
  }
  void remove_silence(const std::string& id) override { content.silences.erase(id); }
};

// A process: a notifier, and who tells.
struct Process {
  Wire wire;
  notify::Notifier notifier;
  Replica replica;
  bool evaluates = true;

  Process(Network& network, testing::ManualClock& clock, Disk& disk, const std::string& name,
          ReplicaConfig config)
      : wire(network, name),
        notifier({wire, clock, clock, [] { return 0.0; }, {}, &disk}, one_webhook()),
        replica({wire, clock, clock, notifier, [this] { return evaluates; },
                 [&disk](auto at) { disk.took_over = at; }},
                config) {
    notifier.set_silent(config.is_first);
    notifier.restore(disk.content);
    replica.start(disk.took_over);
  }
};

struct World {
  testing::ManualClock clock;
  Network network;
  Disk first_disk, standby_disk;
  std::optional<Process> first, standby;
  std::map<std::string, Timestamp> firing;    // Since when.
  std::map<std::string, Timestamp> resolved;  // Lately.
  std::set<std::string> unseen_by_first;      // Still firing there, and blind.

  World() {
    first_disk.clock = standby_disk.clock = &clock;
    reach("first", first);
    reach("standby", standby);
  }
  void reach(const std::string& name, std::optional<Process>& process) {
    network.replicas["http://" + name] = [&process]() -> Result<std::string> {
      if (!process) return fail(ErrorCode::Unavailable, "connection refused");
      return process->replica.report();
    };
  }
  void start_first() {
    first.emplace(network, clock, first_disk, "first",
                  ReplicaConfig{true, "http://standby", 1min, {}});
  }
  void start_standby() {
    standby.emplace(network, clock, standby_disk, "standby",
                    ReplicaConfig{false, "http://first", 1min, {}});
  }
  void start_both() {
    start_first();
    start_standby();
  }

  // Both evaluate, every 10 s.
  void pass(Duration time) {
    for (Duration gone{0}; gone < time; gone += 10s) {
      clock.advance(10s);
      for (auto* process : {&first, &standby}) {
        if (!*process || !(*process)->evaluates) continue;
        auto all = alerts();
        if (process == &first) blind(all);
        (*process)->notifier.send(all);
      }
    }
  }
  std::vector<notify::OutgoingAlert> alerts() const {
    std::vector<notify::OutgoingAlert> out;
    const auto add = [&](const std::string& name, Timestamp since, bool is_over) {
      notify::OutgoingAlert alert;
      alert.labels = Labels{{"alertname", name}};
      alert.starts_at = since;
      alert.ends_at = is_over ? resolved.at(name) : clock.now() + 4min;
      alert.resolved = is_over;
      alert.decided_at = clock.now();
      out.push_back(alert);
    };
    for (const auto& [name, since] : firing) add(name, since, false);
    for (const auto& [name, since] : resolved) add(name, since, true);
    return out;
  }
  void blind(std::vector<notify::OutgoingAlert>& all) const {
    for (notify::OutgoingAlert& alert : all) {
      if (!unseen_by_first.contains(std::string(alert.labels.get("alertname")))) continue;
      alert.blind = true;
      alert.resolved = false;
      alert.ends_at = clock.now() + 4min;
    }
  }
  void begin(const std::string& name) {
    resolved.erase(name);
    firing[name] = clock.now();
  }
  void end(const std::string& name) {
    firing.erase(name);
    resolved[name] = clock.now();
  }
  std::string take_told() {
    std::string out;
    for (const std::string& line : std::exchange(network.told, {})) {
      out += (out.empty() ? "" : ", ") + line;
    }
    return out;
  }
};

TEST_CASE("the first of two replicas tells, and the standby is silent") {
  World w;
  w.start_both();
  w.begin("A");
  w.pass(10min);
  w.end("A");
  w.pass(2min);
  CHECK(w.take_told() == "first: firing A, first: resolved A");
  CHECK(w.first->replica.status().tells);
  CHECK_FALSE(w.standby->replica.status().tells);
  CHECK(w.standby->replica.status().peer_error.empty());
}

TEST_CASE("a standby goes on where the first one ended, and gives back what it has told") {
  World w;
  w.start_both();
  w.begin("A");
  w.begin("B");
  w.pass(2min);
  CHECK(w.take_told() == "first: firing A, first: firing B");
  w.first.reset();
  w.begin("C");
  w.end("A");
  w.pass(50s);
  CHECK(w.take_told().empty());  // Not yet.
  w.pass(2min);
  CHECK(w.take_told() == "standby: resolved A, standby: firing C");
  w.start_first();
  w.end("B");
  w.begin("D");
  w.pass(5min);
  w.end("C");
  w.pass(5min);
  CHECK(w.take_told() == "first: firing D, first: resolved B, first: resolved C");
  CHECK_FALSE(w.standby->replica.status().tells);
  w.first.reset();  // And again.
  w.begin("E");
  w.pass(3min);
  CHECK(w.take_told() == "standby: firing E");
  CHECK(w.standby->replica.status().takeovers == 2);
}

TEST_CASE("a standby that is restarted while it tells gives back what it told before") {
  World w;
  w.start_both();
  w.begin("A");
  w.pass(2min);
  w.first.reset();
  w.begin("B");
  w.pass(3min);
  CHECK(w.take_told() == "first: firing A, standby: firing B");
  w.standby.reset();
  w.start_standby();
  w.start_first();
  w.pass(5min);
  CHECK(w.take_told().empty());  // The first one has heard of B.
  CHECK_FALSE(w.standby_disk.took_over.has_value());
  w.end("A");
  w.end("B");
  w.pass(2min);
  CHECK(w.take_told() == "first: resolved A, first: resolved B");
}

TEST_CASE("a standby that is restarted while it tells goes on at once, since when it did") {
  World w;
  w.start_standby();
  w.pass(2min);
  const auto since = w.standby->replica.status().took_over;
  REQUIRE(since.has_value());
  w.standby.reset();
  w.start_standby();
  w.begin("A");
  w.pass(30s);
  CHECK(w.take_told() == "standby: firing A");
  CHECK(w.standby->replica.status().took_over == since);
}

TEST_CASE("a standby that begins while the first is gone tells what it sees") {
  World w;
  w.start_standby();
  w.begin("A");
  w.pass(50s);
  CHECK(w.take_told().empty());
  w.pass(1min);
  CHECK(w.take_told() == "standby: firing A");
  w.start_first();
  w.pass(5min);
  CHECK(w.take_told().empty());
  w.end("A");
  w.pass(1min);
  CHECK(w.take_told() == "first: resolved A");
}

TEST_CASE("a standby that is restarted while the first is gone knows what that has told") {
  World w;
  w.start_both();
  w.begin("A");
  w.begin("B");
  w.pass(2min);
  CHECK(w.take_told() == "first: firing A, first: firing B");
  w.first.reset();
  w.standby.reset();
  w.end("B");
  w.start_standby();
  w.pass(3min);
  CHECK(w.take_told() == "standby: resolved B");
}

TEST_CASE(
    "what the standby has told to be over does not fire again where a restart has made blind") {
  World w;
  w.start_both();
  w.begin("A");
  w.begin("B");
  w.pass(2min);
  w.first.reset();
  w.end("A");
  w.pass(3min);
  CHECK(w.take_told() == "first: firing A, first: firing B, standby: resolved A");
  w.start_first();
  w.unseen_by_first = {"A", "B"};
  w.pass(5min);
  CHECK(w.take_told() == "");
  w.unseen_by_first.clear();
  w.end("B");
  w.pass(2min);
  CHECK(w.take_told() == "first: resolved B");
  w.begin("A");
  w.pass(2min);
  CHECK(w.take_told() == "first: firing A");
}

TEST_CASE(
    "replicas that saw an alert begin at different moments tell of it once, restarts or not") {
  World w;
  w.start_first();
  w.begin("A");
  w.pass(3min);
  w.start_standby();
  w.clock.advance(20s);  // It has heard of the first one.
  w.firing["A"] += 10s;  // As the standby saw it.
  w.standby->notifier.send(w.alerts());
  w.standby.reset();
  w.first.reset();
  w.start_standby();
  w.pass(5min);
  CHECK(w.take_told() == "first: firing A");
}

TEST_CASE("a first one that is restarted at once goes on itself") {
  World w;
  w.start_both();
  w.begin("A");
  w.pass(2min);
  w.first.reset();
  w.pass(20s);
  w.start_first();
  w.begin("B");
  w.pass(2min);
  CHECK(w.take_told() == "first: firing A, first: firing B");
}

TEST_CASE("a first one without its standby tells, after a while") {
  World w;
  w.start_first();
  w.begin("A");
  w.pass(50s);
  CHECK(w.take_told().empty());
  w.pass(1min);
  CHECK(w.take_told() == "first: firing A");
}

TEST_CASE("what the first one could not deliver is delivered once, by the standby") {
  World w;
  w.start_both();
  w.network.webhook_answers = false;
  w.begin("A");
  w.pass(1min);
  w.first.reset();
  w.pass(2min);
  w.network.webhook_answers = true;
  w.pass(6min);
  CHECK(w.take_told() == "standby: firing A");
  CHECK(w.first_disk.content.messages.size() == 1);
  w.start_first();
  w.pass(5min);
  CHECK(w.take_told().empty());
  CHECK(w.first_disk.content.messages.empty());
}

TEST_CASE("a standby takes the place of a first one that lives and evaluates nothing") {
  World w;
  w.start_both();
  w.pass(1min);
  w.first->evaluates = false;
  w.begin("A");
  w.pass(2min);
  CHECK(w.take_told() == "standby: firing A");
  w.first->evaluates = true;
  w.pass(10s);
  CHECK_FALSE(w.standby->replica.status().tells);
}

TEST_CASE("two replicas that saw an alert begin at different moments tell of it once") {
  World w;
  w.start_first();
  w.begin("A");
  w.pass(3min);
  w.firing["A"] += 10s;  // As the standby saw it.
  w.start_standby();
  w.standby->notifier.send({});
  w.clock.advance(30s);  // It has heard of the first one, and has seen nothing itself.
  w.first.reset();
  w.clock.advance(90s);
  w.pass(5min);
  CHECK(w.take_told() == "first: firing A");
  w.end("A");
  w.pass(1min);
  CHECK(w.take_told() == "standby: resolved A");
}

TEST_CASE("silences of the first one hold at the standby, and the other way round") {
  World w;
  w.start_both();
  w.pass(1min);
  notify::Silence silence;
  silence.matchers = {Matcher::equal("alertname", "A")};
  silence.starts_at = w.clock.now();
  silence.ends_at = w.clock.now() + 4h;
  silence.created_by = "me";
  silence.comment = "known";
  w.first->notifier.put_silence(silence, [](const auto& id) { CHECK(id.has_value()); });
  w.pass(20s);
  w.first.reset();
  w.begin("A");
  w.begin("B");
  w.pass(5min);
  CHECK(w.take_told() == "standby: firing B");
  silence.matchers = {Matcher::equal("alertname", "C")};
  silence.starts_at = w.clock.now();
  w.standby->notifier.put_silence(silence, [](const auto& id) { CHECK(id.has_value()); });
  w.start_first();
  w.pass(1min);
  w.begin("C");
  w.begin("D");
  w.pass(2min);
  CHECK(w.take_told() == "first: firing D");
}

TEST_CASE("the report of a replica is read as it was written, and nothing else is") {
  ReplicaReport report{true, true, false, {}};
  report.told.groups = {{"key", "{\"a\":1}"}};
  report.told.silences = {{"id", "text"}};
  report.told.messages = {{"chat", "key", "content", from_millis(1234)}};
  const auto again = decode_report(encode(report));
  REQUIRE(again.has_value());
  CHECK(again->tells);
  CHECK(again->told.groups == report.told.groups);
  CHECK(again->told.silences == report.told.silences);
  REQUIRE(again->told.messages.size() == 1);
  CHECK(again->told.messages[0].decided_at == from_millis(1234));
  for (const char* text : {"", "[]", "{}", "{\"tells\": 1}", "<html>"}) {
    CHECK(decode_report(text).error().code == ErrorCode::Parse);
  }
}

}  // namespace
}  // namespace tocsin::daemon
