// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "support/files.h"
#include "tocsin/exposition.h"
#include "tocsin/sample.h"

namespace tocsin::exposition {
namespace {

// Every sample of a page, as "labels value [@millis]", one per line; or the error.
std::string read(std::string_view page, Dialect dialect = Dialect::Prometheus) {
  PageReader reader(page, dialect);
  PageSample sample;
  std::string out;
  while (reader.next(sample)) {
    const auto labels = decode_labels(sample);
    if (!labels) return "error: " + labels.error().message;
    out += labels->text() + " " + format_value(sample.value);
    if (sample.at) out += " @" + std::to_string(to_millis(*sample.at));
    out += "\n";
  }
  return reader.ok() ? out : "error: " + reader.error().message;
}

TEST_CASE("a proxy's page is read: two formats glued together, with # EOF at the end") {
  const char* page =
      "# HELP request_total Total count of HTTP requests.\n"
      "# TYPE request_total counter\n"
      "request_total{direction=\"inbound\",error=\"\"} 852\n"
      "response_latency_ms_bucket{direction=\"inbound\",le=\"1\"} 3\n"
      "response_latency_ms_bucket{direction=\"inbound\",le=\"+Inf\"} 4\n"
      "# HELP outbound_http_route_request_statuses Completed requests.\n"
      "# TYPE outbound_http_route_request_statuses counter\n"
      "outbound_http_route_request_statuses_total{http_status=\"200\",error=\"\"} 7\n"
      "# UNIT control_identity_cert_expiration_timestamp_seconds seconds\n"
      "control_identity_cert_expiration_timestamp_seconds 1789413557.0\n"
      "outbound_http_route_request_duration_seconds_bucket{le=\"0.05\"} 1\n"
      "# EOF\n";
  CHECK(read(page) ==
        "request_total{direction=\"inbound\"} 852\n"
        "response_latency_ms_bucket{direction=\"inbound\", le=\"1.0\"} 3\n"
        "response_latency_ms_bucket{direction=\"inbound\", le=\"+Inf\"} 4\n"
        "outbound_http_route_request_statuses_total{http_status=\"200\"} 7\n"
        "control_identity_cert_expiration_timestamp_seconds 1789413557\n"
        "outbound_http_route_request_duration_seconds_bucket{le=\"0.05\"} 1\n");
}

TEST_CASE("numbers, timestamps, escapes and odd spacing are read") {
  const struct {
    const char* line;
    const char* read;
  } cases[] = {
      {"issuer_cert_ttl_seconds 3.1535317467745613e+07\n",
       "issuer_cert_ttl_seconds 31535317.467745613\n"},
      {"a NaN\n", "a NaN\n"},
      {"a -Inf\n", "a -Inf\n"},
      {"a +Inf 1000\n", "a +Inf @1000\n"},
      {"a{} 1\n", "a 1\n"},
      {"  a { b = \"c\" , }  1   2  \n", "a{b=\"c\"} 1 @2\n"},
      {"a{b=\"x}\\\"y\\\\z\\n\"} 1\r\n", "a{b=\"x}\\\"y\\\\z\\n\"} 1\n"},
      {"{\"my.metric\",\"a.b\"=\"c\"} 1\n", "{\"my.metric\", \"a.b\"=\"c\"} 1\n"},
      {"a 1", "a 1\n"},
      {"\n\n# just a remark\n", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.line));
    CHECK(read(c.line) == c.read);
  }
}

TEST_CASE("a bad line is an error that names the line") {
  const struct {
    const char* page;
    const char* error;
  } cases[] = {
      {"a 1\nb{c=\"d} 2\n", "error: line 2: labels are not closed with }: b{c=\"d} 2"},
      {"a\n", "error: line 1: no value: a"},
      {"a x\n", "error: line 1: not a number: x: a x"},
      {"a 1 z\n", "error: line 1: not a timestamp: z: a 1 z"},
      {"a 1 2 3\n", "error: line 1: unexpected text after the sample: a 1 2 3"},
      {"<html>\n", "error: line 1: not a metric name: <html>"},
      {"a{b=\"1\",b=\"2\"} 1\n", "error: label \"b\" given twice in a{b=\"1\",b=\"2\"}"},
      {"a{b=\"\xff\"} 1\n", "error: label value is not UTF-8 in a{b=\"\xff\"}"},
      {"a{1b=\"x\"} 1\n", "error: invalid label name in a{1b=\"x\"}"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.page));
    CHECK(read(c.page) == c.error);
  }
}

TEST_CASE("OpenMetrics: seconds, exemplars, and # EOF must close the page") {
  CHECK(read("a_total 1 1.5 # {trace_id=\"x\"} 0.5 1\n# EOF\n", Dialect::OpenMetrics) ==
        "a_total 1 @1500\n");
  CHECK(read("a 1\n", Dialect::OpenMetrics) == "error: line 1: page does not end with # EOF: ");
  CHECK(read("a 1\n# EOF\nb 1\n", Dialect::OpenMetrics) == "error: line 3: data after # EOF: b 1");
  CHECK(dialect_of("application/openmetrics-text; version=1.0.0") == Dialect::OpenMetrics);
  CHECK(dialect_of("text/plain") == Dialect::Prometheus);
}

TEST_CASE("the banners of linkerd diagnostics say which pod and container a sample is of") {
  const char* page =
      "#\n# POD web-1 (1 of 2)\n#\na 1\n# EOF\n#\n# POD web-2 (2 of 2)\n# CONTAINER policy\n#\na "
      "2\n";
  PageReader reader(page, Dialect::Detect);
  PageSample sample;
  REQUIRE(reader.next(sample));
  CHECK(sample.pod == "web-1");
  CHECK(sample.container.empty());
  REQUIRE(reader.next(sample));
  CHECK(sample.pod == "web-2");
  CHECK(sample.container == "policy");
  CHECK_FALSE(reader.next(sample));
  CHECK(reader.ok());
}

TEST_CASE("the type of a family is known to its samples") {
  const char* page =
      "# TYPE a counter\na_total 1\n# TYPE b histogram\nb_bucket{le=\"1\"} 1\nb_other 1\nc 1\n";
  PageReader reader(page, Dialect::Prometheus);
  PageSample sample;
  std::vector<MetricType> types;
  while (reader.next(sample)) types.push_back(sample.type);
  CHECK(types == std::vector{MetricType::Counter, MetricType::Histogram, MetricType::Unknown,
                             MetricType::Unknown});
}

TEST_CASE("every sample of a real Linkerd 2.3 page is read") {
  const auto file = shared("fixtures/linkerd-proxy-2.3.prom");
  if (!file) return;
  const std::string text = bytes_of(*file);
  std::stringstream page(text);
  std::size_t lines = 0;
  for (std::string line; std::getline(page, line);) lines += !line.empty() && line[0] != '#';
  PageReader reader(text, Dialect::Prometheus);
  PageSample sample;
  std::size_t samples = 0;
  while (reader.next(sample)) {
    CHECK(decode_labels(sample).has_value());
    ++samples;
  }
  CHECK(reader.ok());
  CHECK(samples == lines);
  CHECK(samples > 1000);
}

TEST_CASE("a line whose key is known is read without looking for its end") {
  const struct {
    const char* line;
    bool is_read;
    double value;
  } cases[] = {
      {"a{x=\"}\"} 12\n", true, 12},
      {"# TYPE a counter\na{x=\"}\"} 7\n", true, 7},
      {"a{x=\"}\"} 1.5e3\n", true, 1500},
      {"a{x=\"}\"} -0\n", true, 0},
      {"a{x=\"}\"} 123456789012345678\n", true, 123456789012345678.0},
      {"a{x=\"}\"} 12 1700000000000\n", false, 0},  // A timestamp,
      {"a{x=\"}\"} 12 # {} 1\n", false, 0},         // an exemplar,
      {"a{x=\"}\"}  12\n", false, 0},               // unusual blanks,
      {"a{x=\"}\"} 12\r\n", false, 0},
      {"a{x=\"}\"} 12", false, 0},     // no end:
      {"a{x=\"}\"} 1x2\n", false, 0},  // next() will know.
      {"a{x=\"}b\"} 12\n", false, 0},
      {"a 12\n", false, 0},
      {"", false, 0},
  };
  const KnownKey key = known("a{x=\"}\"}");
  for (const auto& c : cases) {
    CAPTURE(c.line);
    PageReader reader(c.line, Dialect::Prometheus);
    double value = 0;
    CHECK(reader.next_if(key, value) == c.is_read);
    CHECK(value == c.value);
    PageSample sample;
    if (c.is_read) CHECK_FALSE(reader.next(sample));
  }
}

TEST_CASE("after a key that was expected in vain, the line is read as ever") {
  PageReader reader("# TYPE b gauge\nb 3\nc 4\n", Dialect::Prometheus);
  double value = 0;
  CHECK_FALSE(reader.next_if(known("a"), value));
  PageSample sample;
  REQUIRE(reader.next(sample));
  CHECK(sample.key == "b");
  CHECK(sample.type == MetricType::Gauge);
  REQUIRE(reader.next_if(known("c"), value));
  CHECK(value == 4);
  CHECK(reader.line() == 3);
}

}  // namespace
}  // namespace tocsin::exposition
