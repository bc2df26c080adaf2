// SPDX-License-Identifier: Apache-2.0
//
// A notifier in a world where the test gives the time, the receivers' answers and the disk.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "notify/notifier.h"
#include "support/fake_http.h"
#include "support/manual_clock.h"

namespace tocsin::notify {

using namespace std::chrono_literals;

inline constexpr Timestamp kStart = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

inline OutgoingAlert alert(const char* deployment, bool resolved = false) {
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

// Of deployments 0, 1, …
inline std::vector<OutgoingAlert> alerts_of(int count) {
  std::vector<OutgoingAlert> out;
  for (int i = 0; i < count; ++i) out.push_back(alert(std::to_string(i).c_str()));
  return out;
}

struct World {
  testing::ManualClock clock;
  testing::FakeHttp http;
  Notifier notifier;

  explicit World(NotifyConfig config, Outbox* outbox = nullptr, Timestamp start = kStart)
      : clock(start),
        notifier({http, clock, clock, [] { return 0.0; }, {}, outbox}, std::move(config)) {}
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

inline NotifyConfig two_alertmanagers() {
  NotifyConfig config;
  config.alertmanagers = {{"http://am1:9093/prefix", 10s, {}}, {"http://am2:9093", 10s, {}}};
  return config;
}

inline NotifyConfig one_alertmanager() {
  NotifyConfig config = two_alertmanagers();
  config.alertmanagers.pop_back();
  return config;
}

inline NotifyConfig one_webhook() {
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

}  // namespace tocsin::notify
