// SPDX-License-Identifier: Apache-2.0
#include "alert/rule_life.h"

#include <algorithm>
#include <set>

namespace tocsin::alert {

Result<promql::Vector> as_vector(const promql::Value& value) {
  if (const auto* vector = std::get_if<promql::Vector>(&value)) return *vector;
  if (const auto* scalar = std::get_if<Sample>(&value)) return promql::Vector{{Labels(), *scalar}};
  return fail(ErrorCode::Execution, "rule result is not a vector or scalar");
}

RuleLife::RuleLife(std::shared_ptr<const rule::Rule> rule, std::size_t limit)
    : rule_(std::move(rule)), limit_(limit) {
  if (rule_->kind == rule::RuleKind::Alert) {
    tracker_ = std::make_unique<AlertTracker>(*rule_, limit_);
  }
}

Result<RuleLife::Outcome> RuleLife::take(Timestamp at, const Result<promql::Answer>& answer,
                                         const Surroundings& around) {
  const auto result = answer ? as_vector(answer->value) : fail(answer.error());
  auto outcome = result ? apply(at, *result, around) : fail(result.error());
  if (!outcome && tracker_) {
    tracker_->observe_failure(
        at, {"rule " + rule_->name, "the rule cannot be evaluated: " + outcome.error().message});
  }
  return outcome;
}

Result<RuleLife::Outcome> RuleLife::apply(Timestamp at, const promql::Vector& result,
                                          const Surroundings& around) {
  if (!tracker_) {
    return record(result).map([](promql::Vector series) { return Outcome{std::move(series), {}}; });
  }
  auto changes = tracker_->observe(at, result, around);
  if (!changes) return fail(changes.error());
  return Outcome{tracker_->series(at), std::move(*changes)};
}

Result<promql::Vector> RuleLife::record(const promql::Vector& result) {
  if (limit_ > 0 && result.size() > limit_) {
    return fail(ErrorCode::Limit, limit_failure(limit_, result.size()));
  }
  const bool same = std::equal(
      result.begin(), result.end(), recorded_.begin(), recorded_.end(),
      [](const promql::Element& now, const Recorded& last) { return now.labels == last.element; });
  if (!same) {
    recorded_.clear();
    std::set<Labels> seen;
    for (const promql::Element& element : result) {
      recorded_.push_back({element.labels, recorded_labels(*rule_, element.labels)});
      if (seen.insert(recorded_.back().series).second) continue;
      recorded_.clear();
      return fail(ErrorCode::Execution,
                  "vector contains metrics with the same labelset after applying rule labels");
    }
  }
  promql::Vector out;
  out.reserve(result.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    out.push_back({recorded_[i].series, result[i].sample, result[i].histogram});
  }
  return out;
}

Labels RuleLife::recorded_labels(const rule::Rule& rule, const Labels& result) {
  LabelsBuilder labels(result);
  labels.set(kMetricName, rule.name);
  for (const auto& [name, value] : rule.labels) labels.set(name, value);
  return labels.build();
}

std::string RuleLife::limit_failure(std::size_t limit, std::size_t series) {
  return "exceeded limit of " + std::to_string(limit) + " with " + std::to_string(series) +
         " series";
}

bool RuleLife::adopt(RuleLife& before) {
  if (!tracker_ || !before.tracker_ || !tracker_->alerts().empty()) return false;
  tracker_->adopt(std::move(*before.tracker_));
  before.tracker_.reset();
  return true;
}

}  // namespace tocsin::alert
