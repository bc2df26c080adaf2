// SPDX-License-Identifier: Apache-2.0
#include <xxhash.h>

#include <array>
#include <charconv>
#include <cmath>

#include "tocsin/exposition.h"
#include "tocsin/sample.h"

namespace tocsin::exposition {
namespace {

constexpr std::size_t kShownLineBytes = 120;  // Of a bad line, in the error.

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

std::string_view take_word(std::string_view& text) {
  skip_blanks(text);
  std::size_t end = 0;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// Where the braces that `text` starts with close, quotes and escapes respected; npos if never.
// Starts at `from`, which is outside of quotes, and leaves it behind the last comma that is, too.
std::size_t closing_brace(std::string_view text, std::size_t& from) {
  bool quoted = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      from = i + 1;
    } else if (c == '}') {
      return i;
    }
  }
  return std::string_view::npos;
}

// Most values are short integers; everything else goes the long way.
std::optional<double> read_value(std::string_view text) {
  if (!text.empty() && text.size() <= 15) {
    std::int64_t integer = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
    if (error == std::errc() && end == text.data() + text.size() && text != "-0") {
      return static_cast<double>(integer);
    }
  }
  auto value = parse_number(text);
  if (value && std::isnan(*value)) return normal_nan();
  return value;
}

// Reads digits up to the end of the line, and passes over both; false, and nothing happened, on
// anything else.
bool take_integer_line(std::string_view& text, double& value) {
  constexpr std::size_t kMaxDigits = 15;  // All that a double holds.
  std::int64_t integer = 0;
  std::size_t i = 0;
  for (; i < text.size() && i < kMaxDigits && text[i] >= '0' && text[i] <= '9'; ++i) {
    integer = integer * 10 + (text[i] - '0');
  }
  if (i == 0 || i == text.size() || text[i] != '\n') return false;
  value = static_cast<double>(integer);
  text.remove_prefix(i + 1);
  return true;
}

// The same for a number of any form.
bool take_number_line(std::string_view& text, double& value) {
  const std::size_t end = text.find('\n');
  const std::string_view number = text.substr(0, end);
  if (end == std::string_view::npos || number.find_first_of(" \t\r") != std::string_view::npos) {
    return false;
  }
  const auto read = read_value(number);
  if (!read) return false;
  value = *read;
  text.remove_prefix(end + 1);
  return true;
}

MetricType type_named(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, MetricType>, 9> kTypes{{
      {"counter", MetricType::Counter},
      {"gauge", MetricType::Gauge},
      {"histogram", MetricType::Histogram},
      {"summary", MetricType::Summary},
      {"untyped", MetricType::Unknown},
      {"unknown", MetricType::Unknown},
      {"gaugehistogram", MetricType::Other},
      {"info", MetricType::Other},
      {"stateset", MetricType::Other},
  }};
  for (const auto& [name, type] : kTypes) {
    if (name == word) return type;
  }
  return MetricType::Unknown;
}

// Seconds or milliseconds? Milliseconds since 1973 have twelve digits, seconds until 5138 eleven.
bool looks_like_seconds(std::string_view text, double value) {
  return text.find('.') != std::string_view::npos || std::abs(value) < 1e11;
}

std::optional<Timestamp> read_timestamp(std::string_view text, Dialect dialect) {
  const auto value = parse_number(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  const bool seconds = dialect == Dialect::OpenMetrics ||
                       (dialect == Dialect::Detect && looks_like_seconds(text, *value));
  if (!seconds && *value != std::trunc(*value)) return std::nullopt;
  const double millis = seconds ? *value * 1000.0 : *value;
  if (std::abs(millis) > 9e15) return std::nullopt;
  return from_millis(std::llround(millis));
}

}  // namespace

KnownKey known(std::string_view key) {
  return {XXH3_64bits(key.data(), key.size()), static_cast<std::uint32_t>(key.size())};
}

Dialect dialect_of(std::string_view content_type) {
  const bool open = content_type.starts_with("application/openmetrics-text");
  return open ? Dialect::OpenMetrics : Dialect::Prometheus;
}

PageReader::PageReader(std::string_view page, Dialect dialect) : rest_(page), dialect_(dialect) {}

bool PageReader::set_error(std::string_view what) {
  error_ =
      Error{ErrorCode::Parse, "line " + std::to_string(line_number_) + ": " + std::string(what) +
                                  ": " + std::string(line_.substr(0, kShownLineBytes))};
  return false;
}

bool PageReader::next_line(std::string_view& out) {
  if (rest_.empty()) return false;
  const std::size_t end = rest_.find('\n');
  out = rest_.substr(0, end);
  rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
  if (!out.empty() && out.back() == '\r') out.remove_suffix(1);
  ++line_number_;
  line_ = out;
  return true;
}

bool PageReader::next(PageSample& out) {
  if (error_) return false;
  std::string_view line;
  while (next_line(line)) {
    skip_blanks(line);
    if (line.empty()) {
      if (dialect_ == Dialect::OpenMetrics) return set_error("blank line");
      continue;
    }
    if (seen_eof_ && dialect_ == Dialect::OpenMetrics) return set_error("data after # EOF");
    if (line.front() == '#') {
      read_comment(line.substr(1));
      continue;
    }
    return read_sample(line, out);
  }
  if (dialect_ == Dialect::OpenMetrics && !seen_eof_) {
    line_ = {};
    return set_error("page does not end with # EOF");
  }
  return false;
}

void PageReader::read_comments() {
  std::string_view line;
  while (!rest_.empty() && rest_.front() == '#' && next_line(line)) read_comment(line.substr(1));
}

bool PageReader::next_if(const KnownKey& key, double& value) {
  read_comments();
  if (error_ || seen_eof_ || key.size == 0 || rest_.size() <= key.size) return false;
  if (rest_[key.size] != ' ' || XXH3_64bits(rest_.data(), key.size) != key.hash) return false;
  std::string_view after = rest_.substr(key.size + 1);
  if (!take_integer_line(after, value) && !take_number_line(after, value)) return false;
  rest_ = after;
  ++line_number_;
  return true;
}

void PageReader::read_comment(std::string_view line) {
  const std::string_view word = take_word(line);
  if (word == "TYPE") {
    type_name_ = take_word(line);
    type_ = type_named(take_word(line));
  } else if (word == "EOF") {
    seen_eof_ = true;
  } else if (word == "POD") {
    pod_ = take_word(line);
    container_ = {};
    seen_eof_ = false;  // Several captured pages in one file.
  } else if (word == "CONTAINER") {
    container_ = take_word(line);
  }
}

MetricType PageReader::type_of(std::string_view name) const {
  if (!name.starts_with(type_name_)) return MetricType::Unknown;
  const std::string_view suffix = name.substr(type_name_.size());
  if (suffix.empty() || suffix == "_total" || suffix == "_bucket" || suffix == "_sum" ||
      suffix == "_count") {
    return type_;
  }
  return MetricType::Unknown;
}

// Most lines are like the one before but for the last label.
std::size_t PageReader::end_of_labels(std::string_view text) {
  std::size_t last_label = text.starts_with(last_labels_) ? last_labels_.size() : 1;
  const std::size_t close = closing_brace(text, last_label);
  last_labels_ = close == std::string_view::npos ? "{" : text.substr(0, last_label);
  return close;
}

bool PageReader::read_sample(std::string_view line, PageSample& out) {
  const char* const start = line.data();
  std::size_t end = 0;
  while (end < line.size() && line[end] != '{' && !is_blank(line[end])) ++end;
  out = PageSample{};
  out.name = line.substr(0, end);
  std::size_t key_length = end;
  line.remove_prefix(end);
  std::string_view after_name = line;
  skip_blanks(after_name);
  if (!after_name.empty() && after_name.front() == '{') {
    const std::size_t close = end_of_labels(after_name);
    if (close == std::string_view::npos) return set_error("labels are not closed with }");
    out.labels = after_name.substr(1, close - 1);
    line = after_name.substr(close + 1);
    key_length = static_cast<std::size_t>(line.data() - start);
  } else if (out.name.empty() || !is_legacy_metric_name(out.name)) {
    return set_error("not a metric name");
  }
  out.key = {start, key_length};
  const std::string_view number = take_word(line);
  if (number.empty()) return set_error("no value");
  const auto value = read_value(number);
  if (!value) return set_error("not a number: " + std::string(number));
  out.value = *value;
  skip_blanks(line);
  if (!line.empty() && line.front() != '#') {
    const std::string_view stamp = take_word(line);
    out.at = read_timestamp(stamp, dialect_);
    if (!out.at) return set_error("not a timestamp: " + std::string(stamp));
    skip_blanks(line);
  }
  // What may still follow is an exemplar, `# {trace_id="x"} 1 2`, which is left unread.
  if (!line.empty() && (line.front() != '#' || dialect_ == Dialect::Prometheus)) {
    return set_error("unexpected text after the sample");
  }
  out.type = type_of(out.name);
  out.pod = pod_;
  out.container = container_;
  return true;
}

}  // namespace tocsin::exposition
