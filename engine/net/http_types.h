// SPDX-License-Identifier: Apache-2.0
//
// What HTTP's client and server have in common. Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, in any case; empty when there is none.
std::string_view find_header(const Headers& headers, std::string_view name);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace tocsin::net
