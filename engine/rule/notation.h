// SPDX-License-Identifier: Apache-2.0
//
// The short notations of mesh conditions: "99%", "10/s", "3x baseline". Text in, value out; nothing
// where the text is something else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::rule {

// "99.9%" → 0.999.
std::optional<double> parse_percentage(std::string_view text);

// "10/s", "600/m", "5/h" → requests per second.
std::optional<double> parse_rate(std::string_view text);

// "3x baseline", "0.5 x baseline" → 3, 0.5.
std::optional<double> parse_multiple(std::string_view text);

// The shortest text that PromQL reads back as the same value.
std::string number_text(double value);

}  // namespace tocsin::rule
