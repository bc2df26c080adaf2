// SPDX-License-Identifier: Apache-2.0
#include "archive/roll.h"

#include <doctest/doctest.h>

namespace tocsin::archive {
namespace {

const Labels kWeb{{"__name__", "up"}, {"pod", "web"}};

// A roll whose first file introduced row 3 of block 7, with this many texts.
Roll after_first_file(std::size_t texts = 4) {
  Roll roll;
  roll.begin_file();
  roll.begin_run(1);
  for (std::size_t i = 0; i < texts; ++i) roll.note_text("text " + std::to_string(i));
  roll.put(7, 3, kWeb, "bytes");
  roll.begin_file();
  roll.begin_run(1);
  return roll;
}

TEST_CASE("a series that the file before introduced with the same bytes is found again, once") {
  Roll roll = after_first_file();
  CHECK(roll.find_again(7, 3, "bytes") == true);
  CHECK_FALSE(roll.find_again(7, 3, "bytes"));  // The same file says it once more.
  roll.begin_file();
  CHECK(roll.find_again(7, 3, "bytes") == true);
}

TEST_CASE("what nobody wanted is found again as such") {
  Roll roll = after_first_file();
  roll.put(7, 4, Labels(), "others");
  roll.begin_file();
  CHECK(roll.find_again(7, 4, "others") == false);
}

TEST_CASE("another row, other bytes, another block and another run are not found") {
  Roll roll = after_first_file();
  CHECK_FALSE(roll.find_again(7, 2, "bytes"));
  CHECK_FALSE(roll.find_again(7, 4, "bytes"));
  CHECK_FALSE(roll.find_again(7, 3, "byte"));
  CHECK_FALSE(roll.find_again(8, 3, "bytes"));
  roll.begin_run(2);
  CHECK_FALSE(roll.find_again(7, 3, "bytes"));
  CHECK(roll.find(7, 3).empty());
}

TEST_CASE("what a file leaves out is not in the next one as before, but its labels are known") {
  Roll roll = after_first_file();
  roll.put(7, 5, kWeb, "of the same block");
  roll.begin_file();
  CHECK_FALSE(roll.find_again(7, 3, "bytes"));
  CHECK(roll.find(7, 3) == kWeb);
}

TEST_CASE("a block that has ended is forgotten") {
  Roll roll = after_first_file();
  roll.end_block(7);
  CHECK_FALSE(roll.find_again(7, 3, "bytes"));
}

TEST_CASE("texts mean the same up to the first that is another") {
  Roll roll = after_first_file(3);
  CHECK_FALSE(roll.has_texts_upto(1));  // None has come.
  roll.note_text("text 0");
  roll.note_text("other");
  roll.note_text("text 2");
  CHECK(roll.has_texts_upto(1));
  CHECK_FALSE(roll.has_texts_upto(2));
  CHECK_FALSE(roll.has_texts_upto(3));
  roll.begin_file();
  for (const char* text : {"text 0", "other", "text 2", "new"}) roll.note_text(text);
  CHECK(roll.has_texts_upto(3));
  CHECK_FALSE(roll.has_texts_upto(4));
}

}  // namespace
}  // namespace tocsin::archive
