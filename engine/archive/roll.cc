// SPDX-License-Identifier: Apache-2.0
#include "archive/roll.h"

#include <utility>

#include "store/fetch.h"

namespace tocsin::archive {

void Roll::begin_file() {
  ++file_;
  texts_.resize(next_text_);
  next_text_ = same_texts_ = 0;
  before_ = std::exchange(now_, {});
  last_ = nullptr;
}

void Roll::begin_run(std::uint64_t run) {
  if (std::exchange(run_, run) == run) return;
  before_.clear();
  now_.clear();
  last_ = nullptr;
}

void Roll::note_text(std::string_view text) {
  if (next_text_ < texts_.size() && texts_[next_text_] == text) {
    ++same_texts_;
  } else {  // And no later one is the same.
    texts_.resize(next_text_);
    texts_.emplace_back(text);
  }
  ++next_text_;
}

void Roll::end_block(std::uint64_t block) {
  before_.erase(block);
  now_.erase(block);
  last_ = nullptr;
}

// Series come block by block.
Roll::Rows& Roll::rows_of(std::uint64_t block) {
  if (last_ && last_block_ == block) return *last_;
  const auto [it, is_new] = now_.try_emplace(block);
  if (is_new) it->second = std::exchange(before_[block], {});
  last_ = &it->second;
  last_block_ = block;
  return *last_;
}

// Rows come in order.
void Roll::fetch_ahead(const Rows& rows, std::uint32_t row) {
  constexpr std::size_t kRowsAhead = 4;
  if (row + kRowsAhead >= rows.size()) return;
  const std::string& next = rows[row + kRowsAhead].bytes;
  store::fetch(next.data(), next.size());
}

std::optional<bool> Roll::find_again(std::uint64_t block, std::uint32_t row,
                                     std::string_view bytes) {
  Rows& rows = rows_of(block);
  if (row >= rows.size()) return std::nullopt;
  fetch_ahead(rows, row);
  Row& known = rows[row];
  if (known.file + 1 != file_ || known.bytes != bytes) return std::nullopt;
  known.file = file_;
  return !known.labels.empty();
}

Labels Roll::find(std::uint64_t block, std::uint32_t row) {
  const Rows& rows = rows_of(block);
  return row < rows.size() ? rows[row].labels : Labels();
}

void Roll::put(std::uint64_t block, std::uint32_t row, Labels labels, std::string_view bytes) {
  Rows& rows = rows_of(block);
  if (row >= rows.size()) rows.resize(row + 1);
  rows[row] = {std::move(labels), std::string(bytes), file_};
}

}  // namespace tocsin::archive
