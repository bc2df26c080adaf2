// SPDX-License-Identifier: Apache-2.0
#include "promql/functions.h"

#include <algorithm>
#include <cmath>

#include "promql/ast.h"
#include "promql/function_list.h"
#include "promql/histogram_values.h"
#include "tocsin/diagnostics.h"

namespace tocsin::promql {
namespace {

constexpr ValueType kS = ValueType::Scalar;
constexpr ValueType kV = ValueType::Vector;
constexpr ValueType kM = ValueType::Matrix;
constexpr ValueType kT = ValueType::String;

constexpr Traits kKeepsName{.keeps_name = true};
constexpr Traits kReadsClock{.reads_clock = true};
constexpr Traits kOfCounters{.of_counters = true};
constexpr Traits kExperimental{.experimental = true};
constexpr Traits kKeepsNameExperimental{.keeps_name = true, .experimental = true};

// What double_exponential_smoothing() was called before Prometheus 3.
constexpr std::string_view kOldSmoothing = "holt_winters";

template <double (*F)(double)>
double math(double v) {
  return F(v);
}

// clang-format off
// Sorted by name; a row is: name, arguments, how many may be left out, result, implementation, summary, traits.
constexpr Function kFunctions[] = {
    {"abs", {kV}, 0, kV, math<std::fabs>, "The absolute value."},
    {"absent", {kV}, 0, kV, Special::Absent, "1 where the vector is empty, with the labels that its selector demands."},
    {"absent_over_time", {kM}, 0, kV, Special::AbsentOverTime, "1 where no series has a sample in the window."},
    {"acos", {kV}, 0, kV, math<std::acos>, "The arc cosine, in radians."},
    {"acosh", {kV}, 0, kV, math<std::acosh>, "The inverse hyperbolic cosine."},
    {"asin", {kV}, 0, kV, math<std::asin>, "The arc sine, in radians."},
    {"asinh", {kV}, 0, kV, math<std::asinh>, "The inverse hyperbolic sine."},
    {"atan", {kV}, 0, kV, math<std::atan>, "The arc tangent, in radians."},
    {"atanh", {kV}, 0, kV, math<std::atanh>, "The inverse hyperbolic tangent."},
    {"avg_over_time", {kM}, 0, kV, avg_over_time, "The mean of the samples in the window."},
    {"ceil", {kV}, 0, kV, math<std::ceil>, "Rounded up to an integer."},
    {"changes", {kM}, 0, kV, changes, "How often the value changed in the window."},
    {"clamp", {kV, kS, kS}, 0, kV, clamp, "Brought to at least the second and at most the third argument."},
    {"clamp_max", {kV, kS}, 0, kV, clamp_max, "Brought to at most the second argument."},
    {"clamp_min", {kV, kS}, 0, kV, clamp_min, "Brought to at least the second argument."},
    {"cos", {kV}, 0, kV, math<std::cos>, "The cosine of radians."},
    {"cosh", {kV}, 0, kV, math<std::cosh>, "The hyperbolic cosine."},
    {"count_over_time", {kM}, 0, kV, count_over_time, "How many samples the window has."},
    {"day_of_month", {kV}, 1, kV, day_of_month, "1 to 31, of Unix seconds in UTC; of now, without an argument.", kReadsClock},
    {"day_of_week", {kV}, 1, kV, day_of_week, "0 (Sunday) to 6.", kReadsClock},
    {"day_of_year", {kV}, 1, kV, day_of_year, "1 to 366.", kReadsClock},
    {"days_in_month", {kV}, 1, kV, days_in_month, "28 to 31.", kReadsClock},
    {"deg", {kV}, 0, kV, degrees, "Radians in degrees."},
    {"delta", {kM}, 0, kV, Change{Counts::Gauge, Per::Window}, "By how much a gauge changed over the window, extrapolated to its ends."},
    {"deriv", {kM}, 0, kV, deriv, "The slope of a line through the samples, per second."},
    {"double_exponential_smoothing", {kM, kS, kS}, 0, kV, double_exponential_smoothing, "A smoothed value, by a smoothing and a trend factor.", kExperimental},
    {"exp", {kV}, 0, kV, math<std::exp>, "e to the power of the value."},
    {"first_over_time", {kM}, 0, kV, RangeFunction(first_over_time), "The oldest sample in the window.", kKeepsNameExperimental},
    {"floor", {kV}, 0, kV, math<std::floor>, "Rounded down to an integer."},
    {"histogram_avg", {kV}, 0, kV, histogram_avg, "The mean of a native histogram's observations."},
    {"histogram_count", {kV}, 0, kV, histogram_count, "How many observations a native histogram has."},
    {"histogram_fraction", {kS, kS, kV}, 0, kV, Special::HistogramFraction, "The share of observations between two bounds."},
    {"histogram_quantile", {kS, kV}, 0, kV, Special::HistogramQuantile, "The quantile of a histogram, interpolated in its buckets."},
    {"histogram_stddev", {kV}, 0, kV, histogram_stddev, "The standard deviation of a native histogram's observations, by its buckets."},
    {"histogram_stdvar", {kV}, 0, kV, histogram_stdvar, "Their variance."},
    {"histogram_sum", {kV}, 0, kV, histogram_sum, "The sum of a native histogram's observations."},
    {"hour", {kV}, 1, kV, hour, "0 to 23.", kReadsClock},
    {"idelta", {kM}, 0, kV, idelta, "The difference of the last two samples."},
    {"increase", {kM}, 0, kV, Change{Counts::Counter, Per::Window}, "By how much a counter grew over the window, extrapolated to its ends.", kOfCounters},
    {"irate", {kM}, 0, kV, irate, "Growth per second between the last two samples of a counter."},
    {"label_join", {kV, kT, kT, kT}, -1, kV, Special::LabelJoin, "Joins labels with a separator into another.", kKeepsName},
    {"label_replace", {kV, kT, kT, kT, kT}, 0, kV, Special::LabelReplace, "Sets a label from what an expression matches in another.", kKeepsName},
    {"last_over_time", {kM}, 0, kV, RangeFunction(last_over_time), "The newest sample in the window.", kKeepsName},
    {"ln", {kV}, 0, kV, math<std::log>, "The natural logarithm."},
    {"log10", {kV}, 0, kV, math<std::log10>, "The decimal logarithm."},
    {"log2", {kV}, 0, kV, math<std::log2>, "The binary logarithm."},
    {"mad_over_time", {kM}, 0, kV, mad_over_time, "The median distance from the median, in the window.", kExperimental},
    {"max_over_time", {kM}, 0, kV, max_over_time, "The largest value in the window."},
    {"min_over_time", {kM}, 0, kV, min_over_time, "The smallest value in the window."},
    {"minute", {kV}, 1, kV, minute, "0 to 59.", kReadsClock},
    {"month", {kV}, 1, kV, month, "1 to 12.", kReadsClock},
    {"pi", {}, 0, kS, Special::Pi, "3.14159…"},
    {"predict_linear", {kM, kS}, 0, kV, predict_linear, "What a line through the samples says of the value so many seconds from now.", kReadsClock},
    {"present_over_time", {kM}, 0, kV, present_over_time, "1 where the window has a sample."},
    {"quantile_over_time", {kS, kM}, 0, kV, quantile_over_time, "The quantile of the samples in the window."},
    {"rad", {kV}, 0, kV, radians, "Degrees in radians."},
    {"rate", {kM}, 0, kV, Change{Counts::Counter, Per::Second}, "Growth of a counter per second, over the window, extrapolated to its ends.", kOfCounters},
    {"resets", {kM}, 0, kV, resets, "How often a counter began anew in the window."},
    {"round", {kV, kS}, 1, kV, round_to, "Rounded to the nearest integer, or multiple of the second argument."},
    {"scalar", {kV}, 0, kS, Special::ToScalar, "The value of the only element; NaN if there is not exactly one."},
    {"sgn", {kV}, 0, kV, sgn, "-1, 0 or 1: the sign."},
    {"sin", {kV}, 0, kV, math<std::sin>, "The sine of radians."},
    {"sinh", {kV}, 0, kV, math<std::sinh>, "The hyperbolic sine."},
    {"sort", {kV}, 0, kV, Special::Sort, "Sorted by value, the smallest first.", kKeepsName},
    {"sort_by_label", {kV, kT}, -1, kV, Special::SortByLabel, "Sorted by labels, digits as numbers.", kKeepsNameExperimental},
    {"sort_by_label_desc", {kV, kT}, -1, kV, Special::SortByLabelDesc, "The same, backwards.", kKeepsNameExperimental},
    {"sort_desc", {kV}, 0, kV, Special::SortDesc, "Sorted by value, the largest first.", kKeepsName},
    {"sqrt", {kV}, 0, kV, math<std::sqrt>, "The square root."},
    {"stddev_over_time", {kM}, 0, kV, stddev_over_time, "The standard deviation of the samples in the window."},
    {"stdvar_over_time", {kM}, 0, kV, stdvar_over_time, "The variance of the samples in the window."},
    {"sum_over_time", {kM}, 0, kV, sum_over_time, "The sum of the samples in the window."},
    {"tan", {kV}, 0, kV, math<std::tan>, "The tangent of radians."},
    {"tanh", {kV}, 0, kV, math<std::tanh>, "The hyperbolic tangent."},
    {"time", {}, 0, kS, Special::Time, "The time of the evaluation, in Unix seconds.", kReadsClock},
    {"timestamp", {kV}, 0, kV, Special::Timestamp, "When each sample was taken, in Unix seconds.", kReadsClock},
    {"ts_of_first_over_time", {kM}, 0, kV, ts_of_first_over_time, "When the oldest sample of the window was taken.", kExperimental},
    {"ts_of_last_over_time", {kM}, 0, kV, ts_of_last_over_time, "When the newest sample of the window was taken.", kExperimental},
    {"ts_of_max_over_time", {kM}, 0, kV, ts_of_max_over_time, "When the largest value of the window was taken; of equals, the last.", kExperimental},
    {"ts_of_min_over_time", {kM}, 0, kV, ts_of_min_over_time, "When the smallest value of the window was taken; of equals, the last.", kExperimental},
    {"vector", {kS}, 0, kV, Special::ToVector, "A vector of one element without labels."},
    {"year", {kV}, 1, kV, year, "Of Unix seconds in UTC; of now, without an argument.", kReadsClock},
};
// clang-format on

}  // namespace

std::size_t Function::arg_count() const {
  return static_cast<std::size_t>(std::find(args.begin(), args.end(), ValueType::None) -
                                  args.begin());
}

std::size_t Function::required_args() const {
  return arg_count() - static_cast<std::size_t>(std::abs(optional_args));
}

std::size_t Function::max_args() const { return optional_args < 0 ? 1000 : arg_count(); }

ValueType Function::arg(std::size_t index) const { return args[std::min(index, arg_count() - 1)]; }

const Function* find_function(std::string_view name) {
  const auto* at = std::lower_bound(
      std::begin(kFunctions), std::end(kFunctions), name,
      [](const Function& function, std::string_view n) { return function.name < n; });
  return at != std::end(kFunctions) && at->name == name ? at : nullptr;
}

std::string nearest_function(std::string_view name) {
  std::vector<std::string> names;
  for (const Function& function : kFunctions) names.emplace_back(function.name);
  for (int op = 0; op <= static_cast<int>(AggregateOp::LimitRatio); ++op) {
    names.emplace_back(text_of(static_cast<AggregateOp>(op)));
  }
  names.emplace_back(kOldSmoothing);
  const std::string near = nearest(name, names);
  return near == kOldSmoothing ? "double_exponential_smoothing" : near;
}

std::span<const Function> all_functions() { return kFunctions; }

std::string signature_of(const Function& function) {
  std::string out = std::string(function.name) + "(";
  for (std::size_t i = 0; i < function.arg_count(); ++i) {
    const std::string type(type_name(function.args[i]));
    if (i > 0) out += ", ";
    out += i < function.required_args() ? type : "[" + type + "]";
  }
  return out + (function.optional_args < 0 ? "…)" : ")");
}

}  // namespace tocsin::promql
