// SPDX-License-Identifier: Apache-2.0
//
// A request of Prometheus' remote write 1.0, read: snappy around protobuf (prompb.WriteRequest).
// Labels stay bytes here, because a receiver knows nearly all series by their bytes; metadata and
// exemplars are passed over. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/histogram.h"
#include "tocsin/labels.h"
#include "tocsin/result.h"
#include "tocsin/sample.h"

namespace tocsin::source {

struct WriteRequest {
  struct Series {
    std::string_view labels;  // The same bytes for the same series of the same sender.
    std::uint32_t first = 0;  // Its samples in `samples`.
    std::uint32_t count = 0;
    std::uint32_t first_histogram = 0;  // And in `histograms`.
    std::uint32_t histogram_count = 0;
    std::uint32_t bad_histograms = 0;  // Those that are none.
  };

  std::vector<Series> series;
  // A stale marker is a number, also in a series of histograms.
  std::vector<Sample> samples;
  std::vector<HistogramSample> histograms;

  // What the views point into.
  std::string bytes;
  std::deque<std::string> scattered;

  WriteRequest() = default;
  WriteRequest(WriteRequest&&) = delete;
  WriteRequest& operator=(WriteRequest&&) = delete;
};

// Fills `out`, which is empty. Fails with Parse, and with Limit when it is too large unpacked.
Result<void> read_write_request(std::string_view body, WriteRequest& out);

// Of Series::labels. Fails with InvalidArgument when they name no series.
Result<Labels> read_written_labels(std::string_view bytes);

}  // namespace tocsin::source
