// SPDX-License-Identifier: Apache-2.0
//
// Bytes as text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::net {

// Base64 with padding, in one line.
std::string encode_base64(std::string_view bytes);
// And back; spaces behind it do not matter.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace tocsin::net
