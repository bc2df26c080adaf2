// SPDX-License-Identifier: Apache-2.0
#include "source/written_histogram.h"

#include <algorithm>
#include <protozero/pbf_message.hpp>

namespace tocsin::source {
namespace {

using protozero::pbf_wire_type;

// The fields of prompb.Histogram.
enum class Field : protozero::pbf_tag_type {
  CountInt = 1,
  CountFloat = 2,
  Sum = 3,
  Schema = 4,
  ZeroThreshold = 5,
  ZeroCountInt = 6,
  ZeroCountFloat = 7,
  NegativeSpans = 8,
  NegativeDeltas = 9,
  NegativeCounts = 10,
  PositiveSpans = 11,
  PositiveDeltas = 12,
  PositiveCounts = 13,
  ResetHint = 14,
  Timestamp = 15,
  CustomValues = 16
};
// And of prompb.BucketSpan.
enum class SpanField : protozero::pbf_tag_type { Offset = 1, Length = 2 };

constexpr std::int64_t kMaxIndex = std::int64_t{1} << 24;  // Far beyond what a double can reach.

// How the wire may carry a field; numbers of a list come together or one by one.
bool fits(Field field, pbf_wire_type type) {
  const bool is_packed = type == pbf_wire_type::length_delimited;
  switch (field) {
    case Field::CountInt:
    case Field::Schema:
    case Field::ZeroCountInt:
    case Field::ResetHint:
    case Field::Timestamp:
      return type == pbf_wire_type::varint;
    case Field::CountFloat:
    case Field::Sum:
    case Field::ZeroThreshold:
    case Field::ZeroCountFloat:
      return type == pbf_wire_type::fixed64;
    case Field::NegativeSpans:
    case Field::PositiveSpans:
      return is_packed;
    case Field::NegativeDeltas:
    case Field::PositiveDeltas:
      return is_packed || type == pbf_wire_type::varint;
    case Field::NegativeCounts:
    case Field::PositiveCounts:
    case Field::CustomValues:
      return is_packed || type == pbf_wire_type::fixed64;
  }
  return true;  // Of another version: passed over.
}

struct NotAHistogram {
  const char* why;
};

struct Span {
  std::int64_t offset = 0;  // From the end of the span before; of the first: its index.
  std::int64_t length = 0;
};

// The buckets of one sign, as they come: where they are, and one of the two ways to say how many.
struct Side {
  std::vector<Span> spans;
  std::vector<double> counts;
  double last_delta = 0;

  void add_delta(std::int64_t delta) {
    last_delta += static_cast<double>(delta);
    counts.push_back(last_delta);
  }
};

// Values of one field, packed or one by one.
template <class Message, class Add>
void read_deltas(Message& message, Add add) {
  if (message.wire_type() == pbf_wire_type::varint) return add(message.get_sint64());
  for (const std::int64_t delta : message.get_packed_sint64()) add(delta);
}

template <class Message>
void read_doubles(Message& message, std::vector<double>& out) {
  if (message.wire_type() == pbf_wire_type::fixed64) return out.push_back(message.get_double());
  for (const double value : message.get_packed_double()) out.push_back(value);
}

Span read_span(protozero::pbf_message<SpanField> message) {
  Span span;
  while (message.next()) {
    if (message.wire_type() != pbf_wire_type::varint) throw NotAHistogram{"a span is no span"};
    switch (message.tag()) {
      case SpanField::Offset:
        span.offset = message.get_sint32();
        break;
      case SpanField::Length:
        span.length = message.get_uint32();
        break;
      default:
        message.skip();
    }
  }
  return span;
}

Histogram::Buckets buckets_of(const Side& side) {
  Histogram::Buckets buckets;
  std::int64_t index = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < side.spans.size(); ++i) {
    const Span& span = side.spans[i];
    if (i > 0 && span.offset < 0) throw NotAHistogram{"its spans overlap"};
    index += span.offset;
    for (std::int64_t k = 0; k < span.length; ++k, ++index, ++next) {
      if (next == side.counts.size())
        throw NotAHistogram{"it has fewer buckets than its spans say"};
      if (std::abs(index) > kMaxIndex) throw NotAHistogram{"its buckets are out of bounds"};
      if (!(side.counts[next] >= 0)) throw NotAHistogram{"a bucket has a negative count"};
      if (side.counts[next] == 0) continue;
      buckets.push_back({static_cast<std::int32_t>(index), side.counts[next]});
    }
  }
  if (next != side.counts.size()) throw NotAHistogram{"it has more buckets than its spans say"};
  return buckets;
}

// Collects the fields; take() puts them together.
class Reader {
 public:
  void read(protozero::pbf_message<Field> message) {
    while (message.next()) {
      if (!fits(message.tag(), message.wire_type())) throw NotAHistogram{"a field is misplaced"};
      if (!read_buckets(message) && !read_number(message)) message.skip();
    }
  }

  HistogramSample take() {
    check_schema();
    histogram_.positive = buckets_of(positive_);
    histogram_.negative = buckets_of(negative_);
    return {at_, std::make_shared<const Histogram>(std::move(histogram_))};
  }

 private:
  bool read_buckets(protozero::pbf_message<Field>& message) {
    switch (message.tag()) {
      case Field::NegativeSpans:
        negative_.spans.push_back(read_span(message.get_message()));
        return true;
      case Field::PositiveSpans:
        positive_.spans.push_back(read_span(message.get_message()));
        return true;
      case Field::NegativeDeltas:
        read_deltas(message, [this](std::int64_t delta) { negative_.add_delta(delta); });
        return true;
      case Field::PositiveDeltas:
        read_deltas(message, [this](std::int64_t delta) { positive_.add_delta(delta); });
        return true;
      case Field::NegativeCounts:
        read_doubles(message, negative_.counts);
        return true;
      case Field::PositiveCounts:
        read_doubles(message, positive_.counts);
        return true;
      case Field::CustomValues:
        read_doubles(message, histogram_.custom_bounds);
        return true;
      default:
        return false;
    }
  }

  bool read_number(protozero::pbf_message<Field>& message) {
    switch (message.tag()) {
      case Field::CountInt:
        histogram_.count = static_cast<double>(message.get_uint64());
        return true;
      case Field::CountFloat:
        histogram_.count = message.get_double();
        return true;
      case Field::ZeroCountInt:
        histogram_.zero_count = static_cast<double>(message.get_uint64());
        return true;
      case Field::ZeroCountFloat:
        histogram_.zero_count = message.get_double();
        return true;
      case Field::Sum:
        histogram_.sum = message.get_double();
        return true;
      case Field::ZeroThreshold:
        histogram_.zero_threshold = message.get_double();
        return true;
      case Field::Schema:
        histogram_.schema = message.get_sint32();
        return true;
      case Field::ResetHint:
        read_hint(message.get_enum());
        return true;
      case Field::Timestamp:
        at_ = from_millis(message.get_int64());
        return true;
      default:
        return false;
    }
  }

  void read_hint(std::int32_t hint) {
    if (hint < 0 || hint > 3) throw NotAHistogram{"its reset hint is unknown"};
    histogram_.reset_hint = static_cast<Histogram::ResetHint>(hint);  // In the same order.
  }

  void check_schema() const {
    const bool is_exponential = histogram_.schema >= -4 && histogram_.schema <= 8;
    if (!is_exponential && !histogram_.has_custom_bounds()) throw NotAHistogram{"unknown schema"};
    const auto& bounds = histogram_.custom_bounds;
    if (!std::is_sorted(bounds.begin(), bounds.end()))
      throw NotAHistogram{"its bounds do not rise"};
  }

  Histogram histogram_;
  Side positive_;
  Side negative_;
  Timestamp at_{};
};

}  // namespace

Result<HistogramSample> read_written_histogram(std::string_view message) {
  try {
    Reader reader;
    reader.read(protozero::pbf_message<Field>(message.data(), message.size()));
    return reader.take();
  } catch (const NotAHistogram& problem) {
    return fail(ErrorCode::Parse, problem.why);
  } catch (const protozero::exception& problem) {
    return fail(ErrorCode::Parse, problem.what());
  }
}

}  // namespace tocsin::source
