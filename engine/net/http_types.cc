// SPDX-License-Identifier: Apache-2.0
#include "net/http_types.h"

#include <algorithm>
#include <cctype>

namespace tocsin::net {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string_view find_header(const Headers& headers, std::string_view name) {
  const auto it = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
    return equal_ignoring_case(header.first, name);
  });
  return it == headers.end() ? std::string_view() : std::string_view(it->second);
}

}  // namespace tocsin::net
