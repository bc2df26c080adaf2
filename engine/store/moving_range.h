// SPDX-License-Identifier: Apache-2.0
//
// The columns of windows that move on: none begins or ends before the one before it.
#pragma once

#include "store/block.h"

namespace tocsin::store {

class MovingRange {
 public:
  MovingRange(const Block& block, const Interval& first)
      : block_(&block), range_(block.range(first.after, first.upto)) {}

  const Block& block() const { return *block_; }

  const Block::Range& move_to(const Interval& window) {
    range_ = {first_after(window.after, range_.first), first_after(window.upto, range_.last)};
    return range_;
  }

 private:
  std::size_t first_after(Timestamp at, std::size_t index) const {
    const std::span<const ColumnView> columns = block_->views();
    while (index < columns.size() && columns[index].at_ms <= to_millis(at)) ++index;
    return index;
  }

  const Block* block_;
  Block::Range range_;
};

}  // namespace tocsin::store
