// SPDX-License-Identifier: Apache-2.0
#include "store/window.h"

#include <algorithm>

#include "store/fetch.h"
#include "store/moving_range.h"
#include "tocsin/store.h"

namespace tocsin::store {
namespace {

// The leading runs that are of the same block and fill a batch at most.
std::size_t runs_together(std::span<const RowRun> runs) {
  std::size_t rows = 0;
  std::size_t count = 0;
  for (; count < runs.size() && runs[count].block == runs[0].block; ++count) {
    rows += runs[count].count;
    if (rows > EndsBatch::kMostRows) break;
  }
  return count;
}

std::size_t rows_of(std::span<const RowRun> runs) {
  std::size_t rows = 0;
  for (const RowRun& run : runs) rows += run.count;
  return rows;
}

// The ends of the runs, if all rows have all there is to know in the two columns.
bool read_plain(const BlockWindow::Plain& window, std::span<const RowRun> runs, EndsBatch& out) {
  if (!window.first) return false;
  out.rows = 0;
  out.pieces.clear();
  out.others.clear();
  for (const auto& [block, row, count] : runs) {
    if (row + count > window.size) return false;
    const double* const first = window.first + row;
    const double* const last = window.last + row;
    if (!window.grows && !all_grow(first, last, count)) return false;
    out.pieces.push_back({first, last, count});
    out.rows += count;
  }
  out.first_ms = window.first_ms;
  out.last_ms = window.last_ms;
  out.count = window.count;
  return true;
}

// Of blocks that are read one after another, what the ones after number `i` will show.
void fetch_block(const Window::Blocks& blocks, std::size_t i) {
  constexpr std::size_t kBlocksAhead = 24;
  constexpr std::size_t kViewsAhead = 12;
  const auto block_at = [&](std::size_t n) {
    return n < blocks.size() ? blocks[n].get() : nullptr;
  };
  if (const Block* block = block_at(i + kBlocksAhead)) fetch(block, sizeof(Block));
  if (const Block* block = block_at(i + kViewsAhead)) block->fetch_views();
}

void fetch_rows(const double* column, const RowRun& run) {
  fetch(column + run.row, run.count * sizeof(double));
}

// The rows of `runs` in the oldest and the newest of the columns.
void fetch_ends(const Block& block, const Block::Range& columns, std::span<const RowRun> runs) {
  if (columns.first == columns.last) return;
  const ColumnView& oldest = block.view(columns.first);
  const ColumnView& newest = block.view(columns.last - 1);
  for (const RowRun& run : runs) {
    if (run.row < oldest.size) fetch_rows(oldest.values, run);
    if (run.row < newest.size) fetch_rows(newest.values, run);
  }
}

}  // namespace

BlockWindow::BlockWindow(const Block& block, Block::Range columns) : block_(&block) {
  const std::size_t open_from = std::clamp(block.sealed_count(), columns.first, columns.last);
  sealed_ = {columns.first, open_from};
  open_ = {open_from, columns.last};
  has_two_ = sealed_.last - sealed_.first >= 2;
  const Block::Range followers{sealed_.first + 1, sealed_.last};
  if (has_two_ && block.has_irregular(followers)) irregular_ = block.irregular_in(followers);
}

BlockWindow::Plain BlockWindow::plain() const {
  if (!has_two_ || !irregular_.empty() || open_.first != open_.last) return {};
  const ColumnView& first = block_->view(sealed_.first);
  const ColumnView& last = block_->view(sealed_.last - 1);
  return {first.values,
          last.values,
          first.at_ms,
          last.at_ms,
          std::min(first.size, last.size),
          static_cast<std::uint32_t>(sealed_.last - sealed_.first),
          block_->grows_from(first.at_ms)};
}

void BlockWindow::read(std::span<const RowRun> runs, EndsBatch& out) const {
  out.rows = rows_of(runs);
  out.pieces.clear();
  out.others.clear();
  if (has_two_) add_pieces(runs, out);
  std::uint32_t in_batch = 0;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (std::uint32_t i = 0; i < runs[r].count; ++i) {
      const double first = has_two_ ? out.pieces[r].first[i] : absent_value();
      const double last = has_two_ ? out.pieces[r].last[i] : absent_value();
      read_row(runs[r].row + i, first, last, in_batch++, out);
    }
  }
}

// Of runs that are not all in the two columns, nothing is.
void BlockWindow::add_pieces(std::span<const RowRun> runs, EndsBatch& out) const {
  static const std::vector<double> kAbsent(EndsBatch::kMostRows, absent_value());
  const ColumnView& first = block_->view(sealed_.first);
  const ColumnView& last = block_->view(sealed_.last - 1);
  out.first_ms = first.at_ms;
  out.last_ms = last.at_ms;
  out.count = static_cast<std::uint32_t>(sealed_.last - sealed_.first);
  for (const auto& [block, row, count] : runs) {
    const bool is_in_both = row + count <= std::min(first.size, last.size);
    out.pieces.push_back({is_in_both ? first.values + row : kAbsent.data(),
                          is_in_both ? last.values + row : kAbsent.data(), count});
  }
}

// Notes the row, if `first` and `last` are not all there is to know.
void BlockWindow::read_row(Row row, double first, double last, std::uint32_t in_batch,
                           EndsBatch& out) const {
  const bool is_regular = last >= first && !irregular_.has(row);  // Not so for a NaN.
  if (is_regular && open_.first == open_.last) return;
  WindowEnds& ends = out.others.emplace_back(EndsBatch::Other{in_batch, {}}).ends;
  if (is_regular) {
    ends = {out.first_ms, out.last_ms, first, last, 0, out.count};
  } else {
    scan(sealed_, row, ends);
  }
  scan(open_, row, ends);
}

// Adds the row's samples in a range of columns to what came before them, looking at each.
void BlockWindow::scan(Block::Range range, Row row, WindowEnds& ends) const {
  for (std::size_t i = range.first; i < range.last; ++i) {
    const ColumnView& column = block_->view(i);
    const double value = column.value(row);
    if (is_number(value)) ends.add(column.at_ms, value);
  }
}

Window::Window(const Blocks& blocks, const Interval& interval, Reads reads)
    : blocks_(blocks), interval_(interval) {
  if (reads == Reads::Much) find_all();
}

void Window::find_all() {
  plain_.resize(blocks_.size());
  windows_.resize(blocks_.size());
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    fetch_block(blocks_, i);
    if (!blocks_[i]) continue;
    windows_[i].emplace(*blocks_[i], interval_.after, interval_.upto);
    plain_[i] = windows_[i]->plain();
  }
}

std::size_t Window::read_ends(std::span<const RowRun> runs, EndsBatch& out) const {
  const std::size_t count = runs_together(runs);
  const auto together = runs.first(count);
  const BlockId block = runs[0].block;
  if (plain_.empty()) {
    fetch_ahead(runs, count);
    const BlockWindow window(*blocks_[block], interval_.after, interval_.upto);
    if (!read_plain(window.plain(), together, out)) window.read(together, out);
  } else {
    fetch_ahead_of_known(runs, count);
    if (!read_plain(plain_[block], together, out)) windows_[block]->read(together, out);
  }
  return count;
}

std::size_t Store::read_ends_ahead(std::span<const RowRun> runs, std::span<const Interval> windows,
                                   std::span<EndsBatch> out) const {
  const std::size_t count = runs_together(runs);
  const auto together = runs.first(count);
  const auto following = runs.subspan(count, runs_together(runs.subspan(count)));
  MovingRange range(*blocks_[runs[0].block], windows.front());
  std::optional<MovingRange> next;  // What will be read after this, to be there when it is.
  if (!following.empty()) next.emplace(*blocks_[following[0].block], windows.front());
  const std::size_t second = count + following.size();
  if (second < runs.size()) blocks_[runs[second].block]->fetch_views();
  for (std::size_t k = 0; k < windows.size(); ++k) {
    if (next) fetch_ends(next->block(), next->move_to(windows[k]), following);
    const BlockWindow window(range.block(), range.move_to(windows[k]));
    if (!read_plain(window.plain(), together, out[k])) window.read(together, out[k]);
  }
  return count;
}

// What the batches after this one will read: of the third one the block, of the second its views,
// of the next one the ends of its rows. Pods are alike: the batches are as long.
void Window::fetch_ahead(std::span<const RowRun> runs, std::size_t batch) const {
  const auto block_at = [&](std::size_t n) { return blocks_[runs[n].block].get(); };
  if (3 * batch < runs.size()) fetch(block_at(3 * batch), sizeof(Block));
  if (2 * batch < runs.size()) block_at(2 * batch)->fetch_views();
  if (batch >= runs.size()) return;
  const Block& next = *block_at(batch);
  const Block::Range range = next.range(interval_.after, interval_.upto);
  fetch_ends(next, range, runs.subspan(batch, std::min(batch, runs.size() - batch)));
}

// A few runs ahead, so that small batches do not wait either.
void Window::fetch_ahead_of_known(std::span<const RowRun> runs, std::size_t batch) const {
  constexpr std::size_t kRunsAhead = 8;
  const std::size_t ahead = std::max(batch, kRunsAhead);
  if (ahead >= runs.size()) return;
  for (const RowRun& run : runs.subspan(ahead, std::min(batch, runs.size() - ahead))) {
    const BlockWindow::Plain& window = plain_[run.block];
    if (!window.first || run.row >= window.size) continue;
    fetch_rows(window.first, run);
    fetch_rows(window.last, run);
  }
}

}  // namespace tocsin::store
