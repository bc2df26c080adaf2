// SPDX-License-Identifier: Apache-2.0
//
// RowSet: some of a block's rows, one bit each. An empty one holds no memory of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tocsin::store {

using Row = std::uint32_t;

class RowSet {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  bool has(Row row) const {
    return row / kBits < words_.size() && (words_[row / kBits] & bit(row)) != 0;
  }

  void add(Row row) {
    if (has(row)) return;
    if (row / kBits >= words_.size()) words_.resize(row / kBits + 1);
    words_[row / kBits] |= bit(row);
    ++count_;
  }

  void remove(Row row) {
    if (!has(row)) return;
    words_[row / kBits] &= ~bit(row);
    --count_;
  }

  void clear() {
    words_.clear();
    count_ = 0;
  }

  // Adds every row of `other`. count() is then an upper bound.
  void merge(const RowSet& other) {
    if (other.empty()) return;
    if (other.words_.size() > words_.size()) words_.resize(other.words_.size());
    for (std::size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
    count_ += other.count_;
  }

  std::size_t byte_size() const { return words_.capacity() * sizeof(std::uint64_t); }

 private:
  static constexpr Row kBits = 64;
  static std::uint64_t bit(Row row) { return std::uint64_t{1} << (row % kBits); }

  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace tocsin::store
