// SPDX-License-Identifier: Apache-2.0
#include "net/client_config.h"

#include <tuple>

#include "base/file.h"

namespace tocsin::net {
namespace {

Result<std::string> secret_of(const std::string& text, const std::string& path) {
  if (path.empty()) return text;
  return read_secret(path);
}

auto fields_of(const TlsOptions& tls) {
  return std::tie(tls.ca_file, tls.cert_file, tls.key_file, tls.server_name,
                  tls.insecure_skip_verify);
}

}  // namespace

bool ClientConfig::operator==(const ClientConfig& other) const {
  return std::tie(basic_auth, authorization, follow_redirects, proxy_url, headers) ==
             std::tie(other.basic_auth, other.authorization, other.follow_redirects,
                      other.proxy_url, other.headers) &&
         fields_of(tls) == fields_of(other.tls);
}

Result<void> introduce(const ClientConfig& config, HttpRequest& request) {
  request.tls = config.tls;
  request.follow_redirects = config.follow_redirects;
  request.proxy_url = config.proxy_url;
  request.headers.insert(request.headers.end(), config.headers.begin(), config.headers.end());
  if (config.basic_auth) {
    const auto& auth = *config.basic_auth;
    auto username = secret_of(auth.username, auth.username_file);
    if (!username) return fail(username.error().in("basic_auth"));
    auto password = secret_of(auth.password, auth.password_file);
    if (!password) return fail(password.error().in("basic_auth"));
    request.basic_auth = BasicCredentials{std::move(*username), std::move(*password)};
  }
  if (config.authorization) {
    const auto& auth = *config.authorization;
    const auto credentials = secret_of(auth.credentials, auth.credentials_file);
    if (!credentials) return fail(credentials.error().in("authorization"));
    request.headers.emplace_back("Authorization", auth.type + " " + *credentials);
  }
  return {};
}

Result<std::string> read_secret(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) return fail(bytes.error());
  const std::size_t begin = bytes->find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return std::string();
  return bytes->substr(begin, bytes->find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace tocsin::net
