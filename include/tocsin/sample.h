// SPDX-License-Identifier: Apache-2.0
//
// One value at one instant, and the three NaNs that mean different things.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tocsin/clock.h"

namespace tocsin {

struct Sample {
  Timestamp at;
  double value = 0;

  bool operator==(const Sample&) const = default;
};

// The bit patterns are Prometheus' (model/value): remote write and federation carry them.
inline constexpr std::uint64_t kNormalNanBits = 0x7ff8000000000001ULL;
inline constexpr std::uint64_t kStaleNanBits = 0x7ff0000000000002ULL;

// What a scrape reports when it says NaN.
inline double normal_nan() { return std::bit_cast<double>(kNormalNanBits); }
// Marks the end of a series: at this instant it exists no longer.
inline double stale_nan() { return std::bit_cast<double>(kStaleNanBits); }
inline bool is_stale_nan(double v) { return std::bit_cast<std::uint64_t>(v) == kStaleNanBits; }

// The shortest text that reads back as `v`: "0.1", "1000000", "+Inf", "-Inf", "NaN". Never an
// exponent. The form of values in Prometheus' API.
std::string format_value(double v);

// As format_value, but with an exponent below 1e-4 and from 1e21 on. The form in which PromQL and
// templates print numbers.
std::string format_number(double v);

// Scientific, shortest: "2e+01". The form of an alert's value in Prometheus' API.
std::string format_exponent(double v);

// Reads what Prometheus' text format and PromQL take for a number: decimal, hexadecimal ("0x1f"),
// exponents, "Inf", "+inf", "NaN", in any case. Nothing on anything else.
std::optional<double> parse_number(std::string_view text);

}  // namespace tocsin
