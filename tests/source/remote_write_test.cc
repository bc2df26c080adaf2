// SPDX-License-Identifier: Apache-2.0
#include "source/remote_write.h"

#include <doctest/doctest.h>
#include <snappy.h>

#include <cmath>
#include <protozero/pbf_writer.hpp>

#include "source/write_receiver.h"
#include "support/samples_of.h"

namespace tocsin::source {
namespace {

using namespace std::chrono_literals;
using protozero::pbf_writer;

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr Timestamp kNow = from_millis(1'000'000'000);

struct Point {
  int second;  // After kNow.
  double value;
};
struct Sent {
  Pairs labels;
  std::vector<Point> points;
  std::vector<std::string> histograms = {};  // Messages.
};

void add_labels(pbf_writer& series, const Pairs& labels) {
  for (const auto& [name, value] : labels) {
    pbf_writer label(series, 1);
    label.add_string(1, name);
    label.add_string(2, value);
  }
}

std::string packed(const std::string& plain) {
  std::string body;
  snappy::Compress(plain.data(), plain.size(), &body);
  return body;
}

std::string body_of(const std::vector<Sent>& all) {
  std::string plain;
  pbf_writer request(plain);
  for (const Sent& sent : all) {
    pbf_writer series(request, 1);
    add_labels(series, sent.labels);
    for (const Point& point : sent.points) {
      pbf_writer sample(series, 2);
      sample.add_double(1, point.value);
      sample.add_int64(2, to_millis(kNow) + point.second * 1000);
    }
    for (const std::string& histogram : sent.histograms) series.add_message(4, histogram);
  }
  pbf_writer metadata(request, 3);
  metadata.add_string(2, "up");
  metadata.commit();
  return packed(plain);
}

// Of whole numbers: 2 in the zero bucket, 1, 3, 0, 4 in the buckets -1, 0, 3, 4; none negative.
std::string histogram_message(int second, double sum = 18.5) {
  std::string out;
  pbf_writer histogram(out);
  histogram.add_uint64(1, 10);
  histogram.add_double(3, sum);
  histogram.add_sint32(4, 2);
  histogram.add_double(5, 0.001);
  histogram.add_uint64(6, 2);
  for (const auto& [offset, length] : {std::pair(-1, 2U), std::pair(2, 2U)}) {
    pbf_writer span(histogram, 11);
    span.add_sint32(1, offset);
    span.add_uint32(2, length);
  }
  const std::vector<std::int64_t> deltas{1, 2, -3, 4};
  histogram.add_packed_sint64(12, deltas.begin(), deltas.end());
  histogram.add_enum(14, 2);
  histogram.add_int64(15, to_millis(kNow) + second * 1000);
  return out;
}

const std::string kDamaged = "\x08";  // A field without its value.

Pairs up(const std::string& instance) {
  return {{"__name__", "up"}, {"instance", instance}, {"job", "j"}};
}

TEST_CASE("a request is read as series, with their labels as bytes") {
  const std::string body =
      body_of({{up("a"), {{0, 1}, {15, 2}}},
               {up("b"), {}, {histogram_message(1), kDamaged, histogram_message(2)}},
               {up("a"), {{30, 3}}}});
  WriteRequest request;
  REQUIRE(read_write_request(body, request));
  REQUIRE(request.series.size() == 3);
  CHECK(request.series[0].count == 2);
  CHECK(request.series[1].histogram_count == 2);
  CHECK(request.series[1].bad_histograms == 1);
  CHECK(request.histograms[1].at == kNow + 2s);
  CHECK(request.series[2].first == 2);
  CHECK(request.samples[1] == Sample{kNow + 15s, 2});
  CHECK(request.series[0].labels == request.series[2].labels);
  CHECK(request.series[0].labels != request.series[1].labels);
  CHECK(read_written_labels(request.series[0].labels)->text() == R"(up{instance="a", job="j"})");
}

TEST_CASE("labels that do not stand together are the labels all the same") {
  std::string plain;
  {
    pbf_writer request(plain);
    pbf_writer series(request, 1);
    add_labels(series, {{"__name__", "up"}});
    pbf_writer(series, 2).add_double(1, 5);
    series.add_uint32(9, 7);  // A field of another version.
    add_labels(series, {{"job", "j"}});
  }
  WriteRequest request;
  REQUIRE(read_write_request(packed(plain), request));
  REQUIRE(request.series.size() == 1);
  CHECK(request.samples.size() == 1);
  CHECK(read_written_labels(request.series[0].labels)->text() == R"(up{job="j"})");
}

TEST_CASE("what is no request is refused") {
  const std::string good = body_of({{up("a"), {{0, 1}}}});
  std::string plain;
  snappy::Uncompress(good.data(), good.size(), &plain);
  const std::pair<std::string, ErrorCode> cases[] = {
      {"", ErrorCode::Parse},
      {"hello", ErrorCode::Parse},
      {plain, ErrorCode::Parse},
      {good.substr(0, good.size() - 3), ErrorCode::Parse},
      {packed(plain.substr(0, plain.size() - 3)), ErrorCode::Parse},
      {packed("\xff\xff\xff"), ErrorCode::Parse},
      {std::string("\xff\xff\xff\xff\x0f", 5), ErrorCode::Limit},  // 4 GiB, it says.
  };
  for (const auto& [body, code] : cases) {
    WriteRequest request;
    const auto done = read_write_request(body, request);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
  }
  // However it is cut, nothing worse happens.
  for (std::size_t length = 0; length < plain.size(); ++length) {
    WriteRequest request;
    (void)read_write_request(packed(plain.substr(0, length)), request);
  }
}

TEST_CASE("NaNs that mean something inside are only NaN") {
  for (const double value : {std::bit_cast<double>(store::kAbsentBits),
                             std::bit_cast<double>(store::kAbsentBits + 1), std::nan("7")}) {
    WriteRequest request;
    REQUIRE(read_write_request(body_of({{up("a"), {{0, value}}}}), request));
    CHECK(std::bit_cast<std::uint64_t>(request.samples[0].value) ==
          std::bit_cast<std::uint64_t>(normal_nan()));
  }
  WriteRequest request;
  REQUIRE(read_write_request(body_of({{up("a"), {{0, stale_nan()}}}}), request));
  CHECK(is_stale_nan(request.samples[0].value));
}

TEST_CASE("labels that name no series are refused") {
  const Pairs cases[] = {
      {},
      {{"job", "j"}},
      {{"__name__", ""}, {"job", "j"}},
      {{"__name__", "up"}, {"", "j"}},
      {{"__name__", "up"}, {"a", "1"}, {"a", "2"}},
      {{"__name__", "up"}, {"a", "\xff"}},
  };
  for (const Pairs& pairs : cases) {
    WriteRequest request;
    REQUIRE(read_write_request(body_of({{pairs, {{0, 1}}}}), request));
    const auto labels = read_written_labels(request.series.at(0).labels);
    REQUIRE_FALSE(labels);
    CHECK(labels.error().code == ErrorCode::InvalidArgument);
  }
}

// A receiver for rules that read `up` of job j, a minute back.
struct World {
  store::Store store;
  WriteReceiver receiver{store};
  Timestamp now = kNow;

  World() { want("up{job=\"j\"}[1m]"); }
  void want(const std::string& expr) {
    receiver.use(std::make_shared<const KeepFilter>(testing::needs_of(expr)));
  }
  WriteReport send(const std::vector<Sent>& all) {
    auto report = receiver.accept(body_of(all), now);
    REQUIRE(report);
    return *report;
  }
  std::vector<std::string> samples(const std::string& selector = "{__name__=~\".+\"}") {
    return testing::samples_of(store, selector, Timestamp{}, kNow + 24h);
  }
};

TEST_CASE("what rules ask for is kept, with its timestamps and stale markers") {
  World w;
  const auto report =
      w.send({{up("a"), {{-30, 1}, {-15, 2}}},
              {{{"__name__", "up"}, {"instance", "a"}, {"job", "other"}}, {{-30, 1}}},
              {{{"__name__", "down"}, {"job", "j"}}, {{-30, 1}}}});
  CHECK(report.appended == 2);
  CHECK(report.unwanted == 2);
  CHECK(report.refused() == 0);
  CHECK(w.samples() == std::vector<std::string>{R"(up{instance="a", job="j"} 1 2)"});
  w.send({{up("a"), {{0, stale_nan()}}}});
  double value = 0;
  std::int64_t time = 0;
  const auto ids = w.store.select(testing::matchers_of("up"));
  w.store.read_latest(ids, kNow - 5min, kNow, {&value, 1}, {&time, 1});
  CHECK(store::is_absent(value));
  w.want("down[1m]");
  w.send({{{{"__name__", "down"}, {"job", "j"}}, {{-15, 4}}}});
  CHECK(w.samples("down") == std::vector<std::string>{R"(down{job="j"} 4)"});
}

TEST_CASE("what cannot be taken is counted, and the rest is kept") {
  World w;
  w.send({{up("a"), {{0, 1}}}});
  const auto report =
      w.send({{up("a"), {{0, 1}, {0, 2}, {-3600, 1}, {3600, 1}, {15, 2}}, {kDamaged}},
              {{{"job", "j"}}, {{0, 1}}}});
  CHECK(report.appended == 2);  // What is sent again, and the new one.
  CHECK(report.duplicate == 1);
  CHECK(report.too_old == 1);
  CHECK(report.too_far_ahead == 1);
  CHECK(report.histograms == 1);
  CHECK(report.invalid == 1);
  CHECK(report.text() ==
        "5 of 7 samples refused: 1 too old, 1 with another value at the same time, 1 too far ahead "
        "of the clock, 1 damaged native histograms, 1 of series with wrong labels; the first: "
        "up{instance=\"a\", job=\"j\"} at 1000000");
  CHECK(w.samples() == std::vector<std::string>{R"(up{instance="a", job="j"} 1 2)"});
  CHECK(w.receiver.totals().appended == 3);
  CHECK(w.receiver.totals().refused() == 5);
}

TEST_CASE("native histograms are kept beside the numbers, and end like them") {
  World w;
  const auto report = w.send({{up("a"), {{0, 1}}, {histogram_message(15), histogram_message(30)}}});
  CHECK(report.appended == 3);
  const auto ids = w.store.select(testing::matchers_of("up"));
  std::vector<HistogramSample> found;
  w.store.read_histograms(ids.at(0), kNow, kNow + 1min, found);
  REQUIRE(found.size() == 2);
  CHECK(found[0].at == kNow + 15s);
  CHECK(found[0].histogram->count == 10);
  CHECK(w.samples() == std::vector<std::string>{R"(up{instance="a", job="j"} 1)"});
  CHECK(w.send({{up("a"), {}, {histogram_message(45, stale_nan())}}}).appended == 1);
  std::vector<HistogramPtr> newest(1);
  std::vector<std::int64_t> times(1);
  w.store.read_latest_histograms(ids, kNow, kNow + 1min, newest, times);
  CHECK(newest[0] == nullptr);
}

TEST_CASE("the series of one target share their columns") {
  World w;
  w.want("{__name__=~\"a|b|rule:.*\"}[1m]");
  const auto series = [](const std::string& name, const std::string& instance) {
    return Pairs{{"__name__", name}, {"instance", instance}};
  };
  w.send({{series("a", "1"), {{0, 1}}},
          {series("b", "1"), {{0, 1}}},
          {series("a", "2"), {{1, 1}}},
          {{{"__name__", "rule:x"}}, {{2, 1}}},
          {{{"__name__", "rule:x"}, {"c", "d"}}, {{2, 1}}},
          {{{"__name__", "rule:y"}}, {{3, 1}}}});
  CHECK(w.store.stats().series == 6);
  CHECK(w.store.stats().blocks == 4);
}

TEST_CASE("series that end are forgotten, and known again when they come back") {
  World w;
  for (int minute = 0; minute <= 120; ++minute) {
    w.now = kNow + std::chrono::minutes(minute);
    std::vector<Sent> all{{up("a"), {{minute * 60, 1.0 * minute}}}};
    // It is away for an hour.
    if (minute <= 20 || minute >= 80) all.push_back({up("b"), {{minute * 60, 2.0 * minute}}});
    CHECK(w.send(all).refused() == 0);
    w.store.collect_garbage(w.now);
    CHECK(w.store.stats().series == (minute >= 27 && minute < 80 ? 1 : 2));
    if (minute > 30 && minute < 80) CHECK(w.store.stats().blocks == 1);
  }
  CHECK(w.samples("up{instance=\"b\"}") ==
        std::vector<std::string>{R"(up{instance="b", job="j"} 228 230 232 234 236 238 240)"});
}

}  // namespace
}  // namespace tocsin::source
