// SPDX-License-Identifier: Apache-2.0
//
// Bytes as text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::net {

// Base64 with padding, in one line.
std::string encode_base64(std::string_view bytes);

}  // namespace tocsin::net
