// SPDX-License-Identifier: Apache-2.0
//
// A metrics page, read: Prometheus text format 0.0.4, OpenMetrics 1.0, and what a Linkerd proxy
// really prints, which is the two glued together with `# EOF` at the end. Captured pages with the
// banners of `linkerd diagnostics proxy-metrics` are read too.
//
// Pure, and allocation-free per line: samples are views into the page. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::exposition {

enum class MetricType : std::uint8_t { Unknown, Counter, Gauge, Histogram, Summary, Other };

// One sample line. `key` is the series as the page spells it, `name{labels}`: equal bytes are equal
// series, so that a reader who saw the key before need not decode it again.
struct PageSample {
  std::string_view key;
  std::string_view name;    // Empty where the name is quoted inside the braces.
  std::string_view labels;  // Between the braces, undecoded.
  double value = 0;
  std::optional<Timestamp> at;
  MetricType type = MetricType::Unknown;  // As the last fitting # TYPE line says.
  // The banners of `linkerd diagnostics proxy-metrics`: `# POD name (i of n)`, `# CONTAINER name`.
  std::string_view pod;
  std::string_view container;
};

enum class Dialect {
  Detect,       // Whatever the page looks like; what captured files get.
  Prometheus,   // Timestamps are integer milliseconds.
  OpenMetrics,  // Timestamps are float seconds; exemplars; `# EOF` must be the last line.
};

// The key of a sample that was read before, to be recognised again without looking for its end.
struct KnownKey {
  std::uint64_t hash = 0;
  std::uint32_t size = 0;  // 0 is no key.

  bool operator==(const KnownKey&) const = default;
};
KnownKey known(std::string_view key);

// The dialect that a Content-Type header announces. A Linkerd proxy announces text/plain.
Dialect dialect_of(std::string_view content_type);

// Reads pages one line after another:
//
//   PageReader reader(page, Dialect::Detect);
//   PageSample sample;
//   while (reader.next(sample)) ...
//   if (!reader.ok()) return reader.error();
class PageReader {
 public:
  // `page` must outlive the reader and its samples.
  PageReader(std::string_view page, Dialect dialect);

  // The next sample; false at the end of the page or at the first error.
  bool next(PageSample& out);

  // Reads the value of the next sample if that has this key and no timestamp. Otherwise false:
  // next() will read it, or tell what is wrong. Several times as fast as next().
  bool next_if(const KnownKey& key, double& value);

  bool ok() const { return !error_.has_value(); }
  // What is wrong, as "line 12: ...: <the line>".
  const Error& error() const { return *error_; }
  // 1-based number of the line of the last sample.
  std::size_t line() const { return line_number_; }

 private:
  bool next_line(std::string_view& out);
  void read_comments();
  void read_comment(std::string_view line);
  bool read_sample(std::string_view line, PageSample& out);
  std::size_t end_of_labels(std::string_view text);
  MetricType type_of(std::string_view name) const;
  bool set_error(std::string_view what);

  std::string_view rest_;
  Dialect dialect_;
  std::size_t line_number_ = 0;
  std::string_view line_;
  std::string_view last_labels_ = "{";  // Of the last sample, up to its last label.
  bool seen_eof_ = false;
  std::string_view type_name_;  // Of the last # TYPE line.
  MetricType type_ = MetricType::Unknown;
  std::string_view pod_;
  std::string_view container_;
  std::optional<Error> error_;
};

// Decodes a sample's labels, `__name__` included; `le` and `quantile` values are put into the form
// of Prometheus 3 ("1" becomes "1.0"). Banner labels are not included. Fails on a duplicate or
// invalid name and on text that is not UTF-8.
Result<Labels> decode_labels(const PageSample& sample);

}  // namespace tocsin::exposition
