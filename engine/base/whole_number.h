// SPDX-License-Identifier: Apache-2.0
//
// whole_number reads a number that is all of a text: digits, a minus sign, and in floating types
// what std::from_chars takes. Nothing for anything else, and for what the type cannot hold.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace tocsin {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const char* const all = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), all, value);
  if (error != std::errc() || end != all) return std::nullopt;
  return value;
}

}  // namespace tocsin
