// SPDX-License-Identifier: Apache-2.0
//
// A native histogram as remote write sends it (prompb.Histogram): of whole numbers, whose buckets
// are differences, or of floats. Pure.
#pragma once

#include <string_view>

#include "tocsin/histogram.h"
#include "tocsin/result.h"

namespace tocsin::source {

// Fails with Parse on what is no histogram, so that none is ever misread. A sum that is a stale
// marker stays one.
Result<HistogramSample> read_written_histogram(std::string_view message);

}  // namespace tocsin::source
