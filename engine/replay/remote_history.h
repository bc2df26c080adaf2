// SPDX-License-Identifier: Apache-2.0
//
// A history that a Prometheus remembers, or anything that speaks its query API. The samples
// themselves are asked for (`selector[10m]`), a stretch of time after the other, several selectors
// at once.
//
// That API does not tell of stale markers: a series that has no samples for longer than twice its
// usual interval is taken to have ended.
#pragma once

#include <memory>

#include "replay/history.h"
#include "source/remote_query.h"

namespace tocsin::replay {

struct RemoteHistoryOptions {
  source::RemoteConfig server;
  std::vector<promql::Need> needs;
  History::Extent extent;  // What is asked for.
  Duration slack = std::chrono::minutes(30);
  std::size_t threads = 4;
};

std::unique_ptr<History> open_remote_history(RemoteHistoryOptions options);

}  // namespace tocsin::replay
