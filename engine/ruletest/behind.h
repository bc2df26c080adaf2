// SPDX-License-Identifier: Apache-2.0
//
// The values that led to what a test found: an expression's, its parts', and how far an alert got
// with them. Text for people. Pure.
#pragma once

#include <string>

#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"
#include "tocsin/store.h"

namespace tocsin::ruletest {

// What `expr` gave at `at`, and what the operands of its operators gave, a few elements of each:
//
//   value       rate(errors[5m]) / rate(requests[5m]) > 0.01
//                 nothing
//               rate(errors[5m]) / rate(requests[5m])
//                 {pod="web-1"} 0.004
std::string values_behind(const promql::ExprPtr& expr, const store::Store& store, Timestamp at);

// Of a rule; of a mesh condition in its own words, not in those that it compiles to: what it
// measured, beside the threshold, and how many requests it saw.
std::string values_behind(const rule::Rule& rule, const store::Store& store, Timestamp at);

// "pending since 3m, fires after 5m (for: 2m)". Empty where nothing is active.
struct Moment {
  Timestamp at;
  Timestamp start;  // Of the test: times are printed as of it.
};
std::string life_behind(const rule::Rule& rule, const alert::AlertTracker& tracker,
                        const Moment& moment);

}  // namespace tocsin::ruletest
