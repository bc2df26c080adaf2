// SPDX-License-Identifier: Apache-2.0
#include "api/snapshot.h"

#include <algorithm>

#include "api/page_view.h"

namespace tocsin::api {

Snapshot take_snapshot(const Backend& backend) {
  return {.now = backend.now(),
          .ready = backend.is_ready(),
          .status = backend.status(),
          .groups = backend.groups(),
          .targets = backend.targets(),
          .scrapes = backend.scrape_stats(),
          .receivers = backend.receivers(),
          .notification_latency = backend.notification_latency(),
          .notifications_muted = backend.notifications_muted(),
          .store = backend.store_stats(),
          .kept = backend.kept(),
          .history = backend.history(),
          .muted = {},
          .links = {}};
}

Snapshot take_page_snapshot(const Backend& backend) {
  Snapshot out = take_snapshot(backend);
  for (const GroupStatus& group : out.groups) {
    for (const RuleStatus& rule : group.rules) {
      for (const alert::Alert& alert : rule.alerts) {
        if (auto mute = backend.mute_of(alert)) out.muted.emplace(alert.labels, std::move(*mute));
      }
    }
  }
  const std::vector<ActiveAlert> firing = PageView(out).firing;
  for (std::size_t i = 0; i < std::min(firing.size(), kMostCards); ++i) {
    const alert::Alert& alert = *firing[i].alert;
    out.links.emplace(alert.labels, backend.links_of(alert));
  }
  return out;
}

}  // namespace tocsin::api
