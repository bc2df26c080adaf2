// SPDX-License-Identifier: Apache-2.0
//
// Rules beside what really exists: which of their selectors find nothing in captured pages, or at a
// server.
#pragma once

#include <string>
#include <vector>

#include "cli/source.h"
#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::cli {

// A warning for every selector of a rule with an `expr` that finds nothing, and why: there is no
// such metric, or the metric is there and the matchers fit none of its series. What a rule of the
// set records is not missed. Fails when the source does not answer.
Result<Diagnostics> missing_series(const rule::RuleSet& rules, QuerySource& source);

// The jobs that the source has scraped within the last minutes, and how often. Empty where it does
// not tell.
std::vector<rule::ScrapedJob> scraped_jobs(QuerySource& source);

// An alert that the rules would give now, whatever its `for`.
struct FiringNow {
  rule::Rule rule;
  std::size_t alerts = 0;
  Labels example;  // Of one of them.

  // "rules/a.yaml:5: Failing would have 2 alerts now, once it has been so for 2m: {…} and 1 more"
  std::string text() const;
};
// Those of alerting rules that give any. Rules have to be able to do without recordings
// (rule::Memory::Subquery). Fails when the source does not answer.
Result<std::vector<FiringNow>> firing_now(const rule::RuleSet& rules, QuerySource& source);

}  // namespace tocsin::cli
