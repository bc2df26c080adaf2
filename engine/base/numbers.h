// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace tocsin {

// Whether none of the values is a NaN, as markers of what is absent or stale are.
bool are_numbers(std::span<const double> values);

}  // namespace tocsin
