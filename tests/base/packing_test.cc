// SPDX-License-Identifier: Apache-2.0
#include "base/packing.h"

#include <doctest/doctest.h>

namespace tocsin {
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

TEST_CASE("many members, and an empty one in the end, take no longer than one") {
  std::string packed;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    packed += gzip(std::to_string(i));
    text += std::to_string(i);
  }
  packed += gzip("");
  CHECK(*gunzip(packed) == text);
  packed += gzip(std::string(1'000'000, 'a'));
  CHECK(gunzip(packed)->size() == text.size() + 1'000'000);
}

TEST_CASE("what a member says of its length is not believed") {
  CHECK(gunzip(gzip(std::string(100'000, 'a')) + gzip("b"))->size() == 100'001);
  std::string packed = gzip("abc");
  packed.back() = '\x7f';
  CHECK(gunzip(packed).error().code == ErrorCode::Parse);
}

TEST_CASE("zlib's form comes back when the length is right") {
  const std::string text = "requests 1\nrequests 2\n";
  const std::string packed = zlib_pack(text);
  std::string out = "what was there before";
  CHECK(zlib_unpack(packed, text.size(), out).has_value());
  CHECK(out == text);
  CHECK(zlib_unpack(packed, text.size() - 1, out).error().code == ErrorCode::Parse);
  CHECK(zlib_unpack(packed, text.size() + 1, out).error().code == ErrorCode::Parse);
  CHECK(zlib_unpack(packed.substr(1), text.size(), out).error().code == ErrorCode::Parse);
}

}  // namespace
}  // namespace tocsin
