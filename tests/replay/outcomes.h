// SPDX-License-Identifier: Apache-2.0
//
// Outcomes as literals, for the tests of this folder: an hour on a day in November.
#pragma once

#include <algorithm>
#include <string>

#include "replay/outcome.h"

namespace tocsin::replay {

inline const Timestamp kNoon = from_millis(1'764'158'400'000);  // 2025-11-26T12:00:00Z

inline Timestamp minute(int m) { return kNoon + std::chrono::minutes(m); }

inline ReplayedRule alerting(const std::string& name, const std::string& severity) {
  ReplayedRule out;
  out.group = "shop";
  out.rule.name = name;
  out.rule.labels = {{"severity", severity}};
  out.rule.place.file = "rules.yaml";
  return out;
}

// Of a deployment; pending for two minutes. Without an end it goes on.
inline Episode alert_of(std::size_t rule, const ReplayedRule& of, const std::string& deployment,
                        int fired, std::optional<int> ended, double peak = 0.5) {
  Episode out;
  out.rule = rule;
  out.labels = Labels{{"alertname", of.rule.name},
                      {"deployment", deployment},
                      {"severity", of.rule.labels.at("severity")}};
  out.pending_at = minute(fired - 2);
  out.fired_at = minute(fired);
  if (ended) out.ended_at = minute(*ended);
  out.peak = peak;
  out.summary = deployment + " <is> bad";
  return out;
}

// Web fails twice, api once and is slow meanwhile; nothing is ever full.
inline Outcome an_hour() {
  Outcome out;
  out.from = minute(0);
  out.to = minute(60);
  out.rules = {alerting("Failing", "critical"), alerting("Slow", "warning"),
               alerting("Full", "warning")};
  out.episodes = {alert_of(0, out.rules[0], "web", 5, 10, 0.25),
                  alert_of(0, out.rules[0], "web", 20, 22, 0.75),
                  alert_of(1, out.rules[1], "api", 29, 50, 1.5),
                  alert_of(0, out.rules[0], "api", 30, std::nullopt)};
  out.rules[1].pending_only = 3;
  for (const Episode& episode : out.episodes) {
    const ToldAlert told{episode.rule, episode.labels};
    out.pages.push_back({episode.fired_at, "everybody", {told}, {}});
    if (episode.ended_at) out.pages.push_back({*episode.ended_at, "everybody", {}, {told}});
  }
  std::stable_sort(out.pages.begin(), out.pages.end(),
                   [](const Page& a, const Page& b) { return a.at < b.at; });
  return out;
}

}  // namespace tocsin::replay
