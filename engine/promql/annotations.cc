// SPDX-License-Identifier: Apache-2.0
#include "promql/annotations.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "promql/functions.h"

namespace tocsin::promql {
namespace {

void add(std::vector<Annotation>& list, std::string message, const Expr& about) {
  Annotation annotation{std::move(message), about.begin, about.end};
  if (std::find(list.begin(), list.end(), annotation) == list.end()) {
    list.push_back(std::move(annotation));
  }
}

std::string for_metric(std::string_view name) {
  return name.empty() ? "" : " for metric name " + quote(name);
}

// The argument of an expression that has to be a quantile; null if there is none.
const Expr* quantile_of(const Expr& expr) {
  if (const auto* aggregate = as<Aggregate>(expr)) {
    return aggregate->op == AggregateOp::Quantile ? aggregate->parameter.get() : nullptr;
  }
  const auto* call = as<Call>(expr);
  if (!call || call->args.empty()) return nullptr;
  const std::string_view name = call->function->name;
  return name == "quantile_over_time" || name == "histogram_quantile" ? call->args[0].get()
                                                                      : nullptr;
}

void inspect(const Expr& expr, Annotations& out) {
  if (const Expr* quantile = quantile_of(expr)) {
    if (const auto* number = as<Number>(unwrap(*quantile))) {
      note_quantile(number->value, *quantile, out);
    }
  }
  const auto* call = as<Call>(expr);
  if (call && call->function->traits.of_counters) {
    const auto* matrix = as<MatrixSelector>(unwrap(*call->args[0]));
    if (matrix && !matrix->vector.name.empty() && !names_a_counter(matrix->vector.name)) {
      note_no_counter(matrix->vector.name, *call->args[0], out);
    }
  }
  for (const ExprPtr& child : children_of(expr)) inspect(*child, out);
}

}  // namespace

void note_quantile(double q, const Expr& about, Annotations& annotations) {
  if (q >= 0 && q <= 1) return;
  annotations.warn("quantile value should be between 0 and 1, got " + format_number(q), about);
}

double note_ratio(double ratio, const Expr& about, Annotations& annotations) {
  if (!(std::abs(ratio) > 1)) return ratio;
  const double capped = ratio > 1 ? 1 : -1;
  annotations.warn("ratio value should be between -1 and 1, got " + format_number(ratio) +
                       ", capping to " + format_number(capped),
                   about);
  return capped;
}

bool names_a_counter(std::string_view metric) {
  static constexpr std::array<std::string_view, 4> kEndings{"_total", "_sum", "_count", "_bucket"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return metric.ends_with(ending); });
}

void note_no_counter(std::string_view metric, const Expr& about, Annotations& annotations) {
  annotations.inform(
      "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " +
          quote(metric),
      about);
}

void note_bad_bucket(std::string_view bound, std::string_view metric, const Expr& about,
                     Annotations& annotations) {
  annotations.warn("bucket label \"le\" is missing or has a malformed value of " + quote(bound) +
                       for_metric(metric),
                   about);
}

void note_fixed_buckets(std::string_view metric, const Expr& about, Annotations& annotations) {
  annotations.inform(
      "input to histogram_quantile needed to be fixed for monotonicity (see "
      "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for "
      "metric name " +
          quote(metric),
      about);
}

void note_both_histograms(std::string_view metric, const Expr& about, Annotations& annotations) {
  annotations.warn("vector contains a mix of classic and native histograms" + for_metric(metric),
                   about);
}

void note_nan_observations(std::string_view what, std::string_view metric, const Expr& about,
                           Annotations& annotations) {
  annotations.inform("input to " + std::string(what) + for_metric(metric), about);
}

Annotations inspect(const Expr& expr) {
  Annotations out;
  inspect(expr, out);
  return out;
}

void Annotations::warn(std::string message, const Expr& about) {
  add(warnings, "PromQL warning: " + std::move(message), about);
}

void Annotations::inform(std::string message, const Expr& about) {
  add(infos, "PromQL info: " + std::move(message), about);
}

std::string text_of(const Annotation& annotation, std::string_view query) {
  if (annotation.end == 0 || annotation.begin >= query.size()) return annotation.message;
  const std::string_view before = query.substr(0, annotation.begin);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // 0 where there is none.
  return annotation.message + " (" + std::to_string(line) + ":" +
         std::to_string(annotation.begin - line_begin + 1) + ")";
}

}  // namespace tocsin::promql
