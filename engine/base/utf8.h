// SPDX-License-Identifier: Apache-2.0
//
// Bytes from outside (an error that a peer sent, a path) made fit for JSON and HTML. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tocsin {

// The text with U+FFFD in place of every byte that is not part of well-formed UTF-8.
std::string well_formed(std::string_view text);

// At most `bytes` of the text, cut between characters and ended by "…" where something is missing.
std::string clip(std::string_view text, std::size_t bytes);

}  // namespace tocsin
