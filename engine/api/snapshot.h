// SPDX-License-Identifier: Apache-2.0
//
// Snapshot is everything that the backend tells about the daemon at one moment: what the web page
// and /metrics are written from. A value; pure functions take it from there.
#pragma once

#include <vector>

#include "api/backend.h"

namespace tocsin::api {

struct Snapshot {
  Timestamp now{};
  bool ready = false;
  ServerStatus status;
  std::vector<GroupStatus> groups;
  std::vector<source::TargetStatus> targets;
  source::ScrapeStats scrapes;
  std::vector<notify::Notifier::ReceiverStatus> receivers;
  notify::LatencyHistogram notification_latency;
  notify::MuteCounts notifications_muted{};
  store::Stats store;
  std::vector<KeptMetric> kept;
  std::vector<state::HistoryEntry> history;  // The newest first.
  // By the alert's labels. Empty but for pages.
  std::map<Labels, notify::Mute> muted;
  std::map<Labels, std::map<std::string, std::string>> links;  // Of alerts with a card.
};

// Loop thread only.
Snapshot take_snapshot(const Backend& backend);
// The same, with who is not told of what, and where to look for more.
Snapshot take_page_snapshot(const Backend& backend);

}  // namespace tocsin::api
