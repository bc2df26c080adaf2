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

// Reads a quoted text and moves past it. The format's escapes are \\, \" and \n; any other
// backslash stays as it is.
bool take_quoted(std::string_view& text, std::string& out) {
  out.clear();
  if (text.empty() || text.front() != '"') return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (c != '\\' || i + 1 == text.size()) {
      out += c;
      continue;
    }
    const char escaped = text[++i];
    if (escaped == 'n') {
      out += '\n';
    } else if (escaped == '"' || escaped == '\\') {
      out += escaped;
    } else {
      out += '\\';
      out += escaped;
    }
  }
  return false;
}

bool take_name(std::string_view& text, std::string& out) {
  if (!text.empty() && text.front() == '"') return take_quoted(text, out) && !out.empty();
  std::size_t end = 0;
  while (end < text.size() && text[end] != '=' && text[end] != ',' && text[end] != ' ') ++end;
  out = text.substr(0, end);
  text.remove_prefix(end);
  return is_legacy_label_name(out);
}

// "1" → "1.0", "0.5" as it is, "1e3" → "1000.0": what Prometheus 3 makes of bounds, so that both
// halves of a proxy's page agree. Text that is no number is left alone.
std::string normal_bound(const std::string& text) {
  const auto value = parse_number(text);
  if (!value) return text;
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
  std::string name;
  std::string value;
  if (!sample.name.empty()) builder.set(kMetricName, sample.name);
  std::string_view text = sample.labels;
  skip_blanks(text);
  while (!text.empty()) {
    const bool quoted = text.front() == '"';
    if (!take_name(text, name)) return bad(sample, "invalid label name");
    skip_blanks(text);
    if (quoted && (text.empty() || text.front() == ',')) {
      if (builder.has(kMetricName)) return bad(sample, "metric name given twice");
      value = name;
      name = kMetricName;
    } else {
      if (text.empty() || text.front() != '=') return bad(sample, "expected = after label name");
      text.remove_prefix(1);
      skip_blanks(text);
      if (!take_quoted(text, value)) return bad(sample, "expected a quoted label value");
    }
    if (!is_valid_utf8(value)) return bad(sample, "label value is not UTF-8");
    if (builder.has(name)) return bad(sample, "label \"" + name + "\" given twice");
    const bool is_bound = name == "le" || name == "quantile";
    builder.set(name, is_bound ? normal_bound(value) : value);
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
