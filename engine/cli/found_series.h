// SPDX-License-Identifier: Apache-2.0
//
// Rules beside what really exists: which of their selectors find nothing in captured pages, or at a
// server.
#pragma once

#include "cli/source.h"
#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::cli {

// A warning for every selector of a rule with an `expr` that finds nothing, and why: there is no
// such metric, or the metric is there and the matchers fit none of its series. What a rule of the
// set records is not missed. Fails when the source does not answer.
Result<Diagnostics> missing_series(const rule::RuleSet& rules, QuerySource& source);

}  // namespace tocsin::cli
