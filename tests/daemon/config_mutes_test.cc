// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "daemon/config.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

TEST_CASE("who is not told is read in alertmanager.yml's words") {
  const LoadedConfig loaded = read_config("t.yaml", R"(
route:
  receiver: team
  routes:
    - {matchers: [severity=warning, 'team=~"a|b"'], mute_time_intervals: [night, holidays]}
    - {matchers: ['{severity="info",team!="c"}'], active_time_intervals: [office]}
receivers: [{name: team, webhook_configs: [{url: 'http://chat/'}]}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity=~"warning|info"]
    equal: [alertname, namespace]
time_intervals:
  - name: office
    time_intervals:
      - {weekdays: ['monday:friday'], times: [{start_time: 09:00, end_time: '17:00'}], location: UTC}
  - name: night
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}, {start_time: '00:00', end_time: '06:00'}]
mute_time_intervals:
  - {name: holidays, time_intervals: [{days_of_month: ['24:26', '-1'], months: [december], years: ['2026']}]}
silences: {enabled: true}
)");
  CAPTURE(loaded.diagnostics.text());
  REQUIRE(loaded.diagnostics.empty());
  const notify::NotifyConfig& c = loaded.config.notify;
  REQUIRE(c.inhibit_rules.size() == 1);
  CHECK(c.inhibit_rules[0].target[0].text() == R"(severity=~"warning|info")");
  CHECK(c.inhibit_rules[0].equal == std::vector<std::string>{"alertname", "namespace"});
  const auto& routes = c.route->routes;
  CHECK(routes[0].matchers.size() == 2);
  CHECK(routes[0].matchers[0].text() == R"(severity="warning")");
  CHECK(routes[0].mute_time_intervals == std::vector<std::string>{"night", "holidays"});
  CHECK(routes[1].matchers[1].text() == R"(team!="c")");
  CHECK(routes[1].active_time_intervals == std::vector<std::string>{"office"});
  CHECK(c.time_intervals.at("night")[0].times.size() == 2);
  CHECK(c.time_intervals.at("office")[0].contains(*parse_time("2026-11-23T09:00:00Z")));
  CHECK(c.time_intervals.at("holidays")[0].contains(*parse_time("2026-12-31T09:00:00Z")));
  CHECK_FALSE(c.time_intervals.at("holidays")[0].contains(*parse_time("2026-12-30T09:00:00Z")));
  CHECK(loaded.config.takes_silences);
}

TEST_CASE("nobody makes silences where the configuration does not say so") {
  CHECK_FALSE(read_config("t.yaml", "silences: {enabled: false}").config.takes_silences);
  CHECK_FALSE(read_config("t.yaml", "external_url: http://t").config.takes_silences);
}

TEST_CASE("a zone of this machine is found by its name") {
  const LoadedConfig loaded =
      read_config("t.yaml",
                  "time_intervals: [{name: a, time_intervals: [{location: Europe/Berlin, times: "
                  "[{start_time: '10:00', end_time: '11:00'}]}]}]\n");
  if (loaded.diagnostics.has_errors()) {
    MESSAGE("skipped: the package tzdata is not installed");
    return;
  }
  const auto& interval = loaded.config.notify.time_intervals.at("a")[0];
  CHECK(interval.contains(*parse_time("2026-07-01T08:30:00Z")));
  CHECK(interval.contains(*parse_time("2026-12-01T09:30:00Z")));
  CHECK_FALSE(interval.contains(*parse_time("2026-12-01T08:30:00Z")));
}

TEST_CASE("what is wrong about who is not told is said where it stands, with what to do") {
  const std::string route =
      "receivers: [{name: t}]\nroute:\n  receiver: t\n  routes: [{REST}]\n"
      "time_intervals: [{name: night, time_intervals: [{}]}]\n";
  const auto in_route = [&](const std::string& rest) {
    std::string text = route;
    return text.replace(text.find("REST"), 4, rest);
  };
  const auto in_interval = [](const std::string& rest) {
    return "time_intervals:\n- name: a\n  time_intervals:\n  - " + rest + "\n";
  };
  const std::pair<std::string, std::string> cases[] = {
      {in_route("mute_time_intervals: [nights]"), "t.yaml:4:35: error: no time interval is called"},
      {in_route("mute_time_intervals: [nights]"), "did you mean 'night'?"},
      {in_route("active_time_intervals: [x]"), "no time interval is called \"x\""},
      {in_route("matchers: [severity]"), "t.yaml:4:24: error: not a matcher: severity"},
      {"receivers: [{name: t}]\nroute: {receiver: t, mute_time_intervals: []}\n",
       "the root route is never muted"},
      {"receivers: [{name: t}]\nroute: {receiver: t, matchers: [a=b]}\n",
       "the root route takes every alert"},
      {in_interval("weekdays: ['monday:fryday']"),
       "t.yaml:4:16: error: not a day of the week: fryday; did you mean 'friday'?"},
      {in_interval("times: [{start_time: '25:00', end_time: '26:00'}]"),
       "t.yaml:4:26: error: not a time between 00:00 and 24:00: 25:00"},
      {in_interval("times: [{start_time: '22:00', end_time: '06:00'}]"), "over midnight"},
      {in_interval("times: [{start_time: '22:00'}]"), "'end_time' is missing"},
      {in_interval("days_of_month: ['0']"), "a month has no day 0"},
      {in_interval("months: [decembre]"), "did you mean 'december'?"},
      {in_interval("location: Europe/Berlim"), "no time zone is called \"Europe/Berlim\""},
      {in_interval("location: ../../../etc/passwd"), "no time zone is called"},
      {in_interval("location: Europe"), "t.yaml:4:15: error: "},
      {in_interval("location: /etc/passwd"), "no time zone is called"},
      {in_interval("weekday: [monday]"), "did you mean 'weekdays'?"},
      {"time_intervals: [{name: a}, {name: a}]\n", "two time intervals are called \"a\""},
      {"inhibit_rules: [{source_matchers: [a=b]}]\n", "is about every alert"},
      {"inhibit_rules: [{source_matchers: [a=b], target_matchers: ['c=~(']}]\n",
       "t.yaml:1:60: error"},
      {"inhibit_rules: [{source_match: {a: b}, target_matchers: [a=b], source_matchers: [a=b]}]\n",
       "there is no \"source_match\": write matchers"},
      {"silences: {}\n", "'enabled' is missing"},
  };
  for (const auto& [document, complaint] : cases) {
    const LoadedConfig loaded = read_config("t.yaml", document);
    const std::string text = loaded.diagnostics.text();
    CAPTURE(document);
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
  }
}

}  // namespace
}  // namespace tocsin::daemon
