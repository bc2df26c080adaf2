// SPDX-License-Identifier: Apache-2.0
//
// Captured pages into a store: what `--data` takes. Files, folders and patterns of text pages and
// OpenMetrics, plain or gzipped, with or without timestamps and the banners of `linkerd diagnostics
// proxy-metrics`; and the end of an archive that was recorded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/result.h"
#include "tocsin/store.h"

namespace tocsin::daemon {

struct Captured {
  std::unique_ptr<store::Store> store;
  std::size_t samples = 0;
  // Of the newest sample; the natural moment to ask about.
  Timestamp newest{};
  bool has_timestamps = false;          // Otherwise all samples are of `untimed_at`.
  std::vector<std::string> complaints;  // Sentences: what of an archive is damaged.
};

// How much of an archive is read: what most rules look back at, and not days of it.
inline constexpr Duration kEndOfArchive = std::chrono::hours(1);

// Samples without a timestamp are taken to be of `untimed_at`. Fails with the first file that
// cannot be read; "-" is standard input.
Result<Captured> load_captured(const std::vector<std::string>& data, Timestamp untimed_at);

}  // namespace tocsin::daemon
