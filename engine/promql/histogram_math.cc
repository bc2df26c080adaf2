// SPDX-License-Identifier: Apache-2.0
//
// What has to be as Prometheus has it is in its model/histogram/float_histogram.go.
#include "promql/histogram_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tocsin::promql {
namespace {

using Buckets = Histogram::Buckets;
using ResetHint = Histogram::ResetHint;

constexpr std::int32_t kOverflowExponent = 1024;  // 2 to this is no double any more.

enum class Sign { Plus, Minus };

// The bucket of a coarser schema that bucket `index` falls into.
std::int32_t coarser_index(std::int32_t index, std::int32_t from, std::int32_t to) {
  return ((index - 1) >> (from - to)) + 1;
}

void add_up(Buckets& buckets, std::int32_t index, double count) {
  if (!buckets.empty() && buckets.back().index == index) {
    buckets.back().count += count;
  } else {
    buckets.push_back({index, count});
  }
}

Buckets at_schema(const Buckets& buckets, std::int32_t from, std::int32_t to) {
  if (from == to) return buckets;
  Buckets out;
  for (const auto& bucket : buckets) {
    add_up(out, coarser_index(bucket.index, from, to), bucket.count);
  }
  return out;
}

Histogram at_schema(const Histogram& histogram, std::int32_t schema) {
  Histogram out = histogram;
  if (schema == histogram.schema) return out;
  out.positive = at_schema(histogram.positive, histogram.schema, schema);
  out.negative = at_schema(histogram.negative, histogram.schema, schema);
  out.schema = schema;
  return out;
}

struct ZeroBucket {
  double threshold = 0;
  double count = 0;
};

// Adds to `zero` what it takes from one side's buckets. Where its threshold ends up inside a bucket
// that is not empty, the threshold is moved to that bucket's end.
void swallow(const Buckets& buckets, std::int32_t schema, ZeroBucket& zero) {
  for (const auto& bucket : buckets) {
    if (exponential_bound(schema, bucket.index - 1) >= zero.threshold) return;
    zero.count += bucket.count;
    const double end = exponential_bound(schema, bucket.index);
    if (end > zero.threshold && bucket.count != 0) zero.threshold = end;
  }
}

// What the zero bucket of `h` would be with at least this threshold.
ZeroBucket widened_zero(const Histogram& h, double threshold) {
  if (threshold <= h.zero_threshold) return {h.zero_threshold, h.zero_count};
  for (;;) {
    ZeroBucket zero{threshold, h.zero_count};
    swallow(h.positive, h.schema, zero);
    swallow(h.negative, h.schema, zero);
    if (zero.threshold == threshold) return zero;
    threshold = zero.threshold;  // One side has moved it: the other has to be looked at again.
  }
}

void widen_zero(Histogram& h, double threshold) {
  if (threshold <= h.zero_threshold) return;
  const ZeroBucket zero = widened_zero(h, threshold);
  const auto is_inside = [&](const Histogram::Bucket& bucket) {
    return exponential_bound(h.schema, bucket.index) <= zero.threshold;
  };
  std::erase_if(h.positive, is_inside);
  std::erase_if(h.negative, is_inside);
  h.zero_threshold = zero.threshold;
  h.zero_count = zero.count;
}

// Until neither reaches into a bucket of the other.
void match_zero_buckets(Histogram& a, Histogram& b) {
  while (a.zero_threshold != b.zero_threshold) {
    widen_zero(a, b.zero_threshold);
    widen_zero(b, a.zero_threshold);
  }
}

Buckets merged(const Buckets& a, const Buckets& b, double factor) {
  Buckets out;
  out.reserve(a.size() + b.size());
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() || y != b.end()) {
    if (y == b.end() || (x != a.end() && x->index < y->index)) {
      out.push_back(*x++);
    } else if (x == a.end() || y->index < x->index) {
      out.push_back({y->index, factor * y->count});
      ++y;
    } else {
      out.push_back({x->index, x->count + factor * y->count});
      ++x;
      ++y;
    }
  }
  return out;
}

ResetHint hint_of_sum(ResetHint a, ResetHint b) {
  if (a == b) return a;
  return a == ResetHint::Gauge || b == ResetHint::Gauge ? ResetHint::Gauge : ResetHint::Unknown;
}

std::optional<HistogramConflict> combine(Histogram& to, const Histogram& other, Sign sign) {
  if (const auto conflict = conflict_of(to, other)) return conflict;
  const double factor = sign == Sign::Plus ? 1 : -1;
  to.reset_hint = sign == Sign::Plus ? hint_of_sum(to.reset_hint, other.reset_hint)
                                     : Histogram::ResetHint::Gauge;
  const std::int32_t schema = std::min(to.schema, other.schema);
  to = at_schema(to, schema);
  Histogram rest = at_schema(other, schema);
  if (!to.has_custom_bounds()) match_zero_buckets(to, rest);
  to.zero_count += factor * rest.zero_count;
  to.count += factor * rest.count;
  to.sum += factor * rest.sum;
  to.positive = merged(to.positive, rest.positive, factor);
  to.negative = merged(to.negative, rest.negative, factor);
  compact(to);
  return std::nullopt;
}

template <class Change>
void change_counts(Histogram& h, Change change) {
  change(h.zero_count);
  change(h.count);
  change(h.sum);
  for (auto& bucket : h.positive) change(bucket.count);
  for (auto& bucket : h.negative) change(bucket.count);
  compact(h);
}

// Whether a bucket has less than it had.
bool has_lost(const Buckets& now, const Buckets& before) {
  auto at = now.begin();
  for (const auto& bucket : before) {
    while (at != now.end() && at->index < bucket.index) ++at;
    const double count = at != now.end() && at->index == bucket.index ? at->count : 0.0;
    if (count < bucket.count) return true;
  }
  return false;
}

bool same_buckets(const Buckets& a, const Buckets& b) {
  const auto is_filled = [](const Histogram::Bucket& bucket) { return bucket.count != 0; };
  Buckets x;
  Buckets y;
  std::copy_if(a.begin(), a.end(), std::back_inserter(x), is_filled);
  std::copy_if(b.begin(), b.end(), std::back_inserter(y), is_filled);
  return x == y;
}

void add_custom_ranges(const Histogram& h, std::vector<BucketRange>& out) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto& bounds = h.custom_bounds;
  const auto bound = [&](std::int32_t index) {
    if (index < 0) return -kInfinity;
    const auto i = static_cast<std::size_t>(index);
    return i < bounds.size() ? bounds[i] : kInfinity;
  };
  for (const auto& [index, count] : h.positive) {
    if (count != 0) out.push_back({bound(index - 1), bound(index), count});
  }
}

}  // namespace

std::optional<HistogramConflict> conflict_of(const Histogram& a, const Histogram& b) {
  if (a.has_custom_bounds() != b.has_custom_bounds()) return HistogramConflict::Schemas;
  if (a.custom_bounds != b.custom_bounds) return HistogramConflict::Bounds;
  return std::nullopt;
}

std::optional<HistogramConflict> add(Histogram& to, const Histogram& other) {
  return combine(to, other, Sign::Plus);
}

std::optional<HistogramConflict> subtract(Histogram& from, const Histogram& other) {
  return combine(from, other, Sign::Minus);
}

void multiply(Histogram& histogram, double factor) {
  if (factor < 0) histogram.reset_hint = ResetHint::Gauge;
  change_counts(histogram, [factor](double& count) { count *= factor; });
}

void divide(Histogram& histogram, double divisor) {
  if (divisor == 0) {
    histogram.positive.clear();
    histogram.negative.clear();
  }
  if (divisor < 0) histogram.reset_hint = ResetHint::Gauge;
  change_counts(histogram, [divisor](double& count) { count /= divisor; });
}

void compact(Histogram& histogram) {
  const auto is_empty = [](const Histogram::Bucket& bucket) { return bucket.count == 0; };
  std::erase_if(histogram.positive, is_empty);
  std::erase_if(histogram.negative, is_empty);
}

bool is_reset(const Histogram& now, const Histogram& before) {
  if (now.reset_hint == ResetHint::Reset) return true;
  if (now.reset_hint == ResetHint::NotReset) return false;
  if (now.count < before.count || conflict_of(now, before)) return true;
  // More resolution and a smaller zero bucket come with a restart only.
  if (now.schema > before.schema || now.zero_threshold < before.zero_threshold) return true;
  Histogram past = at_schema(before, now.schema);
  if (!now.has_custom_bounds()) {
    widen_zero(past, now.zero_threshold);
    // A counter's zero bucket never begins to reach into a bucket that is not empty.
    if (past.zero_threshold != now.zero_threshold) return true;
  }
  return now.zero_count < past.zero_count || has_lost(now.positive, past.positive) ||
         has_lost(now.negative, past.negative);
}

bool is_same(const Histogram& a, const Histogram& b) {
  return a.schema == b.schema && a.zero_threshold == b.zero_threshold &&
         a.zero_count == b.zero_count && a.count == b.count &&
         (a.sum == b.sum || (std::isnan(a.sum) && std::isnan(b.sum))) &&
         a.custom_bounds == b.custom_bounds && same_buckets(a.positive, b.positive) &&
         same_buckets(a.negative, b.negative);
}

double exponential_bound(std::int32_t schema, std::int32_t index) {
  const double exponent = std::ldexp(static_cast<double>(index), -schema);
  if (exponent == kOverflowExponent) return std::numeric_limits<double>::max();
  const double whole = std::floor(exponent);
  return std::ldexp(std::exp2(exponent - whole), static_cast<int>(std::clamp(whole, -1e5, 1e5)));
}

std::vector<BucketRange> ranges_of(const Histogram& h) {
  std::vector<BucketRange> out;
  out.reserve(h.positive.size() + h.negative.size() + 1);
  if (h.has_custom_bounds()) {
    add_custom_ranges(h, out);
    return out;
  }
  const auto lower = [&](std::int32_t index) {
    return std::max(exponential_bound(h.schema, index - 1), h.zero_threshold);
  };
  for (auto it = h.negative.rbegin(); it != h.negative.rend(); ++it) {
    if (it->count == 0) continue;
    out.push_back(
        {-exponential_bound(h.schema, it->index), -lower(it->index), it->count, true, false});
  }
  if (h.zero_count != 0) {
    out.push_back({-h.zero_threshold, h.zero_threshold, h.zero_count, true, true});
  }
  for (const auto& [index, count] : h.positive) {
    if (count != 0) out.push_back({lower(index), exponential_bound(h.schema, index), count});
  }
  return out;
}

}  // namespace tocsin::promql
