// SPDX-License-Identifier: Apache-2.0
//
// The bodies that receivers are sent. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "notify/notification.h"

namespace tocsin::notify {

// Alertmanager's API v2: what POST /api/v2/alerts takes.
std::string alertmanager_body(const std::vector<const OutgoingAlert*>& alerts);

// A group of alerts for one receiver, at one moment.
struct GroupMessage {
  std::string receiver;
  std::string group_key;
  Labels group_labels;
  std::vector<OutgoingAlert> alerts;
  std::string external_url;
  // Nothing is over: its alerts are told in other groups. For those who keep an incident of each
  // group, and would keep this one for ever.
  bool has_moved = false;
};

// `newer` in place of `older`, which nobody has heard: with the ends since `since` that only
// `older` tells of. Nothing where there are none.
std::optional<GroupMessage> with_ends_of(const GroupMessage& older, const GroupMessage& newer,
                                         Timestamp since);

// Alertmanager's webhook, version "4". `max_alerts` 0 is all.
std::string webhook_body(const GroupMessage& group, std::size_t max_alerts);

// What all alerts of the group agree on.
std::map<std::string, std::string> common_labels(const GroupMessage& group);
std::map<std::string, std::string> common_annotations(const GroupMessage& group);

// 16 hexadecimal digits, from the labels: what Alertmanager shows as an alert's fingerprint.
std::string fingerprint(const Labels& labels);

}  // namespace tocsin::notify
