// SPDX-License-Identifier: Apache-2.0
#include "notify/codec.h"

#include <doctest/doctest.h>

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;

OutgoingAlert an_alert() {
  OutgoingAlert alert;
  alert.labels = Labels{{"alertname", "A"}, {"path", "\"quoted\"\n\\ <b> – ü"}};
  alert.annotations = {{"summary", std::string("nul \0 inside", 12)}, {"empty", ""}};
  alert.starts_at = from_millis(1'795'369'320'123);
  alert.ends_at = from_millis(-5);
  alert.resolved = true;
  alert.generator_url = "http://t/graph?g0.expr=a%3E1";
  alert.decided_at = from_millis(7);
  return alert;
}

void check_equal(const OutgoingAlert& a, const OutgoingAlert& b) {
  CHECK(a.labels == b.labels);
  CHECK(a.annotations == b.annotations);
  CHECK(a.starts_at == b.starts_at);
  CHECK(a.ends_at == b.ends_at);
  CHECK(a.resolved == b.resolved);
  CHECK(a.generator_url == b.generator_url);
  CHECK(a.decided_at == b.decided_at);
}

TEST_CASE("an alert comes back from the outbox as it was put in") {
  const auto back = decode_content(encode(Content(an_alert())));
  REQUIRE(back.has_value());
  check_equal(std::get<OutgoingAlert>(*back), an_alert());
}

TEST_CASE("a group's message comes back as it was") {
  GroupMessage group{"chat", "{}:{a=\"b\"}", Labels{{"a", "b"}}, {an_alert(), {}}, "http://t"};
  const auto back = decode_content(encode(Content(group)));
  REQUIRE(back.has_value());
  const auto& read = std::get<GroupMessage>(*back);
  CHECK(read.receiver == group.receiver);
  CHECK(read.group_key == group.group_key);
  CHECK(read.group_labels == group.group_labels);
  CHECK(read.external_url == group.external_url);
  REQUIRE(read.alerts.size() == 2);
  check_equal(read.alerts[0], group.alerts[0]);
}

TEST_CASE("what a group has been told comes back as it was") {
  GroupState group;
  group.timing.receiver = "chat";
  group.timing.group_wait = 1s;
  group.timing.group_interval = 2s;
  group.timing.repeat_interval = 3s;
  group.labels = Labels{{"a", "b"}};
  group.timing.mute_time_intervals = {"night"};
  group.timing.active_time_intervals = {"office"};
  group.alerts = {{an_alert().labels, {an_alert(), false, true, true}}};
  group.last_flush = from_millis(99);
  const auto back = decode_group(encode(group));
  REQUIRE(back.has_value());
  CHECK(back->timing == group.timing);
  CHECK(back->labels == group.labels);
  CHECK(back->last_flush == group.last_flush);
  REQUIRE(back->alerts.size() == 1);
  const GroupedAlert& read = back->alerts.begin()->second;
  check_equal(read.alert, an_alert());
  CHECK_FALSE(read.news);
  CHECK(read.told);
  CHECK(read.held);
}

TEST_CASE("anything else is an error, never a crash") {
  for (const char* text : {"", "{", "[]", "{}", "null", R"({"alert":1})", R"({"alert":{}})",
                           R"({"group":{"receiver":2}})"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_content(text).has_value());
    CHECK_FALSE(decode_group(text).has_value());
  }
}

}  // namespace
}  // namespace tocsin::notify
