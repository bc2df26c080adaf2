// SPDX-License-Identifier: Apache-2.0
#include "promql/functions.h"

#include <algorithm>
#include <cmath>

#include "promql/function_list.h"
#include "tocsin/diagnostics.h"

namespace tocsin::promql {
namespace {

constexpr ValueType kS = ValueType::Scalar;
constexpr ValueType kV = ValueType::Vector;
constexpr ValueType kM = ValueType::Matrix;
constexpr ValueType kT = ValueType::String;

template <double (*F)(double)>
double math(double v) {
  return F(v);
}

Function over_time(std::string_view name, RangeFunction function) {
  return {name, {kM}, 0, kV, function};
}
Function of_value(std::string_view name, MathFunction function) {
  return {name, {kV}, 0, kV, function};
}
Function of_date(std::string_view name, DateFunction function) {
  return {name, {kV}, 1, kV, function};
}

// Sorted by name.
const Function kFunctions[] = {
    of_value("abs", math<std::fabs>),
    {"absent", {kV}, 0, kV, Special::Absent},
    {"absent_over_time", {kM}, 0, kV, Special::AbsentOverTime},
    of_value("acos", math<std::acos>),
    of_value("acosh", math<std::acosh>),
    of_value("asin", math<std::asin>),
    of_value("asinh", math<std::asinh>),
    of_value("atan", math<std::atan>),
    of_value("atanh", math<std::atanh>),
    over_time("avg_over_time", avg_over_time),
    of_value("ceil", math<std::ceil>),
    over_time("changes", changes),
    {"clamp", {kV, kS, kS}, 0, kV, clamp},
    {"clamp_max", {kV, kS}, 0, kV, clamp_max},
    {"clamp_min", {kV, kS}, 0, kV, clamp_min},
    of_value("cos", math<std::cos>),
    of_value("cosh", math<std::cosh>),
    over_time("count_over_time", count_over_time),
    of_date("day_of_month", day_of_month),
    of_date("day_of_week", day_of_week),
    of_date("day_of_year", day_of_year),
    of_date("days_in_month", days_in_month),
    of_value("deg", degrees),
    {"delta", {kM}, 0, kV, delta},
    over_time("deriv", deriv),
    {"double_exponential_smoothing", {kM, kS, kS}, 0, kV, double_exponential_smoothing},
    of_value("exp", math<std::exp>),
    {"first_over_time", {kM}, 0, kV, RangeFunction(first_over_time), true},
    of_value("floor", math<std::floor>),
    {"histogram_fraction", {kS, kS, kV}, 0, kV, Special::HistogramFraction},
    {"histogram_quantile", {kS, kV}, 0, kV, Special::HistogramQuantile},
    of_date("hour", hour),
    over_time("idelta", idelta),
    {"increase", {kM}, 0, kV, increase},
    over_time("irate", irate),
    {"label_join", {kV, kT, kT, kT}, -1, kV, Special::LabelJoin, true},
    {"label_replace", {kV, kT, kT, kT, kT}, 0, kV, Special::LabelReplace, true},
    {"last_over_time", {kM}, 0, kV, RangeFunction(last_over_time), true},
    of_value("ln", math<std::log>),
    of_value("log10", math<std::log10>),
    of_value("log2", math<std::log2>),
    over_time("mad_over_time", mad_over_time),
    over_time("max_over_time", max_over_time),
    over_time("min_over_time", min_over_time),
    of_date("minute", minute),
    of_date("month", month),
    {"pi", {}, 0, kS, Special::Pi},
    {"predict_linear", {kM, kS}, 0, kV, predict_linear},
    over_time("present_over_time", present_over_time),
    {"quantile_over_time", {kS, kM}, 0, kV, quantile_over_time},
    of_value("rad", radians),
    {"rate", {kM}, 0, kV, rate},
    over_time("resets", resets),
    {"round", {kV, kS}, 1, kV, round_to},
    {"scalar", {kV}, 0, kS, Special::ToScalar},
    of_value("sgn", sgn),
    of_value("sin", math<std::sin>),
    of_value("sinh", math<std::sinh>),
    {"sort", {kV}, 0, kV, Special::Sort, true},
    {"sort_by_label", {kV, kT}, -1, kV, Special::SortByLabel, true},
    {"sort_by_label_desc", {kV, kT}, -1, kV, Special::SortByLabelDesc, true},
    {"sort_desc", {kV}, 0, kV, Special::SortDesc, true},
    of_value("sqrt", math<std::sqrt>),
    over_time("stddev_over_time", stddev_over_time),
    over_time("stdvar_over_time", stdvar_over_time),
    over_time("sum_over_time", sum_over_time),
    of_value("tan", math<std::tan>),
    of_value("tanh", math<std::tanh>),
    {"time", {}, 0, kS, Special::Time},
    {"timestamp", {kV}, 0, kV, Special::Timestamp},
    {"vector", {kS}, 0, kV, Special::ToVector},
    of_date("year", year),
};

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
  return nearest(name, names);
}

std::span<const Function> all_functions() { return kFunctions; }

}  // namespace tocsin::promql
