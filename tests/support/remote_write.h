// SPDX-License-Identifier: Apache-2.0
//
// What sends samples as Prometheus does: remote write 1.0. It fills a Prometheus, or us, with
// series that nobody scrapes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/result.h"
#include "tocsin/sample.h"

namespace tocsin {

struct WrittenSeries {
  const Labels* labels;
  std::span<const Sample> samples;  // In order.
};

// The body of a request, compressed.
std::string remote_write_body(const std::vector<WrittenSeries>& series);

// Posts a body to `url` (…/api/v1/write), and waits.
Result<void> post_remote_write(const std::string& url, std::string body);
// Both.
Result<void> remote_write(const std::string& url, const std::vector<WrittenSeries>& series);

}  // namespace tocsin
