// SPDX-License-Identifier: Apache-2.0
//
// What scraping counts about itself, for /metrics. Values; they only grow.
#pragma once

#include <array>
#include <cstdint>

#include "source/scrape_cache.h"

namespace tocsin::source {

struct DurationHistogram {
  static constexpr std::array<double, 11> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,    2.5,   5,    10};
  std::array<std::uint64_t, 11> counts{};  // Of one bucket each, not cumulative.
  std::uint64_t count = 0;
  double sum = 0;

  void observe(double seconds) {
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      if (seconds > kBounds[i]) continue;
      ++counts[i];
      break;
    }
    ++count;
    sum += seconds;
  }
};

struct ScrapeStats {
  std::uint64_t scrapes = 0;
  std::uint64_t failures = 0;
  std::uint64_t missed_slots = 0;     // The scrape before was not done yet.
  std::uint64_t samples_scraped = 0;  // Kept or not.
  std::uint64_t samples_appended = 0;
  DropCounts drops;
  DurationHistogram duration_seconds;
};

}  // namespace tocsin::source
