// SPDX-License-Identifier: Apache-2.0
//
// Roll is what one file of an archive leaves to the next: the series that it introduced. Each file
// introduces all of its series, and most are those of the file before, in the same words: these are
// told by a few bytes, and nothing of them is made anew.
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tocsin/labels.h"

namespace tocsin::archive {

class Roll {
 public:
  void begin_file();
  // What another run had is forgotten: its blocks have their numbers from the beginning.
  void begin_run(std::uint64_t run);
  // The next text of the file, as series name it by its number.
  void note_text(std::string_view text);
  // Whether the file before had the same texts under all numbers below this one.
  bool has_texts_upto(std::uint64_t number) const { return number <= same_texts_; }
  // The block, as numbered in the run, has ended.
  void end_block(std::uint64_t block);

  // If the file before introduced the series of that row of the block with the same bytes: whether
  // somebody wanted it; this file has now introduced it, too.
  std::optional<bool> find_again(std::uint64_t block, std::uint32_t row, std::string_view bytes);
  // The labels that any earlier file gave the row, if somebody wanted it; else there are none.
  Labels find(std::uint64_t block, std::uint32_t row);
  // What this file introduces; `labels` that are empty: nobody wants it.
  void put(std::uint64_t block, std::uint32_t row, Labels labels, std::string_view bytes);

 private:
  struct Row {
    Labels labels;
    std::string bytes;
    std::uint32_t file = 0;  // The last that introduced it.
  };
  using Rows = std::vector<Row>;
  using Blocks = std::unordered_map<std::uint64_t, Rows>;

  Rows& rows_of(std::uint64_t block);
  static void fetch_ahead(const Rows& rows, std::uint32_t row);

  std::uint64_t run_ = 0;
  std::uint32_t file_ = 0;
  std::vector<std::string> texts_;  // Of the file before, as far as this one has no others.
  std::size_t next_text_ = 0;
  std::size_t same_texts_ = 0;
  Blocks before_;  // That this file has not introduced. The next one forgets them.
  Blocks now_;
  Rows* last_ = nullptr;  // In now_, of the block that was asked for last.
  std::uint64_t last_block_ = 0;
};

}  // namespace tocsin::archive
