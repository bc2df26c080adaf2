// SPDX-License-Identifier: Apache-2.0
//
// How long requests take, as histograms want it: the share at or below each bound. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tocsin::simulate {

// The sets of histogram bounds that Linkerd uses.
enum class Bounds : std::uint8_t {
  None,
  Milliseconds,  // response_latency_ms: 1 to 50000
  Coarse,        // .05 .5 1 10 seconds
  Fine,          // .025 .05 .1 .25 .5 1 10 seconds
  InformerLag,   // .5 to 1000 seconds
};
inline constexpr std::size_t kBoundsCount = 5;

// The upper bounds, without the last one, +Inf.
std::span<const double> bounds_of(Bounds bounds);

// A log-normal distribution.
class Distribution {
 public:
  Distribution(double median_ms, double p99_ms);

  // For each bound the share at or below it; then 1, for +Inf.
  std::span<const double> shares(Bounds bounds) const {
    return shares_[static_cast<std::size_t>(bounds)];
  }
  // In the unit of the bounds.
  double mean(Bounds bounds) const;

 private:
  std::array<std::vector<double>, kBoundsCount> shares_;
  double mean_ms_;
};

}  // namespace tocsin::simulate
