// SPDX-License-Identifier: Apache-2.0
//
// What receivers answer is shown to people: in the log, the API and on the page. Some repeat the
// address or the key that they were sent, and those may be secrets. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::notify {

// What of a URL may be a secret, the longest first: its path and query, and their longer parts.
std::vector<std::string> secrets_of_url(std::string_view url);

// `text` with "…" for each of them. Empty ones are passed over.
std::string without(const std::vector<std::string>& secrets, std::string text);

}  // namespace tocsin::notify
