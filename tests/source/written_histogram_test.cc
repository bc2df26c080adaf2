// SPDX-License-Identifier: Apache-2.0
#include "source/written_histogram.h"

#include <doctest/doctest.h>

#include <functional>
#include <protozero/pbf_writer.hpp>

#include "tocsin/sample.h"

namespace tocsin::source {
namespace {

using protozero::pbf_writer;
using Fill = std::function<void(pbf_writer&)>;

std::string message(const Fill& fill) {
  std::string out;
  pbf_writer writer(out);
  fill(writer);
  return out;
}

void add_span(pbf_writer& histogram, protozero::pbf_tag_type tag, int offset, unsigned length) {
  pbf_writer span(histogram, tag);
  span.add_sint32(1, offset);
  span.add_uint32(2, length);
}

void add_deltas(pbf_writer& w, protozero::pbf_tag_type tag, const std::vector<std::int64_t>& all) {
  w.add_packed_sint64(tag, all.begin(), all.end());
}

void add_bounds(pbf_writer& w, const std::vector<double>& bounds) {
  w.add_packed_double(16, bounds.begin(), bounds.end());
}

TEST_CASE("a histogram of whole numbers has differences for buckets") {
  const auto read = read_written_histogram(message([](pbf_writer& w) {
    w.add_uint64(1, 12);
    w.add_double(3, -4.5);
    w.add_sint32(4, -1);
    w.add_double(5, 0.25);
    w.add_uint64(6, 2);
    add_span(w, 8, 3, 1);
    add_deltas(w, 9, {2});
    add_span(w, 11, -2, 2);
    add_span(w, 11, 5, 2);
    add_deltas(w, 12, {1, 2, -3, 5});
    w.add_enum(14, 1);
    w.add_int64(15, 1500);
    w.add_string(99, "of another version");
  }));
  REQUIRE(read);
  CHECK(read->at == from_millis(1500));
  Histogram expected;
  expected.reset_hint = Histogram::ResetHint::Reset;
  expected.schema = -1;
  expected.zero_threshold = 0.25;
  expected.zero_count = 2;
  expected.count = 12;
  expected.sum = -4.5;
  expected.negative = {{3, 2}};
  expected.positive = {{-2, 1}, {-1, 3}, {6, 5}};  // The bucket 5 is empty.
  CHECK(*read->histogram == expected);
}

TEST_CASE("a histogram of floats has counts, and may have bounds of its own") {
  const auto read = read_written_histogram(message([](pbf_writer& w) {
    w.add_double(2, 4.5);
    w.add_double(3, 7);
    w.add_sint32(4, Histogram::kCustomBounds);
    add_span(w, 11, 0, 3);
    for (const double count : {1.5, 1.0, 2.0}) w.add_double(13, count);  // One by one.
    add_bounds(w, {0.5, 10});
    w.add_enum(14, 3);
  }));
  REQUIRE(read);
  CHECK(read->histogram->count == 4.5);
  CHECK(read->histogram->positive == Histogram::Buckets{{0, 1.5}, {1, 1}, {2, 2}});
  CHECK(read->histogram->custom_bounds == std::vector<double>{0.5, 10});
  CHECK(read->histogram->reset_hint == Histogram::ResetHint::Gauge);
}

TEST_CASE("what is no histogram is not read as one") {
  const struct {
    const char* why;
    Fill fill;
  } cases[] = {
      {"schema too high", [](pbf_writer& w) { w.add_sint32(4, 9); }},
      {"schema too low", [](pbf_writer& w) { w.add_sint32(4, -5); }},
      {"unknown hint", [](pbf_writer& w) { w.add_enum(14, 4); }},
      {"too few buckets", [](pbf_writer& w) { add_span(w, 11, 0, 1); }},
      {"too many buckets", [](pbf_writer& w) { add_deltas(w, 12, {1}); }},
      {"negative count",
       [](pbf_writer& w) {
         add_span(w, 11, 0, 2);
         add_deltas(w, 12, {1, -2});
       }},
      {"count that is no number",
       [](pbf_writer& w) {
         add_span(w, 11, 0, 1);
         w.add_double(13, normal_nan());
       }},
      {"spans that overlap",
       [](pbf_writer& w) {
         add_span(w, 11, 0, 2);
         add_span(w, 11, -1, 1);
         add_deltas(w, 12, {1, 0, 0});
       }},
      {"index out of bounds",
       [](pbf_writer& w) {
         add_span(w, 11, 2'000'000'000, 1);
         add_deltas(w, 12, {1});
       }},
      {"bounds that fall",
       [](pbf_writer& w) {
         w.add_sint32(4, Histogram::kCustomBounds);
         add_bounds(w, {2, 1});
       }},
      {"text for a count", [](pbf_writer& w) { w.add_string(1, "10"); }},
      {"integer for a sum", [](pbf_writer& w) { w.add_uint64(3, 10); }},
      {"number for a span", [](pbf_writer& w) { w.add_uint64(11, 10); }},
      {"fixed number for a delta", [](pbf_writer& w) { w.add_fixed32(12, 10); }},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.why));
    CHECK_FALSE(read_written_histogram(message(c.fill)));
  }
  CHECK_FALSE(read_written_histogram("\xff\xff"));
}

}  // namespace
}  // namespace tocsin::source
