// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <string>

#include "tocsin/exposition.h"
#include "tocsin/sample.h"

namespace tocsin::exposition {
namespace {

tl::unexpected<Error> bad(const PageSample& sample, std::string_view what) {
  return fail(ErrorCode::Parse, std::string(what) + " in " + std::string(sample.key));
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// Resolves the format's escapes: for backslash, quote and newline; any other backslash stays.
void unescape(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char escaped = text[++i];
    if (escaped == 'n') {
      out += '\n';
    } else {
      if (escaped != '"' && escaped != '\\') out += '\\';
      out += escaped;
    }
  }
}

// Reads a quoted text and moves past it. `out` is a view into `text`, or into `scratch` where there
// are escapes.
bool take_quoted(std::string_view& text, std::string_view& out, std::string& scratch) {
  if (text.empty() || text.front() != '"') return false;
  std::size_t end = 1;
  bool has_escapes = false;
  for (; end < text.size() && text[end] != '"'; ++end) {
    if (text[end] != '\\') continue;
    has_escapes = true;
    ++end;
  }
  if (end >= text.size()) return false;
  out = text.substr(1, end - 1);
  if (has_escapes) {
    unescape(out, scratch);
    out = scratch;
  }
  text.remove_prefix(end + 1);
  return true;
}

bool take_name(std::string_view& text, std::string_view& out, std::string& scratch) {
  if (!text.empty() && text.front() == '"') return take_quoted(text, out, scratch) && !out.empty();
  std::size_t end = 0;
  while (end < text.size() && text[end] != '=' && text[end] != ',' && text[end] != ' ') ++end;
  out = text.substr(0, end);
  text.remove_prefix(end);
  return is_legacy_label_name(out);
}

// "1" → "1.0", "0.5" as it is, "1e3" → "1000.0": what Prometheus 3 makes of bounds, so that both
// halves of a proxy's page agree. Text that is no number is left alone.
std::string normal_bound(std::string_view text) {
  const auto value = parse_number(text);
  if (!value) return std::string(text);
  const double magnitude = std::abs(*value);
  if (std::isinf(*value) || std::isnan(*value)) return format_value(*value);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21)) return format_exponent(*value);
  std::string out = format_value(*value);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

}  // namespace

Result<Labels> decode_labels(const PageSample& sample) {
  LabelsBuilder builder;
  std::string_view name;
  std::string_view value;
  std::string name_scratch;
  std::string value_scratch;
  if (!sample.name.empty()) builder.set(kMetricName, sample.name);
  std::string_view text = sample.labels;
  skip_blanks(text);
  while (!text.empty()) {
    const bool quoted = text.front() == '"';
    if (!take_name(text, name, name_scratch)) return bad(sample, "invalid label name");
    skip_blanks(text);
    if (quoted && (text.empty() || text.front() == ',')) {
      if (builder.has(kMetricName)) return bad(sample, "metric name given twice");
      value = name;
      name = kMetricName;
    } else {
      if (text.empty() || text.front() != '=') return bad(sample, "expected = after label name");
      text.remove_prefix(1);
      skip_blanks(text);
      if (!take_quoted(text, value, value_scratch))
        return bad(sample, "expected a quoted label value");
    }
    if (!is_valid_utf8(value)) return bad(sample, "label value is not UTF-8");
    if (builder.has(name)) return bad(sample, "label \"" + std::string(name) + "\" given twice");
    const bool is_bound = name == "le" || name == "quantile";
    if (is_bound) {
      builder.set(name, normal_bound(value));
    } else {
      builder.set(name, value);
    }
    skip_blanks(text);
    if (text.empty()) break;
    if (text.front() != ',') return bad(sample, "expected , between labels");
    text.remove_prefix(1);
    skip_blanks(text);
  }
  if (!builder.has(kMetricName)) return bad(sample, "no metric name");
  return builder.build();
}

}  // namespace tocsin::exposition
