// SPDX-License-Identifier: Apache-2.0
//
// Pins an expression to an instant: `@ at` is written into every selector and subquery that says
// none itself. Evaluated at whatever time, it then has the value that it has at `at`.
#pragma once

#include "promql/ast.h"

namespace tocsin::promql {

// Null where that would not hold, because a function reads the clock.
ExprPtr pin(const ExprPtr& expr, Timestamp at);

}  // namespace tocsin::promql
