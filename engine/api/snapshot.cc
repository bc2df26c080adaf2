// SPDX-License-Identifier: Apache-2.0
#include "api/snapshot.h"

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
          .store = backend.store_stats(),
          .kept = backend.kept(),
          .history = backend.history()};
}

}  // namespace tocsin::api
