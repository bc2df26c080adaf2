// SPDX-License-Identifier: Apache-2.0
#include "source/remote_write.h"

#include <snappy.h>

#include <algorithm>
#include <cmath>
#include <protozero/pbf_reader.hpp>

#include "source/written_histogram.h"

namespace tocsin::source {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr std::size_t kMaxBytes = std::size_t{128} << 20;  // Of a request, unpacked.

// The fields of prompb's messages.
constexpr protozero::pbf_tag_type kTimeSeries = 1;   // Of WriteRequest.
constexpr protozero::pbf_tag_type kLabel = 1;        // Of TimeSeries.
constexpr protozero::pbf_tag_type kSample = 2;       // Of TimeSeries.
constexpr protozero::pbf_tag_type kHistogram = 4;    // Of TimeSeries.
constexpr protozero::pbf_tag_type kLabelName = 1;    // Of Label.
constexpr protozero::pbf_tag_type kLabelValue = 2;   // Of Label.
constexpr protozero::pbf_tag_type kSampleValue = 1;  // Of Sample.
constexpr protozero::pbf_tag_type kSampleTime = 2;   // Of Sample.

std::string_view view(protozero::data_view data) { return {data.data(), data.size()}; }

// What is no number and no stale marker is the one NaN: the others have a meaning of their own
// here.
double clean(double value) {
  return std::isnan(value) && !is_stale_nan(value) ? normal_nan() : value;
}

Sample read_sample(pbf_reader message) {
  double value = 0;
  std::int64_t time = 0;
  while (message.next()) {
    if (message.tag_and_type() == protozero::tag_and_type(kSampleValue, pbf_wire_type::fixed64)) {
      value = message.get_double();
    } else if (message.tag_and_type() ==
               protozero::tag_and_type(kSampleTime, pbf_wire_type::varint)) {
      time = message.get_int64();
    } else {
      message.skip();
    }
  }
  return {from_millis(time), clean(value)};
}

bool is_message(const pbf_reader& reader, protozero::pbf_tag_type tag) {
  return reader.tag() == tag && reader.wire_type() == pbf_wire_type::length_delimited;
}

// The bytes of a series' labels, which stand together in every sender that is known.
class LabelBytes {
 public:
  void add(const char* begin, const char* end) {
    if (begin_ == nullptr) begin_ = end_ = begin;
    if (end_ != begin && scattered_.empty()) scattered_.assign(begin_, end_);
    if (!scattered_.empty()) scattered_.append(begin, end);
    end_ = end;
  }

  std::string_view take(WriteRequest& out) {
    if (scattered_.empty()) return {begin_, static_cast<std::size_t>(end_ - begin_)};
    return out.scattered.emplace_back(std::move(scattered_));
  }

 private:
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  std::string scattered_;
};

void take_histogram(protozero::data_view message, WriteRequest::Series& series, WriteRequest& out) {
  auto histogram = read_written_histogram(view(message));
  if (!histogram) {
    ++series.bad_histograms;
  } else if (is_stale_nan(histogram->histogram->sum)) {
    out.samples.push_back({histogram->at, stale_nan()});
    ++series.count;
  } else {
    out.histograms.push_back(std::move(*histogram));
    ++series.histogram_count;
  }
}

void read_series(pbf_reader message, WriteRequest& out) {
  WriteRequest::Series series;
  series.first = static_cast<std::uint32_t>(out.samples.size());
  series.first_histogram = static_cast<std::uint32_t>(out.histograms.size());
  LabelBytes labels;
  const char* begin = message.data().data();
  while (message.next()) {
    if (is_message(message, kLabel)) {
      message.skip();
      labels.add(begin, message.data().data());
    } else if (is_message(message, kSample)) {
      out.samples.push_back(read_sample(message.get_message()));
      ++series.count;
    } else if (is_message(message, kHistogram)) {
      take_histogram(message.get_view(), series, out);
    } else {
      message.skip();
    }
    begin = message.data().data();
  }
  series.labels = labels.take(out);
  out.series.push_back(series);
}

Result<void> unpack(std::string_view body, std::string& out) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return fail(ErrorCode::Parse, "not compressed with snappy");
  }
  if (size > kMaxBytes) {
    return fail(ErrorCode::Limit, "the request has " + std::to_string(size) +
                                      " bytes unpacked, more than " + std::to_string(kMaxBytes));
  }
  if (!snappy::Uncompress(body.data(), body.size(), &out)) {
    return fail(ErrorCode::Parse, "damaged snappy data");
  }
  return {};
}

std::pair<std::string, std::string> read_label(pbf_reader message) {
  std::pair<std::string, std::string> label;
  while (message.next()) {
    if (is_message(message, kLabelName)) {
      label.first = view(message.get_view());
    } else if (is_message(message, kLabelValue)) {
      label.second = view(message.get_view());
    } else {
      message.skip();
    }
  }
  return label;
}

Result<Labels> checked(std::vector<std::pair<std::string, std::string>> pairs) {
  for (const auto& [name, value] : pairs) {
    if (name.empty() || !is_valid_utf8(name) || !is_valid_utf8(value)) {
      return fail(ErrorCode::InvalidArgument, "invalid label " + quote(name) + "=" + quote(value));
    }
  }
  const std::size_t given = static_cast<std::size_t>(std::count_if(
      pairs.begin(), pairs.end(), [](const auto& pair) { return !pair.second.empty(); }));
  Labels labels(std::move(pairs));
  if (labels.size() != given) {
    return fail(ErrorCode::InvalidArgument, "a label stands twice in " + labels.text());
  }
  if (labels.metric_name().empty()) {
    return fail(ErrorCode::InvalidArgument, "a series without a name: " + labels.text());
  }
  return labels;
}

}  // namespace

Result<void> read_write_request(std::string_view body, WriteRequest& out) {
  if (auto unpacked = unpack(body, out.bytes); !unpacked) return unpacked;
  try {
    pbf_reader request(out.bytes);
    while (request.next()) {
      if (is_message(request, kTimeSeries)) {
        read_series(request.get_message(), out);
      } else {
        request.skip();
      }
    }
  } catch (const protozero::exception& problem) {
    return fail(ErrorCode::Parse, std::string("not a remote write request: ") + problem.what());
  }
  return {};
}

Result<Labels> read_written_labels(std::string_view bytes) {
  std::vector<std::pair<std::string, std::string>> pairs;
  try {
    pbf_reader series(bytes.data(), bytes.size());
    while (series.next()) pairs.push_back(read_label(series.get_message()));
  } catch (const protozero::exception& problem) {
    return fail(ErrorCode::InvalidArgument, std::string("damaged labels: ") + problem.what());
  }
  return checked(std::move(pairs));
}

}  // namespace tocsin::source
