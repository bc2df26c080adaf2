// SPDX-License-Identifier: Apache-2.0
#include "support/remote_write.h"

#include <snappy.h>

#include <protozero/pbf_writer.hpp>

#include "net/http_client.h"

namespace tocsin {
namespace {

// The fields of WriteRequest, TimeSeries, Label and Sample in Prometheus' prompb.
enum : protozero::pbf_tag_type {
  kTimeSeries = 1,
  kLabels = 1,
  kSamples = 2,
  kName = 1,
  kText = 2,
  kValue = 1,
  kTimestamp = 2
};

}  // namespace

std::string remote_write_body(const std::vector<WrittenSeries>& all) {
  std::string plain;
  protozero::pbf_writer request(plain);
  for (const WrittenSeries& series : all) {
    protozero::pbf_writer entry(request, kTimeSeries);
    for (const LabelView& label : *series.labels) {
      protozero::pbf_writer pair(entry, kLabels);
      pair.add_string(kName, label.name.data(), label.name.size());
      pair.add_string(kText, label.value.data(), label.value.size());
    }
    for (const Sample& sample : series.samples) {
      protozero::pbf_writer pair(entry, kSamples);
      pair.add_double(kValue, sample.value);
      pair.add_int64(kTimestamp, to_millis(sample.at));
    }
  }
  std::string body;
  snappy::Compress(plain.data(), plain.size(), &body);
  return body;
}

Result<void> remote_write(const std::string& url, const std::vector<WrittenSeries>& series) {
  return post_remote_write(url, remote_write_body(series));
}

Result<void> post_remote_write(const std::string& url, std::string body) {
  net::HttpRequest request{.method = "POST",
                           .url = url,
                           .headers = {{"Content-Type", "application/x-protobuf"},
                                       {"Content-Encoding", "snappy"},
                                       {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                           .body = std::move(body),
                           .timeout = std::chrono::seconds(60)};
  const auto response = net::fetch(request);
  if (!response) return fail(response.error());
  if (response->ok()) return {};
  return fail(ErrorCode::InvalidArgument, "HTTP status " + std::to_string(response->status) + ": " +
                                              response->body.substr(0, 200));
}

}  // namespace tocsin
