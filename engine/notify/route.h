// SPDX-License-Identifier: Apache-2.0
//
// Which receivers an alert goes to, and in which group: alertmanager.yml's route tree. Pure.
#pragma once

#include <string>
#include <vector>

#include "notify/notification.h"

namespace tocsin::notify {

struct Destination {
  const RouteConfig* route = nullptr;  // Lives as long as the tree.
  std::string route_key;               // "{}/{severity=\"page\"}", as Alertmanager writes it.
  Labels group_labels;
  std::string group_key() const { return route_key + ":" + group_labels.text(); }
  // Of the group at this receiver.
  std::string key() const { return route->receiver + "|" + group_key(); }
};

// The routes that take an alert with these labels: the deepest matching ones, the first of each
// level unless it says `continue`.
std::vector<Destination> destinations_of(const RouteConfig& root, const Labels& labels);

}  // namespace tocsin::notify
