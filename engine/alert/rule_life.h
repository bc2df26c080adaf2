// SPDX-License-Identifier: Apache-2.0
//
// RuleLife is one rule between its evaluations. It takes the result of each and says which series
// the rule writes (its recording, or ALERTS); an alerting rule's alerts live in its tracker. The
// daemon and rule tests drive rules through it, so that both mean the same.
//
// Pure. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"

namespace tocsin::alert {

class RuleLife {
 public:
  // `limit` is the group's.
  RuleLife(std::shared_ptr<const rule::Rule> rule, std::size_t limit);

  const std::shared_ptr<const rule::Rule>& rule() const { return rule_; }
  // Null for a recording rule.
  AlertTracker* tracker() { return tracker_.get(); }
  const AlertTracker* tracker() const { return tracker_.get(); }

  struct Outcome {
    promql::Vector series;  // To write at the evaluation's time.
    std::vector<Transition> changes;
  };
  // Fails with Execution on a result that a rule cannot have, and with Limit on more recorded
  // series than the group may have. The alerts then say that they cannot be seen.
  Result<Outcome> take(Timestamp at, const Result<promql::Answer>& answer,
                       const Surroundings& around);

  // The labels of the series that a recording rule makes of one of its result.
  static Labels recorded_labels(const rule::Rule& rule, const Labels& result);
  // Why a recording rule with a `limit` fails.
  static std::string limit_failure(std::size_t limit, std::size_t series);

  // Takes over the alerts of the rule as it was before a reload, unless it has some already:
  // whether it did. Whoever had them has none then.
  bool adopt(RuleLife& before);

 private:
  Result<Outcome> apply(Timestamp at, const promql::Vector& result, const Surroundings& around);
  Result<promql::Vector> record(const promql::Vector& result);

  std::shared_ptr<const rule::Rule> rule_;
  std::size_t limit_;
  // The last recording: the labels of each element, and those that its series was written with. An
  // evaluation mostly has the same ones as the last.
  struct Recorded {
    Labels element;
    Labels series;
  };
  std::vector<Recorded> recorded_;
  std::unique_ptr<AlertTracker> tracker_;
};

// The one element that a scalar counts as; a vector itself.
Result<promql::Vector> as_vector(const promql::Value& value);

}  // namespace tocsin::alert
