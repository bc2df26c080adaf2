// SPDX-License-Identifier: Apache-2.0
#include "notify/secrecy.h"

#include <algorithm>

#include "net/url.h"

namespace tocsin::notify {
namespace {

// Words like "services" and "webhooks" are shorter than this, or known to everybody.
constexpr std::size_t kLeastSecret = 8;

void add_parts(std::string_view text, std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("/&="), text.size());
    if (end >= kLeastSecret) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::vector<std::string> secrets_of_url(std::string_view url) {
  const auto parsed = net::parse_url(url);
  if (!parsed) return {};
  std::vector<std::string> out;
  if (parsed->path.size() > 1) out.push_back(parsed->path);
  out.push_back(parsed->query);
  add_parts(parsed->path, out);
  add_parts(parsed->query, out);
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return out;
}

std::string without(const std::vector<std::string>& secrets, std::string text) {
  constexpr std::string_view kHidden = "…";
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kHidden.size())) {
      text.replace(at, secret.size(), kHidden);
    }
  }
  return text;
}

}  // namespace tocsin::notify
