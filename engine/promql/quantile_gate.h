// SPDX-License-Identifier: Apache-2.0
//
// A quantile of many buckets that is compared with a limit, histogram_quantile(0.99, sum by (le, …)
// (rate(x_bucket[5m]))) / 1000 > 0.5, is mostly not above it, and two buckets of each histogram
// tell: Prometheus' bucketQuantile() never goes beyond the bound of the first bucket that has the
// share asked for. So where the last bucket up to the limit has it, the quantile is not above.
//
// Only where queries share their steps (SharedSteps), as those of a replay do: what need not be
// worked out is not annotated. Where buckets fall, so that they have to be mended, the quantile
// itself is asked if the two show it.
#pragma once

#include "promql/plan.h"

namespace tocsin::promql {

// A node that asks `whole`, the comparison itself, only where it may have a value; `whole` if the
// comparison is none of that kind.
NodePtr gate_quantile(const Binary& comparison, NodePtr whole);

}  // namespace tocsin::promql
