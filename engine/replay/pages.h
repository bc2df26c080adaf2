// SPDX-License-Identifier: Apache-2.0
//
// Which messages receivers would have been sent: alerts pass the routes, groups, inhibition and
// muted intervals of a configuration (notify/grouper.h, the very one of the daemon) on a clock of
// their own. Silences are left out: whoever replays wants to know what the rules do.
//
// One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/config.h"
#include "notify/notification.h"
#include "replay/outcome.h"

namespace tocsin::replay {

// Alerts that a rule sends at one moment.
struct Sending {
  Timestamp at;
  std::size_t rule = 0;  // In Outcome::rules.
  std::vector<notify::OutgoingAlert> alerts;
  std::vector<Labels> labels;  // Of their episodes, in the same order.
};

// A configuration without routes: one receiver, told of each alert by itself when it fires, when it
// is over, and every four hours.
notify::NotifyConfig plain_routes();

std::vector<Page> pages_of(std::vector<Sending> sendings, const notify::NotifyConfig& config,
                           Timestamp until);

}  // namespace tocsin::replay
