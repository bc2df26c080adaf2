// SPDX-License-Identifier: Apache-2.0
//
// Whether two engines mean the same: both fail, or both have the same elements with the same
// values.
#pragma once

#include <string>

#include "tocsin/promql.h"

namespace tocsin::differential {

using Outcome = Result<promql::Answer>;

// Relative; NaN equals NaN.
inline constexpr double kTolerance = 1e-9;

bool same_value(double a, double b);
bool same_outcome(const Outcome& ours, const Outcome& theirs);

// Of two sorted vectors: the same values in the same order, whichever element of equals comes
// first.
bool same_order(const Outcome& ours, const Outcome& theirs);

bool is_empty(const Outcome& outcome);
// For people: the elements of `outcome` that `other` has not, one a line; of many, the first ones.
std::string describe_beside(const Outcome& outcome, const Outcome& other);

}  // namespace tocsin::differential
