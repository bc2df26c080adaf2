// SPDX-License-Identifier: Apache-2.0
#include "archive/reel.h"

#include <algorithm>

#include "archive/chunk.h"
#include "base/numbers.h"
#include "store/fetch.h"
#include "tocsin/series_reader.h"

namespace tocsin::archive {
namespace {

// More than any process has: what damaged bytes may make us allocate.
constexpr std::uint64_t kMostBlocks = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostRows = std::uint64_t{1} << 22;
constexpr std::uint64_t kMostLabels = 1024;
// More would not stay in the cache until they are read.
constexpr std::size_t kMostRowsAhead = 4096;

}  // namespace

Result<Reel> Reel::open(std::string bytes, Roll* roll) {
  if (!bytes.starts_with(kMagic)) {
    return fail(ErrorCode::Parse, "is no archive of this version of Tocsin");
  }
  return Reel(std::move(bytes), roll);
}

const Reel::Record* Reel::next() {
  while (damage_.empty()) {
    if (!cursor_ || cursor_->at_end()) {
      if (!next_chunk()) return nullptr;
    }
    if (!read_record() || !cursor_->ok()) {
      say_damage("it has a record that makes no sense");
      return nullptr;
    }
    if (record_.kind != Kind::Text) return &record_;
  }
  return nullptr;
}

bool Reel::next_chunk() {
  do {
    const std::string_view rest = std::string_view(bytes_).substr(at_);
    if (rest.empty()) return false;
    if (const auto unpacked = unpack_chunk(rest, chunk_); !unpacked) {
      say_damage(unpacked.error().message);
      return false;
    }
    at_ += read_head(rest)->size;
    cursor_.emplace(chunk_);
  } while (chunk_.empty());
  return true;
}

void Reel::say_damage(const std::string& what) {
  damage_ = what + " after " + std::to_string(at_) + " of " + std::to_string(bytes_.size()) +
            " bytes; the rest of it is left out";
}

bool Reel::read_record() {
  record_.kind = static_cast<Kind>(cursor_->varint());
  switch (record_.kind) {
    case Kind::Run:
      record_.run = cursor_->varint();
      time_ = from_millis(static_cast<std::int64_t>(cursor_->varint()));
      record_.at = time_;
      if (roll_) roll_->begin_run(record_.run);
      return true;
    case Kind::Text:
      texts_.emplace_back(cursor_->bytes(cursor_->varint()));
      if (roll_) roll_->note_text(texts_.back());
      return true;
    case Kind::Block:
      return read_block();
    case Kind::Series:
      return read_series();
    case Kind::Column: {
      Rows* const rows = block();
      if (!rows || !read_time()) return false;
      record_.flag = cursor_->varint() != 0;
      note_order();
      return read_values(*rows);
    }
    case Kind::Stale:
      return block() && read_time();
    case Kind::Sample: {
      Rows* const rows = block();
      record_.row = static_cast<std::uint32_t>(cursor_->varint());
      if (!rows || record_.row >= rows->size() || !read_time()) return false;
      const Change change = take_change(*cursor_, rows->bases[record_.row]);
      rows->values[record_.row] = record_.value = change.value;
      rows->are_numbers = false;
      rows->bases[record_.row] = change.base;
      return true;
    }
    case Kind::BlockEnd:
      if (!block()) return false;
      if (roll_) roll_->end_block(numbers_[record_.block]);
      return true;
  }
  return false;
}

bool Reel::read_time() {
  const auto step = static_cast<std::uint64_t>(unzigzag(cursor_->varint()));
  const std::uint64_t ms = static_cast<std::uint64_t>(to_millis(time_)) + step;
  record_.at = time_ = from_millis(static_cast<std::int64_t>(ms));
  return cursor_->ok();
}

Reel::Rows* Reel::block() {
  const std::uint64_t number = cursor_->varint();
  if (number >= blocks_.size()) return nullptr;
  record_.block = static_cast<std::uint32_t>(number);
  return &blocks_[number];
}

bool Reel::read_block() {
  const std::uint64_t block = cursor_->varint();
  if (block != blocks_.size() || block >= kMostBlocks) return false;
  blocks_.emplace_back();
  record_.block = static_cast<std::uint32_t>(block);
  record_.number = cursor_->varint();
  if (!known_numbers_.insert(record_.number).second) return false;
  numbers_.push_back(record_.number);
  record_.flag = cursor_->varint() != 0;
  return true;
}

bool Reel::read_series() {
  Rows* const rows = block();
  const std::uint64_t row = cursor_->varint();
  if (!rows || row >= kMostRows) return false;
  record_.row = static_cast<std::uint32_t>(row);
  record_.flag = cursor_->varint() != 0;
  const std::string_view rest = cursor_->rest();
  if (!read_texts(cursor_->varint())) return false;
  series_bytes_ = rest.substr(0, rest.size() - cursor_->rest().size());
  if (!grow(*rows, row + 1)) return false;
  rows->values[row] = store::absent_value();
  rows->bases[row] = 0;
  rows->are_numbers = false;
  find_labels(numbers_[record_.block], record_.row);
  return true;
}

void Reel::find_labels(std::uint64_t block, std::uint32_t row) {
  const bool may_be_same = roll_ && roll_->has_texts_upto(texts_upto_);
  const auto again =
      may_be_same ? roll_->find_again(block, row, series_bytes_) : std::optional<bool>();
  record_.again = again.has_value();
  labels_ = roll_ && !again ? roll_->find(block, row) : Labels();
  record_.known = again ? *again : !labels_.empty() && are_labels(labels_);
  if (!again && !record_.known) labels_ = build_labels();
}

bool Reel::read_texts(std::uint64_t count) {
  if (count > kMostLabels) return false;
  named_.clear();
  texts_upto_ = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t name = cursor_->varint();
    const std::uint64_t value = cursor_->varint();
    if (name >= texts_.size() || value >= texts_.size()) return false;
    named_.emplace_back(name, value);
    texts_upto_ = std::max({texts_upto_, name + 1, value + 1});
  }
  return true;
}

bool Reel::are_labels(const Labels& known) const {
  auto it = known.begin();
  for (const auto& [name, value] : named_) {
    if (it == known.end() || it->name != texts_[name] || it->value != texts_[value]) return false;
    ++it;
  }
  return it == known.end();
}

Labels Reel::build_labels() const {
  LabelsBuilder labels;
  for (const auto& [name, value] : named_) labels.set(texts_[name], texts_[value]);
  return labels.build();
}

bool Reel::grow(Rows& rows, std::uint64_t size) {
  if (size <= rows.size()) return true;
  row_count_ += size - rows.size();
  if (row_count_ > kMostRows) return false;
  rows.values.resize(size, store::absent_value());
  rows.are_numbers = false;
  rows.bases.resize(size, 0);
  return true;
}

// Targets are scraped in the same order again and again: what will be needed next is asked for now.
void Reel::note_order() {
  blocks_[last_block_].after = record_.block;
  last_block_ = record_.block;
  const Rows& next = blocks_[blocks_[record_.block].after];
  const std::size_t rows = std::min(next.size(), kMostRowsAhead);
  store::fetch(next.values.data(), rows * sizeof(double));
  store::fetch(next.bases.data(), rows * sizeof(std::int64_t));
}

bool Reel::read_values(Rows& rows) {
  const std::uint64_t count = cursor_->varint();
  if (count > kMostRows || !grow(rows, count)) return false;
  std::uint64_t row = 0;
  int falls = 0;  // A bool would be a branch.
  while (row < count && cursor_->ok()) {
    const std::uint64_t still = cursor_->varint();
    const std::uint64_t changed = cursor_->varint();
    if (still > count - row || changed > count - row - still || still + changed == 0) return false;
    row += still;
    double* const values = rows.values.data();
    std::int64_t* const bases = rows.bases.data();
    Cursor cursor = *cursor_;  // Which nobody else may change: it stays in registers.
    for (const std::uint64_t end = row + changed; row < end; ++row) {
      const Change change = take_change(cursor, bases[row]);
      falls |= change.value >= values[row] ? 0 : 1;
      values[row] = change.value;
      bases[row] = change.base;
    }
    *cursor_ = cursor;
  }
  record_.grows = falls == 0;
  if (!record_.grows) {
    rows.are_numbers = false;
  } else if (!rows.are_numbers) {
    rows.are_numbers = are_numbers(rows.values);
  }
  record_.are_numbers = rows.are_numbers;
  return cursor_->ok();
}

}  // namespace tocsin::archive
