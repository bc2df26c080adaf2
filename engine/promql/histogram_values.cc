// SPDX-License-Identifier: Apache-2.0
#include "promql/histogram_values.h"

#include <algorithm>
#include <cmath>

#include "promql/functions.h"
#include "promql/histogram_math.h"

namespace tocsin::promql {
namespace {

bool is_around_zero(const BucketRange& range) { return range.lower <= 0 && range.upper >= 0; }

// A histogram without negative buckets is taken to have no negative observations in the bucket
// around zero either; and the other way round.
BucketRange one_sided(BucketRange range, const Histogram& h) {
  if (!is_around_zero(range)) return range;
  if (h.negative.empty() && !h.positive.empty()) range.lower = 0;
  if (h.positive.empty() && !h.negative.empty()) range.upper = 0;
  return range;
}

bool is_linear(const BucketRange& range, const Histogram& h) {
  return h.has_custom_bounds() || is_around_zero(range);
}

// The value below which `share` of the bucket's observations are.
double value_at(double share, const BucketRange& range, const Histogram& h) {
  if (is_linear(range, h)) return range.lower + (range.upper - range.lower) * share;
  const double lower = std::log2(std::abs(range.lower));
  const double upper = std::log2(std::abs(range.upper));
  const double value = std::exp2(lower + (upper - lower) * share);
  return range.lower > 0 ? value : -value;
}

// The share of the bucket's observations that are below `value`, which is inside it.
double share_below(double value, const BucketRange& range, const Histogram& h) {
  if (std::isinf(range.lower)) return 1;
  if (std::isinf(range.upper)) return 0;
  if (is_linear(range, h)) return (value - range.lower) / (range.upper - range.lower);
  const double lower = std::log2(std::abs(range.lower));
  const double upper = std::log2(std::abs(range.upper));
  return (std::log2(std::abs(value)) - lower) / (upper - lower);
}

// The bucket that `rank` observations reach into, and what is left of the rank when it is entered.
struct Place {
  BucketRange range;
  double rank = 0;
  bool found = false;  // Otherwise it is the last one.
};

template <class Iterator>
Place find_rank(Iterator begin, Iterator end, double rank) {
  Place place;
  double count = 0;
  for (auto it = begin; it != end; ++it) {
    place = {*it, rank - count, count + it->count >= rank};
    if (place.found) return place;
    count += it->count;
  }
  place.found = count >= rank;
  return place;
}

// The number of observations below `bound`.
double rank_of(double bound, const std::vector<BucketRange>& ranges, const Histogram& h) {
  double rank = 0;
  for (const BucketRange& bucket : ranges) {
    const BucketRange range = one_sided(bucket, h);
    if (range.lower >= bound) return rank;
    if (range.upper > bound) return rank + range.count * share_below(bound, range, h);
    rank += range.count;
  }
  return std::isnan(h.sum) ? rank : h.count;
}

// Where the observations of a bucket are taken to be, for their variance.
double middle_of(const BucketRange& range, const Histogram& h) {
  if (h.has_custom_bounds()) return (range.upper + range.lower) / 2;
  if (is_around_zero(range)) return 0;
  const double middle = std::sqrt(range.upper * range.lower);
  return range.upper < 0 ? -middle : middle;
}

}  // namespace

NativeQuantile native_quantile(double q, const Histogram& h) {
  if (q < 0) return {-HUGE_VAL};
  if (q > 1) return {HUGE_VAL};
  if (h.count == 0 || std::isnan(q)) return {std::nan("")};
  const std::vector<BucketRange> ranges = ranges_of(h);
  const bool has_nan = std::isnan(h.sum);
  // From the nearer end, for accuracy; from the top one would count NaN observations.
  const bool from_below = has_nan || q < 0.5;
  const Place place = from_below ? find_rank(ranges.begin(), ranges.end(), q * h.count)
                                 : find_rank(ranges.rbegin(), ranges.rend(), (1 - q) * h.count);
  if (!place.found && has_nan) return {std::nan(""), NanEffect::IsResult};
  BucketRange range = one_sided(place.range, h);
  const NanEffect effect = has_nan ? NanEffect::SkewsHigher : NanEffect::None;
  if (h.has_custom_bounds()) {
    if (std::isinf(range.lower)) return {range.upper, effect};
    if (std::isinf(range.upper)) return {range.lower, effect};
  }
  if (!place.found) return {range.upper, effect};
  const double share = place.rank / range.count;
  return {value_at(from_below ? share : 1 - share, range, h), effect};
}

double native_fraction(double lower, double upper, const Histogram& h) {
  if (h.count == 0 || std::isnan(lower) || std::isnan(upper)) return std::nan("");
  if (lower >= upper) return 0;
  const std::vector<BucketRange> ranges = ranges_of(h);
  const double below_lower = std::min(rank_of(lower, ranges, h), h.count);
  const double below_upper = std::min(rank_of(upper, ranges, h), h.count);
  return (below_upper - below_lower) / h.count;
}

double histogram_avg(const Histogram& h) { return h.sum / h.count; }
double histogram_count(const Histogram& h) { return h.count; }
double histogram_stddev(const Histogram& h) { return std::sqrt(histogram_stdvar(h)); }
double histogram_sum(const Histogram& h) { return h.sum; }

double histogram_stdvar(const Histogram& h) {
  const double mean = h.sum / h.count;
  double variance = 0;
  double compensation = 0;
  for (const BucketRange& range : ranges_of(h)) {
    const double distance = middle_of(range, h) - mean;
    kahan_add(range.count * distance * distance, variance, compensation);
  }
  return (variance + compensation) / h.count;
}

}  // namespace tocsin::promql
