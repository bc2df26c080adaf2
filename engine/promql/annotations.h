// SPDX-License-Identifier: Apache-2.0
//
// What the evaluator warns of and informs about, in Prometheus' words (util/annotations), so that
// dashboards and tests recognise it.
#pragma once

#include <string_view>

#include "promql/ast.h"

namespace tocsin::promql {

// If `q` is no quantile.
void note_quantile(double q, const Expr& about, Annotations& annotations);

// `ratio` brought to between -1 and 1, which limit_ratio() wants; NaN stays.
double note_ratio(double ratio, const Expr& about, Annotations& annotations);

// Whether a counter would be called so: `_total`, `_sum`, `_count`, `_bucket`.
bool names_a_counter(std::string_view metric);
void note_no_counter(std::string_view metric, const Expr& about, Annotations& annotations);

// Buckets of a classic histogram that are not one.
void note_bad_bucket(std::string_view bound, std::string_view metric, const Expr& about,
                     Annotations& annotations);
void note_fixed_buckets(std::string_view metric, const Expr& about, Annotations& annotations);

// A classic and a native histogram with the same labels.
void note_both_histograms(std::string_view metric, const Expr& about, Annotations& annotations);
// `what` the NaN observations of a native histogram do.
void note_nan_observations(std::string_view what, std::string_view metric, const Expr& about,
                           Annotations& annotations);

}  // namespace tocsin::promql
