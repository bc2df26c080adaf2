// SPDX-License-Identifier: Apache-2.0
//
// A line of values as a word: "▁▂▄█". Pure.
#pragma once

#include <span>
#include <string>

namespace tocsin::alert {

// One block a value, between the least and the greatest; NaN and infinities are spaces. Empty for
// fewer than two numbers.
std::string sparkline(std::span<const double> values);

}  // namespace tocsin::alert
