// SPDX-License-Identifier: Apache-2.0
//
// How to talk to a server: Prometheus' http_config, whose keys stand beside the object's own.
#include <charconv>

#include "base/file.h"
#include "daemon/config_reader.h"

namespace tocsin::daemon {
namespace {

using yaml::Mapping;

void read_basic_auth(Mapping& m, const ConfigContext& context, net::BasicAuthConfig& auth) {
  m.read("username", auth.username);
  m.read("password", auth.password);
  read_path(m, "username_file", context, auth.username_file);
  read_path(m, "password_file", context, auth.password_file);
}

void read_authorization(Mapping& m, const ConfigContext& context, net::AuthorizationConfig& auth) {
  m.read("type", auth.type);
  m.read("credentials", auth.credentials);
  read_path(m, "credentials_file", context, auth.credentials_file);
}

}  // namespace

void read_tls(Mapping& m, const ConfigContext& context, net::TlsOptions& tls) {
  read_path(m, "ca_file", context, tls.ca_file);
  read_path(m, "cert_file", context, tls.cert_file);
  read_path(m, "key_file", context, tls.key_file);
  m.read("server_name", tls.server_name);
  m.read("insecure_skip_verify", tls.insecure_skip_verify);
}

void read_path(Mapping& m, std::string_view key, const ConfigContext& context, std::string& out) {
  if (m.read(key, out)) out = resolve_beside(context.path, out);
}

void read_count(Mapping& m, std::string_view key, std::size_t& out) {
  std::int64_t value = 0;
  if (!m.read(key, value)) return;
  if (value < 0) return m.error(key, "must not be negative");
  out = static_cast<std::size_t>(value);
}

void read_bytes(Mapping& m, std::string_view key, std::size_t& out) {
  static constexpr std::string_view kUnits = "KMGT";
  std::string text;
  if (!m.read(key, text)) return;
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::size_t power = unit.empty() ? 0 : kUnits.find(unit.front()) + 1;
  const bool known = unit.empty() || unit == "B" || (power > 0 && unit.substr(1) == "B") ||
                     (power > 0 && unit.substr(1) == "iB");
  if (error != std::errc() || !known) {
    return m.error(key, "not a size: " + text, "for example 10MB");
  }
  if (unit != "B") {
    for (std::size_t i = 0; i < power; ++i) count *= 1024;
  }
  out = count;
}

void read_client(Mapping& m, const ConfigContext& context, net::ClientConfig& client) {
  m.read("basic_auth", client.basic_auth,
         [&](Mapping& auth, net::BasicAuthConfig& out) { read_basic_auth(auth, context, out); });
  m.read("authorization", client.authorization, [&](Mapping& auth, net::AuthorizationConfig& out) {
    read_authorization(auth, context, out);
  });
  m.read("tls_config", client.tls,
         [&](Mapping& tls, net::TlsOptions& out) { read_tls(tls, context, out); });
  m.read("follow_redirects", client.follow_redirects);
  m.read("proxy_url", client.proxy_url);
  std::map<std::string, std::string> headers;
  m.read("headers", headers);
  client.headers.assign(headers.begin(), headers.end());
  if (client.basic_auth && client.authorization) {
    m.error("authorization", "at most one of basic_auth and authorization can be given");
  }
}

}  // namespace tocsin::daemon
