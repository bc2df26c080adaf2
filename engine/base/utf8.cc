// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <algorithm>

namespace tocsin {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool is_continuation(unsigned char c) { return (c & 0xC0U) == 0x80U; }

// How many bytes the character that starts with `lead` has; 0 when none does.
std::size_t length_after(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF are told by the second byte.
bool fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second < 0xA0;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second < 0x90;
    default:
      return true;
  }
}

// The length of the well-formed character at `pos`; 0 when there is none.
std::size_t character_at(std::string_view text, std::size_t pos) {
  const std::size_t length = length_after(byte_at(text, pos));
  if (length <= 1) return length;
  if (pos + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte_at(text, pos + i))) return 0;
  }
  return fits(byte_at(text, pos), byte_at(text, pos + 1)) ? length : 0;
}

}  // namespace

std::string well_formed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t pos = 0; pos < text.size();) {
    const std::size_t length = character_at(text, pos);
    out += length == 0 ? kReplacement : text.substr(pos, length);
    pos += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string clip(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  std::size_t end = bytes;
  while (end > 0 && is_continuation(byte_at(text, end))) --end;
  return std::string(text.substr(0, end)).append(kEllipsis);
}

}  // namespace tocsin
