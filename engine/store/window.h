// SPDX-License-Identifier: Apache-2.0
//
// The window (after, upto] of every series of a store. Where much of the store is read, what each
// block has of the window is found once, for all selectors of all rules of that instant: its first
// and its last column, side by side with those of the other blocks.
//
// Holds as long as nothing is written. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "store/block.h"
#include "store/row_set.h"
#include "tocsin/series_reader.h"

namespace tocsin::store {

// The window of one block's rows. Where all columns are sealed and none of the rows is irregular,
// the first and the last column say everything.
class BlockWindow {
 public:
  BlockWindow(const Block& block, Timestamp after, Timestamp upto)
      : BlockWindow(block, block.range(after, upto)) {}
  BlockWindow(const Block& block, Block::Range columns);

  // The two columns, if all rows are such rows, unless they fall.
  struct Plain {
    const double* first = nullptr;  // Null: not all are.
    const double* last = nullptr;
    std::int64_t first_ms = 0;
    std::int64_t last_ms = 0;
    std::uint32_t size = 0;  // Rows beyond it are not in both columns.
    std::uint32_t count = 0;
    bool grows = false;  // None falls.
  };
  Plain plain() const;

  // Replaces `out` with the ends of the runs, which are of this block.
  void read(std::span<const RowRun> runs, EndsBatch& out) const;

 private:
  void scan(Block::Range range, Row row, WindowEnds& ends) const;
  void add_pieces(std::span<const RowRun> runs, EndsBatch& out) const;
  void read_row(Row row, double first, double last, std::uint32_t in_batch, EndsBatch& out) const;

  const Block* block_;
  Block::Range sealed_;
  Block::Range open_;
  bool has_two_ = false;  // Or more, of the sealed ones.
  RowSet irregular_;      // In any of the sealed ones but the first.
};

class Window : public WindowReader {
 public:
  using Blocks = std::vector<std::unique_ptr<Block>>;

  enum class Reads { Little, Much };
  Window(const Blocks& blocks, const Interval& interval, Reads reads);

  const Interval& interval() const { return interval_; }
  std::size_t read_ends(std::span<const RowRun> runs, EndsBatch& out) const override;

 private:
  void find_all();
  void fetch_ahead(std::span<const RowRun> runs, std::size_t batch) const;
  void fetch_ahead_of_known(std::span<const RowRun> runs, std::size_t batch) const;

  const Blocks& blocks_;
  const Interval interval_;
  // By block, where much is read; empty otherwise. What most blocks need stands close together.
  std::vector<BlockWindow::Plain> plain_;
  std::vector<std::optional<BlockWindow>> windows_;
};

}  // namespace tocsin::store
