// SPDX-License-Identifier: Apache-2.0
//
// A history that a Prometheus remembers, or anything that speaks its query API. The samples
// themselves are asked for (`selector[10m]`), a stretch of time after the other, several selectors
// at once.
//
// A question that is not answered is asked again, twice; after that the history ends there
// (failure()). With a cache, what was answered is not asked again, by a later run either.
//
// That API does not tell of stale markers: a series that has no samples for longer than twice its
// usual interval is taken to have ended.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "replay/answer_cache.h"
#include "replay/history.h"
#include "source/remote_query.h"

namespace tocsin::replay {

struct RemoteHistoryOptions {
  source::RemoteConfig server;
  std::vector<promql::Need> needs;
  History::Extent extent;  // What is asked for.
  std::size_t threads = 4;
  std::optional<AnswerCache> cache;
  // What is newer than this may still change: it is not kept in the cache.
  Timestamp settled = Timestamp::max();
  std::function<net::HttpResult(const net::HttpRequest&)> fetch = net::fetch;
};

std::unique_ptr<History> open_remote_history(RemoteHistoryOptions options);

}  // namespace tocsin::replay
