// SPDX-License-Identifier: Apache-2.0
#include "alert/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tocsin::alert {
namespace {

constexpr std::array<const char*, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

std::string sparkline(std::span<const double> values) {
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  std::size_t numbers = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
    ++numbers;
  }
  if (numbers < 2) return "";
  // Halves: the range itself may be more than a number can say.
  const double range = most / 2 - least / 2;
  std::string out;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      out += " ";
      continue;
    }
    const double share = range > 0 ? (value / 2 - least / 2) / range : 0.5;
    out += kBlocks[static_cast<std::size_t>(std::lround(share * (kBlocks.size() - 1)))];
  }
  return out;
}

}  // namespace tocsin::alert
