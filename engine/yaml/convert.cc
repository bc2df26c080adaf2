// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/whole_number.h"
#include "tocsin/duration.h"
#include "yaml/mapping.h"

namespace tocsin::yaml {
namespace {

std::string shown(const Node& node) {
  return node.is_scalar() ? "'" + node.text() + "'" : std::string(node.kind_text());
}

bool wrong(const Node& node, std::string_view name, Reporter& report, std::string_view expected,
           std::string hint = {}) {
  report.error(
      node, "type",
      "'" + std::string(name) + "' must be " + std::string(expected) + ", is " + shown(node),
      std::move(hint));
  return false;
}

template <class T>
bool parse_number(std::string_view text, T& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto value = whole_number<T>(text);
  if (value) out = *value;
  return value.has_value();
}

bool is_one_of(std::string_view text, const std::array<std::string_view, 9>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// YAML 1.1's words, which Prometheus takes too.
constexpr std::array<std::string_view, 9> kTrue = {"true", "True", "TRUE", "yes", "Yes",
                                                   "YES",  "on",   "On",   "ON"};
constexpr std::array<std::string_view, 9> kFalse = {"false", "False", "FALSE", "no", "No",
                                                    "NO",    "off",   "Off",   "OFF"};

}  // namespace

bool convert(const Node& node, std::string_view name, Reporter& report, std::string& out) {
  if (!node.is_scalar()) return wrong(node, name, report, "a text");
  out = node.text();
  return true;
}

bool convert(const Node& node, std::string_view name, Reporter& report, bool& out) {
  const bool is_true = is_one_of(node.text(), kTrue);
  if (!node.is_scalar() || node.was_quoted() || (!is_true && !is_one_of(node.text(), kFalse))) {
    return wrong(node, name, report, "true or false");
  }
  out = is_true;
  return true;
}

bool convert(const Node& node, std::string_view name, Reporter& report, std::int64_t& out) {
  if (node.is_scalar() && !node.was_quoted() && parse_number(node.text(), out)) return true;
  return wrong(node, name, report, "a whole number");
}

bool convert(const Node& node, std::string_view name, Reporter& report, double& out) {
  if (node.is_scalar() && !node.was_quoted() && parse_number(node.text(), out)) return true;
  return wrong(node, name, report, "a number");
}

bool convert(const Node& node, std::string_view name, Reporter& report, Duration& out) {
  const std::optional<Duration> parsed =
      node.is_scalar() ? parse_duration(node.text()) : std::nullopt;
  if (!parsed) {
    return wrong(node, name, report, "a duration",
                 "write it like 30s, 5m or 1h30m: whole numbers with a unit");
  }
  out = *parsed;
  return true;
}

bool convert(const Node& node, std::string_view name, Reporter& report, StringMap& out) {
  StringMap values;
  const std::size_t errors = report.error_count();
  Mapping mapping(node, report, "'" + std::string(name) + "'");
  for (const Node::Entry& entry : node.entries()) {
    std::string value;
    // A null value is an empty text here: `labels: {team: }`.
    if (!entry.value.is_null() && !convert(entry.value, entry.key.text(), report, value)) continue;
    values[entry.key.text()] = std::move(value);
  }
  if (report.error_count() > errors) return false;
  out = std::move(values);
  return true;
}

bool convert(const Node& node, std::string_view name, Reporter& report,
             std::vector<std::string>& out) {
  if (!node.is_sequence()) {
    return wrong(node, name, report, "a list",
                 node.is_scalar() ? "write [" + node.text() + "]" : std::string());
  }
  std::vector<std::string> values;
  for (const Node& item : node.items()) {
    std::string value;
    if (!convert(item, name, report, value)) return false;
    values.push_back(std::move(value));
  }
  out = std::move(values);
  return true;
}

}  // namespace tocsin::yaml
