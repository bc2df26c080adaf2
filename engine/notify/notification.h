// SPDX-License-Identifier: Apache-2.0
//
// What leaves the house: an alert as receivers know it, and what the configuration says about
// receivers and routes. Plain values, in alertmanager.yml's words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/client_config.h"
#include "notify/channel.h"
#include "notify/inhibitor.h"
#include "notify/time_interval.h"
#include "tocsin/alert.h"
#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"

namespace tocsin::notify {

struct OutgoingAlert {
  Labels labels;
  std::map<std::string, std::string> annotations;
  Timestamp starts_at{};
  Timestamp ends_at{};  // Resolved: when it ended. Firing: until when to believe it.
  bool resolved = false;
  std::string generator_url;
  Timestamp decided_at{};  // The evaluation that decided; for the latency histogram.
  bool blind = false;      // Its rule cannot see it at the moment. Not written down.
};

struct AlertmanagerConfig {
  std::string url;  // "http://host:9093/prefix", without /api/v2/alerts.
  Duration timeout = std::chrono::seconds(10);
  net::ClientConfig client;

  bool operator==(const AlertmanagerConfig&) const = default;
};

// What one name stands for.
struct ReceiverConfig {
  std::string name;
  std::vector<ChannelConfig> channels;

  bool operator==(const ReceiverConfig&) const = default;
};

// A node of alertmanager.yml's route tree. What a child does not say it has from its parent, filled
// in by whoever reads the file.
struct RouteConfig {
  std::string receiver;
  Matchers matchers;
  bool continue_matching = false;
  std::vector<std::string> group_by;  // "..." alone: by all labels.
  Duration group_wait = std::chrono::seconds(30);
  Duration group_interval = std::chrono::minutes(5);
  Duration repeat_interval = std::chrono::hours(4);
  // Names of time intervals: in the first it says nothing, outside the second neither. Its own,
  // not its children's.
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  std::vector<RouteConfig> routes;

  bool operator==(const RouteConfig&) const = default;
};

struct NotifyConfig {
  std::vector<AlertmanagerConfig> alertmanagers;
  Duration resend_delay = std::chrono::minutes(1);  // To them.
  std::vector<ReceiverConfig> receivers;
  std::optional<RouteConfig> route;
  std::vector<InhibitRule> inhibit_rules;
  TimeIntervals time_intervals;
  std::string external_url;
};

}  // namespace tocsin::notify
