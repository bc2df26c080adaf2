// SPDX-License-Identifier: Apache-2.0
//
// Native histograms as text: as test scripts write them, and as Prometheus shows them. Pure.
//
//   {{schema:0 sum:5 count:4 buckets:[1 2 1]}}
#pragma once

#include <string>
#include <string_view>

#include "tocsin/histogram.h"
#include "tocsin/result.h"

namespace tocsin::promql {

// Takes a histogram, with its braces, from the beginning of `text`. Fails with Parse.
Result<Histogram> take_histogram(std::string_view& text);

std::string histogram_notation(const Histogram& histogram);

// `{count:4, sum:5, (0.5,1]:1, (1,2]:2, (2,4]:1}`: a bracket belongs to its bound, a parenthesis
// leaves it out.
std::string histogram_text(const Histogram& histogram);

}  // namespace tocsin::promql
