// SPDX-License-Identifier: Apache-2.0
//
// Classic histograms as native ones: what `load_with_nhcb` loads in addition. Pure.
#pragma once

#include <vector>

#include "promql/series_notation.h"

namespace tocsin::promql {

// The histograms whose `_bucket`, `_sum` and `_count` are among the series, each as one series of
// native histograms with the classic bounds. A point in time without buckets has no histogram.
std::vector<SeriesNotation> with_custom_buckets(const std::vector<SeriesNotation>& classic);

}  // namespace tocsin::promql
