// SPDX-License-Identifier: Apache-2.0
#include "net/client_config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"

namespace tocsin::net {
namespace {

std::string temporary_path(const std::string& name) {
  return (std::filesystem::temp_directory_path() /
          ("tocsin-" + std::to_string(::getpid()) + "-" + name))
      .string();
}

TEST_CASE("secrets are read from their files at every use") {
  const std::string path = temporary_path("token");
  ClientConfig config;
  config.authorization = AuthorizationConfig{.credentials_file = path};
  for (const std::string token : {"first", "second"}) {
    REQUIRE(write_file(path, "  " + token + "\n"));
    HttpRequest request;
    REQUIRE(introduce(config, request));
    CHECK(find_header(request.headers, "authorization") == "Bearer " + token);
  }
  std::filesystem::remove(path);
  HttpRequest request;
  const auto without = introduce(config, request);
  REQUIRE_FALSE(without);
  CHECK(without.error().code == ErrorCode::Io);
  CHECK(without.error().message.find(path) != std::string::npos);
}

TEST_CASE("basic credentials, headers and TLS reach the request") {
  ClientConfig config;
  config.basic_auth = BasicAuthConfig{.username = "u", .password = "p"};
  config.tls.ca_file = "/ca.pem";
  config.follow_redirects = false;
  config.headers = {{"X-Scope-OrgID", "mesh"}};
  HttpRequest request;
  REQUIRE(introduce(config, request));
  CHECK(request.basic_auth->username == "u");
  CHECK(request.tls.ca_file == "/ca.pem");
  CHECK_FALSE(request.follow_redirects);
  CHECK(find_header(request.headers, "x-scope-orgid") == "mesh");
  ClientConfig other = config;
  CHECK(other == config);
  other.tls.server_name = "x";
  CHECK_FALSE(other == config);
}

}  // namespace
}  // namespace tocsin::net
