// SPDX-License-Identifier: Apache-2.0
//
// A second evaluator for a good part of PromQL, as plain as it can be: for each instant it looks at
// every sample of every series, by the definition of each function. Slow, and easy to believe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "promql/ast.h"
#include "tocsin/promql.h"

namespace tocsin::testing {

// Everything that was ever sampled, stale markers included, oldest first.
using History = std::map<Labels, std::vector<Sample>>;

// By labels, without the names that an operation drops.
using SimpleVector = std::map<Labels, double>;

// Selectors, rate, increase, delta, …_over_time, sum, avg, min, max and count, arithmetic and
// comparison of vectors one to one or with numbers, and set operators.
SimpleVector evaluate_simply(const promql::Expr& expr, const History& history, Timestamp at);

}  // namespace tocsin::testing
