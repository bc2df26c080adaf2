// SPDX-License-Identifier: Apache-2.0
//
// ClientConfig is Prometheus' `http_config`: how to introduce oneself to a server. Secrets named by
// a file are read at every use, so that a rotated token needs no reload.
#pragma once

#include <optional>
#include <string>

#include "net/http_client.h"

namespace tocsin::net {

struct BasicAuthConfig {
  std::string username;
  std::string username_file;
  std::string password;
  std::string password_file;

  bool operator==(const BasicAuthConfig&) const = default;
};

struct AuthorizationConfig {
  std::string type = "Bearer";
  std::string credentials;
  std::string credentials_file;

  bool operator==(const AuthorizationConfig&) const = default;
};

struct ClientConfig {
  std::optional<BasicAuthConfig> basic_auth;
  std::optional<AuthorizationConfig> authorization;
  TlsOptions tls;
  bool follow_redirects = true;
  std::string proxy_url;
  Headers headers;  // Sent with every request.

  bool operator==(const ClientConfig& other) const;
};

// Puts what `config` says into `request`. Fails with Io when a secret's file cannot be read. Reads
// small files; any thread.
Result<void> introduce(const ClientConfig& config, HttpRequest& request);

// The bytes of the file without the white space around them.
Result<std::string> read_secret(const std::string& path);

}  // namespace tocsin::net
