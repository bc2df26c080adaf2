// SPDX-License-Identifier: Apache-2.0
//
// Classic histograms: Prometheus' promql/quantile.go.
#include <algorithm>
#include <cmath>

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

// Counts that differ by less than this, relatively, are the same: what is left of float arithmetic.
constexpr double kSmallDelta = 1e-12;

bool almost_equal(double a, double b) {
  if (a == b) return true;
  const double scale = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  if (a == 0 || b == 0 || scale < 0x1p-1022) return difference < kSmallDelta * 0x1p-1022;
  return difference / std::min(scale, 0x1.fffffffffffffp+1023) < kSmallDelta;
}

// Sorts, and adds up buckets with the same bound.
void coalesce(std::vector<Bucket>& buckets) {
  const auto is_not_below = [](const Bucket& a, const Bucket& b) {
    return !(a.upper_bound < b.upper_bound);
  };
  // They mostly come as a page has them.
  if (std::adjacent_find(buckets.begin(), buckets.end(), is_not_below) == buckets.end()) return;
  std::sort(buckets.begin(), buckets.end(),
            [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
  std::size_t last = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[last].upper_bound) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
}

// Whether anything but what is left of float arithmetic was to be changed.
bool make_monotonic(std::vector<Bucket>& buckets) {
  bool changed = false;
  double before = buckets[0].count;
  for (Bucket& bucket : buckets) {
    if (almost_equal(bucket.count, before)) {
      bucket.count = before;
    } else if (bucket.count < before) {
      bucket.count = before;
      changed = true;
    } else {
      before = bucket.count;
    }
  }
  return changed;
}

bool is_complete(const std::vector<Bucket>& buckets) {
  return !buckets.empty() && std::isinf(buckets.back().upper_bound) &&
         buckets.back().upper_bound > 0;
}

// Of buckets that are sorted and rising; the last has no bound.
double monotonic_quantile(double q, const std::vector<Bucket>& buckets) {
  const double observations = buckets.back().count;
  if (observations == 0) return std::nan("");
  double rank = q * observations;
  std::size_t b = 0;
  while (b + 1 < buckets.size() && !(buckets[b].count >= rank)) ++b;
  if (b == buckets.size() - 1) return buckets[buckets.size() - 2].upper_bound;
  if (b == 0 && buckets[0].upper_bound <= 0) return buckets[0].upper_bound;
  double start = 0;
  double count = buckets[b].count;
  if (b > 0) {
    start = buckets[b - 1].upper_bound;
    count -= buckets[b - 1].count;
    rank -= buckets[b - 1].count;
  }
  return start + (buckets[b].upper_bound - start) * (rank / count);
}

}  // namespace

BucketQuantile bucket_quantile(double q, std::vector<Bucket>& buckets) {
  if (std::isnan(q) || buckets.empty()) return {std::nan("")};
  if (q < 0) return {-HUGE_VAL};
  if (q > 1) return {HUGE_VAL};
  coalesce(buckets);
  if (!is_complete(buckets) || buckets.size() < 2) return {std::nan("")};
  const bool was_fixed = make_monotonic(buckets);
  return {monotonic_quantile(q, buckets), was_fixed};
}

double bucket_fraction(double lower, double upper, std::vector<Bucket>& buckets) {
  if (buckets.empty() || std::isnan(lower) || std::isnan(upper)) return std::nan("");
  coalesce(buckets);
  if (!is_complete(buckets)) return std::nan("");
  make_monotonic(buckets);
  const double count = buckets.back().count;
  if (count == 0) return std::nan("");
  if (lower >= upper) return 0;
  // The number of observations at or below `bound`, interpolated inside its bucket.
  const auto rank_at = [&](double bound) {
    double below = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const double end = buckets[i].upper_bound;
      const double start = i > 0 ? buckets[i - 1].upper_bound : end > 0 ? 0.0 : -HUGE_VAL;
      if (start >= bound) return below;
      if (end > bound) {
        if (std::isinf(start) || std::isinf(end))
          return std::isinf(start) ? buckets[i].count : below;
        return below + (buckets[i].count - below) * (bound - start) / (end - start);
      }
      below = buckets[i].count;
    }
    return count;
  };
  return (rank_at(upper) - rank_at(lower)) / count;
}

}  // namespace tocsin::promql
