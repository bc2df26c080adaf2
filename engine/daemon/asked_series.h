// SPDX-License-Identifier: Apache-2.0
//
// Which series the rules and the configuration ask for, and who asks: what scraping keeps, and why.
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/kept.h"
#include "daemon/config.h"
#include "daemon/evaluator.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

// The metrics that Tocsin makes itself.
LocalNames recorded_names(const rule::RuleSet& rules);

// Those, and what Tocsin knows of itself (SelfWatch): what a Prometheus is not asked for.
LocalNames local_names(const rule::RuleSet& rules);

// Whether series come from a Prometheus, which may have lost what they are about: its `up` says so.
bool sees_through_another(const Config& config);

// What has to be scraped: all that rules read, less what Tocsin records itself, plus what the
// configuration wants kept.
std::vector<promql::Need> scraped_needs(const rule::RuleSet& rules, const Config& config);

// Who asks for a metric. Immutable; any thread.
class AskedSeries {
 public:
  AskedSeries() = default;
  AskedSeries(const rule::RuleSet& rules, const Config& config);

  // The metrics of `series` (living series by name) and those that are asked for by name and are
  // not there, the one with the most series first. Where rules read another Prometheus, what is not
  // here is there, and left out.
  std::vector<api::KeptMetric> explain(const std::map<std::string, std::size_t>& series) const;

 private:
  // Asks for metrics by a regular expression, or for all.
  struct OpenAsk {
    Matchers names;  // The matchers of the name.
    api::KeepReason reason;
  };

  void add_rule(const rule::Group& group, const rule::Rule& rule);
  void add(const Matchers& matchers, api::KeepReason reason);
  api::KeptMetric metric(const std::string& name, std::size_t series) const;

  std::map<std::string, std::vector<api::KeepReason>> by_name_;
  std::vector<OpenAsk> open_;
  bool reads_elsewhere_ = false;
};

}  // namespace tocsin::daemon
