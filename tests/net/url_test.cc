// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <doctest/doctest.h>

namespace tocsin::net {
namespace {

TEST_CASE("what is encoded decodes to itself") {
  const std::string text = "{a=~\"x|y\"} 100% gr\xc3\xbcn+&=";
  CHECK(url_decode(url_encode(text)) == text);
  CHECK(url_encode("a b/c") == "a%20b%2Fc");
}

TEST_CASE("a plus is a space and broken escapes stay") {
  CHECK(url_decode("a+b%20c") == "a b c");
  CHECK(url_decode("100%") == "100%");
  CHECK(url_decode("%zz%4") == "%zz%4");
}

TEST_CASE("parameters keep their order and may repeat") {
  const Params params = parse_params("match%5B%5D=up&match[]=x%3D1&&flag");
  REQUIRE(params.size() == 3);
  CHECK(params[0] == std::pair<std::string, std::string>("match[]", "up"));
  CHECK(params[1].second == "x=1");
  CHECK(params[2] == std::pair<std::string, std::string>("flag", ""));
  CHECK(format_params({{"a", "1 2"}, {"b", ""}}) == "a=1%202&b=");
}

TEST_CASE("URLs are taken apart and put together") {
  struct Row {
    std::string text, host, port, path, query;
  };
  const std::vector<Row> rows = {
      {"http://localhost:9090/p?a=1", "localhost", "9090", "/p", "a=1"},
      {"https://[::1]:1/", "::1", "1", "/", ""},
      {"http://example.org/", "example.org", "", "/", ""},
      {"http://example.org/?x", "example.org", "", "/", "x"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto url = parse_url(row.text);
    REQUIRE(url);
    CHECK(url->host == row.host);
    CHECK(url->port == row.port);
    CHECK(url->path == row.path);
    CHECK(url->query == row.query);
    CHECK(url->text() == row.text);
  }
  CHECK(parse_url("http://example.org")->path == "/");
  CHECK(parse_url("HTTPS://example.org")->port_or_default() == "443");
}

TEST_CASE("what is no URL is refused") {
  for (const std::string text : {"", "localhost:9090", "ftp://x/", "http://", "http:///p",
                                 "http://user:pw@host/", "http://a:b:c/", "http://host:99999/"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_url(text));
  }
}

TEST_CASE("addresses are split at the last colon") {
  using Pair = std::pair<std::string, std::string>;
  CHECK(split_host_port(":9467") == Pair("", "9467"));
  CHECK(split_host_port("[::1]:80") == Pair("::1", "80"));
  CHECK_FALSE(split_host_port("::1:80"));
  CHECK_FALSE(split_host_port("host"));
  CHECK_FALSE(split_host_port("host:http"));
}

TEST_CASE("a joined URL has one slash at the seam") {
  CHECK(join_url("http://x/prom/", "/api/v1/query") == "http://x/prom/api/v1/query");
  CHECK(join_url("http://x", "api") == "http://x/api");
}

}  // namespace
}  // namespace tocsin::net
