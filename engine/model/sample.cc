// SPDX-License-Identifier: Apache-2.0
#include "tocsin/sample.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace tocsin {
namespace {

std::optional<std::string> special(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return std::nullopt;
}

std::string shortest(double v, std::chars_format format) {
  std::array<char, 400> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v, format);
  return {buffer.data(), end};
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

std::optional<double> parse_unsigned(std::string_view text) {
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
    return std::numeric_limits<double>::infinity();
  }
  if (equals_ignoring_case(text, "nan")) return normal_nan();
  auto format = std::chars_format::general;
  if (text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
    format = std::chars_format::hex;
    text.remove_prefix(2);
  }
  // from_chars also reads "inf" and "nan(...)"; those were dealt with above.
  if (text.empty() || (format == std::chars_format::general && text[0] != '.' &&
                       (text[0] < '0' || text[0] > '9'))) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, format);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; a huge exponent means infinity, a tiny one zero.
    const std::size_t exponent = text.find_first_of("eE");
    const bool tiny = exponent != std::string_view::npos && text.find('-', exponent) != text.npos;
    return tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

// Without an exponent. to_chars() writes a big number to its last digit; we want only those digits
// that tell it from its neighbours, and zeros.
std::string plain(double v) {
  if (std::abs(v) < kExactIntegers) return shortest(v, std::chars_format::fixed);
  std::string text = shortest(v, std::chars_format::scientific);
  const std::size_t mark = text.find('e');
  const auto exponent = static_cast<std::size_t>(std::stoi(text.substr(mark + 1)));
  text.resize(mark);
  std::erase(text, '.');
  text.resize((v < 0 ? 1 : 0) + 1 + exponent, '0');
  return text;
}

}  // namespace

std::string format_value(double v) {
  if (auto text = special(v)) return *text;
  return plain(v);
}

std::string format_number(double v) {
  if (auto text = special(v)) return *text;
  const double magnitude = std::abs(v);
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21)) return format_exponent(v);
  return plain(v);
}

std::string format_exponent(double v) {
  if (auto text = special(v)) return *text;
  return shortest(v, std::chars_format::scientific);
}

std::optional<double> parse_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  const auto value = parse_unsigned(text);
  if (!value) return std::nullopt;
  // Negating a NaN would change the bits that tell the NaNs apart.
  return negative && !std::isnan(*value) ? -*value : *value;
}

}  // namespace tocsin
