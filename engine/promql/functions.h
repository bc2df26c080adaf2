// SPDX-License-Identifier: Apache-2.0
//
// The one table of PromQL's functions: name, argument types, result type, implementation. Parser,
// type checker, evaluator and reference all read it.
#pragma once

#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "tocsin/promql.h"

namespace tocsin::promql {

// The window that a range function sees: the samples in (from, upto], and when it is asked.
struct Window {
  std::span<const Sample> samples;  // Never empty.
  Timestamp from;
  Timestamp upto;
  Timestamp at;  // The evaluation's own time, which `offset` and `@` do not move.
};

// What a function is made of. Scalar arguments arrive in `params`, in the order of the call.
using MathFunction = double (*)(double value);
using ParamFunction = double (*)(double value, std::span<const double> params);
using DateFunction = double (*)(std::int64_t unix_seconds);
using RangeFunction = std::optional<double> (*)(const Window& window,
                                                std::span<const double> params);
// By how much a window's samples change, from the first to the last, stretched to all of the
// window: of a counter, what is lost at resets is added.
enum class Counts { Counter, Gauge };
enum class Per { Window, Second };
struct Change {
  Counts counts;
  Per per;
};
using HistogramFunction = double (*)(const Histogram& histogram);
// Functions that need to see more than one element's value.
enum class Special {
  Absent,
  AbsentOverTime,
  HistogramFraction,
  HistogramQuantile,
  LabelJoin,
  LabelReplace,
  Pi,
  ToScalar,
  Sort,
  SortByLabel,
  SortByLabelDesc,
  SortDesc,
  Time,
  Timestamp,
  ToVector
};
using Implementation = std::variant<MathFunction, ParamFunction, DateFunction, RangeFunction,
                                    Change, HistogramFunction, Special>;

// What else is to be known of a function.
struct Traits {
  bool keeps_name = false;  // Of the metric, in what it returns.
  // Whether its value depends on the time of the evaluation even if nothing that it reads does.
  bool reads_clock = false;
  // Whether the names of what it reads should be those of counters.
  bool of_counters = false;
  // Prometheus has it behind a feature flag, or not before 3.0: not every query API knows it.
  bool experimental = false;
};

struct Function {
  std::string_view name;
  std::array<ValueType, 5> args;  // Up to the first None.
  // How many of the last arguments may be left out; -1: the last may be repeated, or left out.
  int optional_args;
  ValueType result;
  Implementation implementation;
  std::string_view summary;  // One line, for the reference.
  Traits traits = {};

  std::size_t arg_count() const;  // Number of entries in `args`.
  std::size_t required_args() const;
  std::size_t max_args() const;
  ValueType arg(std::size_t index) const;
};

// Null if there is none.
const Function* find_function(std::string_view name);
// The function or aggregation whose name is most like `name`; empty when none is near.
std::string nearest_function(std::string_view name);
std::span<const Function> all_functions();
// "rate(range vector)", "round(instant vector, [scalar])".
std::string signature_of(const Function& function);

// The value at quantile `q` of `values`, which are reordered: linear interpolation between the two
// nearest ranks (Prometheus' quantile()).
double quantile_of(double q, std::vector<double>& values);
double quantile_of_sorted(double q, std::span<const double> values);
// NaN sorts first, as in Prometheus' heap.
inline bool sorts_before(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; }

// Adds `increment` to `sum` with Neumaier's compensation in `c`, as Prometheus' kahanSumInc.
inline void kahan_add(double increment, double& sum, double& c) {
  const double total = sum + increment;
  if (std::isinf(total)) {
    c = 0;
  } else if (std::abs(sum) >= std::abs(increment)) {
    c += (sum - total) + increment;
  } else {
    c += (increment - total) + sum;
  }
  sum = total;
}

struct Bucket {
  double upper_bound = 0;
  double count = 0;
};
// Quantile and fraction of a classic histogram; `buckets` are reordered.
struct BucketQuantile {
  double value = 0;
  bool was_fixed = false;  // A bucket had less than the one below it.
};
BucketQuantile bucket_quantile(double q, std::vector<Bucket>& buckets);
double bucket_fraction(double lower, double upper, std::vector<Bucket>& buckets);

}  // namespace tocsin::promql
