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
#include <vector>

#include "archive/format.h"
#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::archive {

class Reel {
 public:
  // `bytes` are those of the whole file.
  static Result<Reel> open(std::string bytes);

  struct Record {
    Kind kind = Kind::Run;
    std::uint64_t run = 0;
    std::uint32_t block = 0;   // Number in the file.
    std::uint64_t number = 0;  // Of the block, in the run.
    std::uint32_t row = 0;
    bool flag = false;  // Synthesizes starts; is a counter; started anew.
    Timestamp at;
    double value = 0;
  };
  // The next record but Text; nothing at the end, and where damage() begins.
  const Record* next();

  // After a Series: its labels.
  const Labels& labels() const { return labels_; }
  // After a Column: the values of all rows of its block, absent_value() where there is none.
  const std::vector<double>& values(std::uint32_t block) const { return blocks_[block]; }

  // What is wrong with the file, from where the last record ended; empty: nothing.
  const std::string& damage() const { return damage_; }

 private:
  explicit Reel(std::string bytes) : bytes_(std::move(bytes)) {}
  bool next_chunk();
  bool read_record();
  bool read_block();
  bool read_series();
  bool read_values(std::vector<double>& rows);
  bool read_time();
  std::vector<double>* block();
  void say_damage(const std::string& what);

  std::string bytes_;
  std::size_t at_ = kMagic.size();  // In bytes_: the next chunk.
  std::string chunk_;
  std::optional<Cursor> cursor_;  // In chunk_.
  Record record_;
  std::vector<std::string> texts_;
  std::vector<std::vector<double>> blocks_;
  Timestamp time_;
  Labels labels_;
  std::string damage_;
};

}  // namespace tocsin::archive
