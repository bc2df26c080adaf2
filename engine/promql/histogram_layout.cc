// SPDX-License-Identifier: Apache-2.0
#include "promql/histogram_layout.h"

#include <algorithm>
#include <cmath>

namespace tocsin::promql {
namespace {

constexpr std::int32_t kCoarsest = -4;
constexpr std::int32_t kFinest = 8;
constexpr double kTolerance = 1e-9;  // Relative; bounds are at least 0.27 % apart.

bool is_zero_bucket(const BucketRange& range) {
  return range.includes_lower && range.includes_upper && range.lower == -range.upper;
}

bool is_negative(const BucketRange& range) { return range.includes_lower && !range.includes_upper; }

bool is_near(double a, double b) { return a == b || std::abs(a - b) <= kTolerance * std::abs(b); }

// The index of the exponential bucket between these bounds, of which the lower may be the end of
// the zero bucket; nothing if the schema has none.
std::optional<std::int32_t> index_of(double lower, double upper, std::int32_t schema,
                                     double zero_threshold) {
  if (!(lower >= 0) || !(upper > lower)) return std::nullopt;
  const auto nearest = [&](double bound) {
    return static_cast<std::int32_t>(std::llround(std::ldexp(std::log2(bound), schema)));
  };
  if (std::isinf(upper) && lower == 0) return std::nullopt;
  const std::int32_t index = std::isinf(upper) ? nearest(lower) + 1 : nearest(upper);
  const double start = std::max(exponential_bound(schema, index - 1), zero_threshold);
  if (!is_near(upper, exponential_bound(schema, index)) || !is_near(lower, start)) {
    return std::nullopt;
  }
  return index;
}

// Puts the buckets in their places; false where one does not fit.
bool place(const std::vector<BucketRange>& ranges, Histogram& out) {
  for (const BucketRange& range : ranges) {
    if (is_zero_bucket(range)) continue;
    const bool negative = is_negative(range);
    const auto index = negative
                           ? index_of(-range.upper, -range.lower, out.schema, out.zero_threshold)
                           : index_of(range.lower, range.upper, out.schema, out.zero_threshold);
    if (!index) return false;
    (negative ? out.negative : out.positive).push_back({*index, range.count});
  }
  std::reverse(out.negative.begin(), out.negative.end());
  return true;
}

std::optional<Histogram> exponential(const std::vector<BucketRange>& ranges) {
  for (std::int32_t schema = kFinest; schema >= kCoarsest; --schema) {
    Histogram out;
    out.schema = schema;
    for (const BucketRange& range : ranges) {
      if (!is_zero_bucket(range)) continue;
      out.zero_threshold = range.upper;
      out.zero_count = range.count;
    }
    if (place(ranges, out)) return out;
  }
  return std::nullopt;
}

bool is_rising(const std::vector<BucketRange>& ranges) {
  double end = -HUGE_VAL;
  for (const BucketRange& range : ranges) {
    if (!(range.lower >= end) || !(range.upper > range.lower)) return false;
    end = range.upper;
  }
  return true;
}

std::optional<Histogram> custom(const std::vector<BucketRange>& ranges) {
  Histogram out;
  out.schema = Histogram::kCustomBounds;
  for (const BucketRange& range : ranges) {
    if (range.includes_lower || !range.includes_upper) return std::nullopt;
    for (const double bound : {range.lower, range.upper}) {
      const bool is_known = !out.custom_bounds.empty() && out.custom_bounds.back() == bound;
      if (std::isfinite(bound) && !is_known) out.custom_bounds.push_back(bound);
    }
    const std::size_t buckets = out.custom_bounds.size() + (std::isinf(range.upper) ? 1 : 0);
    out.positive.push_back({static_cast<std::int32_t>(buckets) - 1, range.count});
  }
  return out;
}

// Whether only exponential buckets can look so.
bool is_surely_exponential(const Histogram& h) {
  return h.schema > 0 || h.zero_count != 0 || !h.negative.empty();
}

}  // namespace

Result<Histogram> histogram_of(double count, double sum, const std::vector<BucketRange>& ranges) {
  if (!is_rising(ranges) && !std::any_of(ranges.begin(), ranges.end(), is_zero_bucket)) {
    return fail(ErrorCode::Parse, "the buckets of a native histogram are in no order");
  }
  std::optional<Histogram> out = exponential(ranges);
  if (out && !is_surely_exponential(*out)) {
    return fail(ErrorCode::InvalidArgument,
                "a native histogram's buckets may be exponential or have custom bounds; ask for "
                "numbers instead, such as histogram_quantile()");
  }
  if (!out) out = custom(ranges);
  if (!out) return fail(ErrorCode::Parse, "no native histogram has such buckets");
  out->count = count;
  out->sum = sum;
  return std::move(*out);
}

}  // namespace tocsin::promql
