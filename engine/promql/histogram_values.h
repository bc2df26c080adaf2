// SPDX-License-Identifier: Apache-2.0
//
// What histogram_quantile(), histogram_fraction() and their like say of one native histogram.
// Inside an exponential bucket observations are taken to be spread evenly on a logarithmic scale;
// inside the zero bucket and a bucket with custom bounds, on a linear one. Pure.
#pragma once

#include "tocsin/histogram.h"

namespace tocsin::promql {

// Observations that were NaN count, but are in no bucket: they are taken to be above all others.
// What they did to a quantile:
enum class NanEffect { None, SkewsHigher, IsResult };
struct NativeQuantile {
  double value = 0;
  NanEffect nan_effect = NanEffect::None;
};
NativeQuantile native_quantile(double q, const Histogram& histogram);

// The share of observations between the bounds.
double native_fraction(double lower, double upper, const Histogram& histogram);

double histogram_avg(const Histogram& histogram);
double histogram_count(const Histogram& histogram);
double histogram_stddev(const Histogram& histogram);
double histogram_stdvar(const Histogram& histogram);
double histogram_sum(const Histogram& histogram);

}  // namespace tocsin::promql
