// SPDX-License-Identifier: Apache-2.0
#include "simulate/distribution.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tocsin::simulate {
namespace {

constexpr double kMilliseconds[] = {1,    2,    3,     4,     5,     10,    20,   30,   40,
                                    50,   100,  200,   300,   400,   500,   1000, 2000, 3000,
                                    4000, 5000, 10000, 20000, 30000, 40000, 50000};
constexpr double kCoarse[] = {0.05, 0.5, 1, 10};
constexpr double kFine[] = {0.025, 0.05, 0.1, 0.25, 0.5, 1, 10};
constexpr double kInformerLag[] = {0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000};

constexpr double kZ99 = 2.3263478740408408;  // The standard normal's 99th percentile.

// A share this near to 1 is 1: buckets are rounded down one by one, and the far ones must not lag
// behind the count.
constexpr double kAll = 0.9999;

double unit_ms(Bounds bounds) { return bounds == Bounds::Milliseconds ? 1 : 1000; }

}  // namespace

std::span<const double> bounds_of(Bounds bounds) {
  switch (bounds) {
    case Bounds::None:
      return {};
    case Bounds::Milliseconds:
      return kMilliseconds;
    case Bounds::Coarse:
      return kCoarse;
    case Bounds::Fine:
      return kFine;
    case Bounds::InformerLag:
      return kInformerLag;
  }
  return {};
}

Distribution::Distribution(double median_ms, double p99_ms) {
  const double mu = std::log(median_ms);
  const double sigma = std::max(std::log(p99_ms) - mu, 0.01) / kZ99;
  mean_ms_ = std::exp(mu + sigma * sigma / 2);
  for (const Bounds bounds :
       {Bounds::Milliseconds, Bounds::Coarse, Bounds::Fine, Bounds::InformerLag}) {
    std::vector<double>& shares = shares_[static_cast<std::size_t>(bounds)];
    for (const double bound : bounds_of(bounds)) {
      const double z = (std::log(bound * unit_ms(bounds)) - mu) / sigma;
      const double share = 0.5 * std::erfc(-z / std::numbers::sqrt2);
      shares.push_back(share > kAll ? 1 : share);
    }
    shares.push_back(1);
  }
}

double Distribution::mean(Bounds bounds) const { return mean_ms_ / unit_ms(bounds); }

}  // namespace tocsin::simulate
