// SPDX-License-Identifier: Apache-2.0
#include "api/json_writer.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/utf8.h"
#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

constexpr double kSmallest = 1e-6;
constexpr double kLargest = 1e21;

// The two-character escape of a byte; nothing when it needs the long form or none.
std::string_view short_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {};
  }
}

bool is_plain(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

void append_escaped(std::string& out, char c) {
  if (const std::string_view escape = short_escape(c); !escape.empty()) {
    out += escape;
    return;
  }
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned>(c));
  out += buffer.data();
}

}  // namespace

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  if (is_valid_utf8(value)) {
    quote(value);
  } else {
    quote(well_formed(value));
  }
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  return raw(std::isfinite(value) ? sample_text(value) : "null");
}

JsonWriter& JsonWriter::integer(std::uint64_t value) { return raw(std::to_string(value)); }

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::labels(const Labels& labels) {
  begin_object();
  for (const LabelView& label : labels) key(label.name).text(label.value);
  return end_object();
}

JsonWriter& JsonWriter::texts(const std::map<std::string, std::string>& texts) {
  begin_object();
  for (const auto& [name, value] : texts) key(name).text(value);
  return end_object();
}

JsonWriter& JsonWriter::sample(const Sample& sample) {
  begin_array().raw(seconds_text(sample.at));
  return raw('"' + sample_text(sample.value) + '"').end_array();
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void JsonWriter::quote(std::string_view text) {
  out_ += '"';
  for (const char c : text) {
    if (is_plain(static_cast<unsigned char>(c))) {
      out_ += c;
    } else {
      append_escaped(out_, c);
    }
  }
  out_ += '"';
}

std::string seconds_text(Timestamp at) {
  const std::int64_t millis = to_millis(at);
  const std::int64_t rest = std::abs(millis % 1000);
  std::string out = millis < 0 ? "-" : "";
  out += std::to_string(std::abs(millis / 1000));
  if (rest == 0) return out;
  const std::string decimals = std::to_string(rest);
  return out + "." + std::string(3 - decimals.size(), '0') + decimals;
}

std::string sample_text(double value) {
  const double magnitude = std::abs(value);
  const bool exponent = magnitude != 0 && (magnitude < kSmallest || magnitude >= kLargest);
  return exponent ? format_exponent(value) : format_value(value);
}

std::string moment_text(const std::optional<Timestamp>& at) {
  return at ? format_rfc3339(*at) : "0001-01-01T00:00:00Z";
}

}  // namespace tocsin::api
