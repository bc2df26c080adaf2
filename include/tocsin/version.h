// SPDX-License-Identifier: Apache-2.0
//
// What this build is.
#pragma once

#include <string_view>

namespace tocsin {

std::string_view version();   // "0.1.0"
std::string_view revision();  // The commit, shortened; "unknown" outside a checkout.

}  // namespace tocsin
