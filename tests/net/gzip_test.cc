// SPDX-License-Identifier: Apache-2.0
#include "net/gzip.h"

#include <doctest/doctest.h>

namespace tocsin::net {
namespace {

TEST_CASE("what is compressed comes back") {
  for (const std::string& text : {std::string(), std::string("x"), std::string(300'000, 'a')}) {
    const std::string packed = gzip(text);
    CHECK(is_gzip(packed));
    const auto back = gunzip(packed);
    REQUIRE(back);
    CHECK(*back == text);
  }
}

TEST_CASE("members one after another are one text") {
  const auto both = gunzip(gzip("a\n") + gzip("b\n"));
  REQUIRE(both);
  CHECK(*both == "a\nb\n");
}

TEST_CASE("damage and bombs are errors") {
  const std::string packed = gzip(std::string(100'000, 'a'));
  CHECK(gunzip(packed.substr(0, packed.size() / 2)).error().code == ErrorCode::Parse);
  CHECK(gunzip("plain text").error().code == ErrorCode::Parse);
  CHECK(gunzip("").error().code == ErrorCode::Parse);
  CHECK(gunzip(packed, 50'000).error().code == ErrorCode::Limit);
  CHECK(gunzip(packed, 100'000).has_value());
}

}  // namespace
}  // namespace tocsin::net
