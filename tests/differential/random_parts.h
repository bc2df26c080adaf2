// SPDX-License-Identifier: Apache-2.0
//
// What the generator of random expressions knows of a part: its text, its labels, and how far its
// values can be trusted to be the same in two engines.
#pragma once

#include <string>
#include <vector>

#include "differential/random_data.h"

namespace tocsin::differential {

using Names = std::vector<std::string>;

// What is known of a part's values.
struct Traits {
  bool exact = true;      // The same bits in every engine.
  bool whole = false;     // Whole numbers, small enough for exact sums.
  bool finite = true;     // No NaN, no infinity.
  bool positive = false;  // Or zero: a mean of them is not zero by chance.
  bool distinct = false;  // No two alike.
  bool named = false;     // Has the metric's name still.
  bool mixed = false;     // Of several metrics; one of each would be the same without the name.
  bool counts = false;    // Counters, as scraped.
};

// A scalar, a vector or a range vector, as text.
struct Part {
  std::string text;
  Traits traits;
  std::vector<std::string> labels;  // That identify an element, the name left out.
};

inline std::string join(const Names& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

inline std::string in_parentheses(const Names& names) { return "(" + join(names) + ")"; }

inline bool is_exact(const Part& part) { return part.traits.exact && !part.traits.mixed; }
inline bool is_plain(const Part& part) { return !part.traits.mixed; }

// Whether the mean is the same to nine digits: of what may cancel out it is zero here, and nearly
// zero there.
inline bool has_safe_mean(const Traits& t) {
  return t.finite && (t.positive || t.named || !t.exact);
}

// The traits of values that some arithmetic made of others'.
inline Traits computed(const Traits& from) {
  Traits out = from;
  out.whole = out.positive = out.named = out.mixed = out.counts = out.distinct = false;
  return out;
}
inline Traits approximate(const Traits& from) {
  Traits out = computed(from);
  out.exact = false;
  return out;
}
inline constexpr Traits kCount{.exact = true, .whole = true, .positive = true};

inline Traits both(const Traits& a, const Traits& b) {
  return {.exact = a.exact && b.exact,
          .whole = a.whole && b.whole,
          .finite = a.finite && b.finite,
          .positive = a.positive && b.positive,
          .distinct = false,
          .named = a.named && b.named,
          .mixed = a.mixed || b.mixed,
          .counts = false};
}

inline Traits traits_of(MetricKind kind) {
  Traits out{.named = true};
  out.whole = kind != MetricKind::Real && kind != MetricKind::Odd;
  out.finite = kind != MetricKind::Odd;
  out.positive = out.whole;
  out.distinct = kind == MetricKind::Real;
  out.counts = kind == MetricKind::Counter || kind == MetricKind::Bucket;
  return out;
}

}  // namespace tocsin::differential
