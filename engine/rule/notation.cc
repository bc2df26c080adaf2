// SPDX-License-Identifier: Apache-2.0
#include "rule/notation.h"

#include <array>
#include <cmath>

#include "base/whole_number.h"

namespace tocsin::rule {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<double> parse_positive(std::string_view text) {
  const auto value = whole_number<double>(trim(text));
  return value && std::isfinite(*value) && *value >= 0 ? value : std::nullopt;
}

// `value` without rounding noise: 99.9 / 100 is to be 0.999.
double tidy(double value) { return std::round(value * 1e12) / 1e12; }

}  // namespace

std::optional<double> parse_percentage(std::string_view text) {
  text = trim(text);
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const std::optional<double> value = parse_positive(text);
  if (!value) return std::nullopt;
  return tidy(*value / 100);
}

std::optional<double> parse_rate(std::string_view text) {
  constexpr std::array<std::pair<char, double>, 3> kUnits = {{{'s', 1}, {'m', 60}, {'h', 3600}}};
  text = trim(text);
  if (text.size() < 3 || text[text.size() - 2] != '/') return std::nullopt;
  const std::optional<double> value = parse_positive(text.substr(0, text.size() - 2));
  for (const auto& [unit, seconds] : kUnits) {
    if (value && text.back() == unit) return tidy(*value / seconds);
  }
  return std::nullopt;
}

std::optional<double> parse_multiple(std::string_view text) {
  constexpr std::string_view kBaseline = "baseline";
  text = trim(text);
  if (!text.ends_with(kBaseline)) return std::nullopt;
  text = trim(text.substr(0, text.size() - kBaseline.size()));
  if (!text.ends_with('x')) return std::nullopt;
  return parse_positive(text.substr(0, text.size() - 1));
}

std::string number_text(double value) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
}

}  // namespace tocsin::rule
