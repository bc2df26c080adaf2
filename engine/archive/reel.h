// SPDX-License-Identifier: Apache-2.0
//
// Reel reads the records of one file of an archive, in order. No bytes make it fail otherwise than
// by saying that they are damaged.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "archive/format.h"
#include "archive/roll.h"
#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::archive {

class Reel {
 public:
  // `bytes` are those of the whole file, or of so many of its first chunks. `roll`, if it is not
  // null, is of the same archive, and outlives the reel.
  static Result<Reel> open(std::string bytes, Roll* roll = nullptr);

  struct Record {
    Kind kind = Kind::Run;
    std::uint64_t run = 0;
    std::uint32_t block = 0;   // Number in the file.
    std::uint64_t number = 0;  // Of the block, in the run.
    std::uint32_t row = 0;
    bool flag = false;   // Synthesizes starts; is a counter; started anew.
    bool known = false;  // Of a Series: it is on the roll already, and somebody wants it.
    bool again = false;  // Of a Series: the file before introduced it just so; it has no labels().
    bool grows = false;  // Of a Column: no value is below the last one of its row;
    bool are_numbers = false;  // and each row has one that is a number. Only told where it grows.
    Timestamp at;
    double value = 0;
  };
  // The next record but Text; nothing at the end, and where damage() begins.
  const Record* next();

  // After a Series: its labels, and its bytes in the file.
  const Labels& labels() const { return labels_; }
  std::string_view bytes() const { return series_bytes_; }
  // The number in the run of a block of the file.
  std::uint64_t number_of(std::uint32_t block) const { return numbers_[block]; }
  // After a Column: the values of all rows of its block, absent_value() where there is none.
  const std::vector<double>& values(std::uint32_t block) const { return blocks_[block].values; }

  // The block of the record after this one, if it comes when it did the last time.
  std::uint32_t block_after(std::uint32_t block) const { return blocks_[block].after; }

  // What is wrong with the file, from where the last record ended; empty: nothing.
  const std::string& damage() const { return damage_; }

 private:
  Reel(std::string bytes, Roll* roll) : bytes_(std::move(bytes)), roll_(roll) {
    if (roll_) roll_->begin_file();
  }
  bool next_chunk();
  bool read_record();
  bool read_block();
  bool read_series();
  bool read_texts(std::uint64_t count);
  void find_labels(std::uint64_t block, std::uint32_t row);
  bool are_labels(const Labels& known) const;
  Labels build_labels() const;
  // The rows of a block, as of the last record.
  struct Rows {
    std::vector<double> values;
    std::vector<std::int64_t> bases;  // What the next differences are taken from.
    bool are_numbers = false;         // All values; false: nobody has looked.
    std::uint32_t after = 0;          // The block whose column came after this one's.

    std::size_t size() const { return values.size(); }
  };
  // Makes a place for so many; false if the file has more than anybody has.
  bool grow(Rows& rows, std::uint64_t size);
  bool read_values(Rows& rows);
  void note_order();
  bool read_time();
  Rows* block();
  void say_damage(const std::string& what);

  std::string bytes_;
  std::size_t at_ = kMagic.size();  // In bytes_: the next chunk.
  std::string chunk_;
  std::optional<Cursor> cursor_;  // In chunk_.
  Record record_;
  std::vector<std::string> texts_;
  std::vector<Rows> blocks_;
  std::uint32_t last_block_ = 0;        // That had a column.
  std::size_t row_count_ = 0;           // Of all of them.
  std::vector<std::uint64_t> numbers_;  // Of the blocks, in the run.
  std::unordered_set<std::uint64_t> known_numbers_;
  Roll* roll_;
  Timestamp time_;
  Labels labels_;
  std::string_view series_bytes_;  // In chunk_.
  // Of names and values, by their numbers.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> named_;
  std::uint64_t texts_upto_ = 0;  // One more than the largest of these.
  std::string damage_;
};

}  // namespace tocsin::archive
