// SPDX-License-Identifier: Apache-2.0
//
// The way back from ranges_of(): a histogram from buckets of which only the bounds are known, as
// query APIs write them. Pure.
//
// Bounds of a whole power of two fit exponential buckets and custom bounds alike; where nothing
// else says which they are, the histogram is refused rather than guessed. Of custom bounds only
// those around buckets that are not empty are known.
#pragma once

#include "promql/histogram_math.h"
#include "tocsin/result.h"

namespace tocsin::promql {

// Fails with Parse if no histogram has such buckets, with InvalidArgument if both kinds may have.
Result<Histogram> histogram_of(double count, double sum, const std::vector<BucketRange>& ranges);

}  // namespace tocsin::promql
