// SPDX-License-Identifier: Apache-2.0
//
// URLs and form bodies: split, encoded, decoded. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::net {

// In the order in which they stand; names may repeat.
using Params = std::vector<std::pair<std::string, std::string>>;

// Everything but unreserved characters (RFC 3986) becomes %XX; a space becomes %20.
std::string url_encode(std::string_view text);

// `+` is a space, as in queries and forms. Broken escapes are kept as they stand.
std::string url_decode(std::string_view text);

// "a=1&b=x%20y" and back.
Params parse_params(std::string_view text);
std::string format_params(const Params& params);

struct Url {
  std::string scheme;  // Lower case.
  std::string host;    // Without the brackets of an IPv6 address.
  std::string port;    // Empty when the URL names none.
  std::string path;    // With the leading slash; "/" when the URL has none.
  std::string query;   // Without the question mark, still encoded.

  // The port, or the scheme's.
  std::string port_or_default() const;
  // "host:port" as it stands in a Host header.
  std::string authority() const;
  std::string text() const;
};

// Absolute http and https URLs without user information; nothing on anything else.
std::optional<Url> parse_url(std::string_view text);

// "host:port", ":port", "[::1]:port"; the host may be missing, the port may not.
std::optional<std::pair<std::string, std::string>> split_host_port(std::string_view text);

// `base` with `path` appended, with exactly one slash between them.
std::string join_url(std::string_view base, std::string_view path);

}  // namespace tocsin::net
