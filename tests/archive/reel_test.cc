// SPDX-License-Identifier: Apache-2.0
#include "archive/reel.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "archive/chunk.h"
#include "tocsin/series_reader.h"

namespace tocsin::archive {
namespace {

TEST_CASE("a change leads from one value to the other, bit for bit") {
  const double limit = std::numeric_limits<double>::max();
  const double values[] = {0.0,
                           -0.0,
                           1,
                           -1,
                           31,
                           1e15,
                           0.1,
                           1e300,
                           INFINITY,
                           limit,
                           -limit,
                           normal_nan(),
                           stale_nan(),
                           9007199254740992.0,
                           9007199254740994.0,
                           store::absent_value()};
  for (const double before : values) {
    for (const double now : values) {
      std::string bytes;
      put_change(bytes, 0, before);
      put_change(bytes, before, now);
      Cursor cursor(bytes);
      const double got = take_change(cursor, take_change(cursor, 0).base).value;
      CHECK(std::bit_cast<std::uint64_t>(got) == std::bit_cast<std::uint64_t>(now));
      CHECK(cursor.at_end());
      CHECK(cursor.ok());
    }
  }
}

TEST_CASE("a small step of a counter is one byte") {
  std::string bytes;
  put_change(bytes, 1e9, 1e9 + 31);
  CHECK(bytes.size() == 1);
}

// Past the checksum, as nobody but a forger gets.
TEST_CASE("records that make no sense are damage, whatever they are") {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string records;
    for (std::size_t n = random() % 60; n > 0; --n) {
      records.push_back(static_cast<char>(random() % 3 == 0 ? random() : random() % 9));
    }
    auto reel = Reel::open(std::string(kMagic) + pack_chunk(records, Timestamp{}));
    REQUIRE(reel);
    while (reel->next()) {
    }
  }
}

TEST_CASE("a block that a file introduces twice is damage, and so are more rows than anybody has") {
  const auto damage_of = [](std::initializer_list<std::uint64_t> numbers) {
    std::string records;
    for (const std::uint64_t number : numbers) put_varint(records, number);
    auto reel = Reel::open(std::string(kMagic) + pack_chunk(records, Timestamp{}));
    REQUIRE(reel);
    while (reel->next()) {
    }
    return reel->damage();
  };
  constexpr auto kBlock = static_cast<std::uint64_t>(Kind::Block);
  constexpr auto kSeries = static_cast<std::uint64_t>(Kind::Series);
  constexpr std::uint64_t kFar = 3'000'000;
  CHECK(damage_of({kBlock, 0, 7, 0, kBlock, 1, 8, 0}).empty());
  CHECK_FALSE(damage_of({kBlock, 0, 7, 0, kBlock, 1, 7, 0}).empty());
  CHECK(damage_of({kBlock, 0, 7, 0, kSeries, 0, kFar, 0, 0}).empty());
  CHECK_FALSE(damage_of({kBlock, 0, 7, 0, kSeries, 0, kFar, 0, 0,  //
                         kBlock, 1, 8, 0, kSeries, 1, kFar, 0, 0})
                  .empty());
}

TEST_CASE("a file of something else is refused") {
  CHECK_FALSE(Reel::open("# HELP up"));
  CHECK_FALSE(Reel::open("TOCSIN-ARCHIVE 2\n"));
}

}  // namespace
}  // namespace tocsin::archive
