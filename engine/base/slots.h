// SPDX-License-Identifier: Apache-2.0
//
// Slots: things that are known by a number, which is given to another thing once it is free. The
// numbers stay small, so that tables can be indexed by them. It does not remember which numbers are
// taken: the thing itself has to look free when it is a `T{}`, for those who walk over all places.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tocsin {

template <class T>
class Slots {
 public:
  using Index = std::uint32_t;

  // The place of a new `T{}`: the one that was given back last, or else a new one at the end.
  // References to other things may dangle after that.
  Index take() {
    if (free_.empty()) {
      things_.emplace_back();
      return static_cast<Index>(things_.size() - 1);
    }
    const Index index = free_.back();
    free_.pop_back();
    return index;
  }

  // Destroys what is there. The place must be taken.
  void give_back(Index index) {
    things_[index] = T{};
    free_.push_back(index);
  }

  void clear() {
    things_.clear();
    free_.clear();
  }

  T& operator[](Index index) { return things_[index]; }
  const T& operator[](Index index) const { return things_[index]; }

  // Free and taken places: every index is less.
  std::size_t size() const { return things_.size(); }
  std::size_t capacity() const { return things_.capacity(); }
  // Things: taken places.
  std::size_t count() const { return things_.size() - free_.size(); }

  auto begin() { return things_.begin(); }
  auto end() { return things_.end(); }
  auto begin() const { return things_.begin(); }
  auto end() const { return things_.end(); }

 private:
  std::vector<T> things_;
  std::vector<Index> free_;
};

}  // namespace tocsin
