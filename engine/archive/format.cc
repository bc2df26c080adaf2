// SPDX-License-Identifier: Apache-2.0
#include "archive/format.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "tocsin/series_reader.h"

namespace tocsin::archive {
namespace {

// A change that is no difference of integers. Differences are twice their zigzag.
constexpr std::uint64_t kAbsent = 1;
constexpr std::uint64_t kRaw = 3;

// Nothing where the integer would not give the same bits again.
std::optional<std::int64_t> integer(double v) {
  if (!(std::fabs(v) <= static_cast<double>(kLargest))) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(v);
  const bool same =
      std::bit_cast<std::uint64_t>(static_cast<double>(whole)) == std::bit_cast<std::uint64_t>(v);
  return same ? std::optional(whole) : std::nullopt;
}

// What differences are taken from.
std::int64_t base_of(double before) { return integer(before).value_or(0); }

}  // namespace

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::uint64_t Cursor::long_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at_++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail();
  return 0;
}

std::string_view Cursor::bytes(std::uint64_t count) {
  if (count > static_cast<std::uint64_t>(end_ - at_)) {
    fail();
    return {};
  }
  const std::string_view out(at_, count);
  at_ += count;
  return out;
}

double Cursor::raw_double() {
  const std::string_view from = bytes(sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  for (std::size_t i = from.size(); i-- > 0;) bits = bits << 8 | static_cast<std::uint8_t>(from[i]);
  return std::bit_cast<double>(bits);
}

void put_change(std::string& out, double before, double now) {
  if (store::is_absent(now)) return put_varint(out, kAbsent);
  if (const auto whole = integer(now))
    return put_varint(out, zigzag(*whole - base_of(before)) << 1);
  put_varint(out, kRaw);
  auto bits = std::bit_cast<std::uint64_t>(now);
  for (std::size_t i = 0; i < sizeof(bits); ++i, bits >>= 8) {
    out.push_back(static_cast<char>(bits & 0xff));
  }
}

Change take_other_change(Cursor& from, std::uint64_t code) {
  if (code == kAbsent) return {store::absent_value(), 0};
  const double value = from.raw_double();
  return {value, base_of(value)};
}

}  // namespace tocsin::archive
