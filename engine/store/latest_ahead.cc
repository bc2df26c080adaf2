// SPDX-License-Identifier: Apache-2.0
//
// The newest samples at many instants: block by block, so that a block's columns are looked up once
// and not at every instant.
#include <array>
#include <optional>

#include "store/block.h"
#include "store/fetch.h"
#include "store/moving_range.h"
#include "tocsin/store.h"

namespace tocsin::store {
namespace {

void fetch_newest(const Block& block, const Block::Range& columns, Row row) {
  if (columns.first == columns.last) return;
  const ColumnView& newest = block.view(columns.last - 1);
  if (row < newest.size) fetch(newest.values + row, 1);
}

// Mostly the last of the columns has a number of each row.
void put_newest(std::span<const ColumnView> columns, std::span<const Row> rows, double* out) {
  const ColumnView last = columns.empty() ? ColumnView{} : columns.back();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out[i] = last.value(rows[i]);
    if (out[i] == out[i]) continue;
    const ColumnView* const newest = newest_number(columns, rows[i]);
    out[i] = newest ? newest->value(rows[i]) : absent_value();
  }
}

}  // namespace

void Store::read_latest_ahead(std::span<const SeriesId> ids, Duration lookback, Timestamp first,
                              Duration step, std::span<std::vector<double>> values) const {
  std::array<Row, EndsBatch::kMostRows> room;
  const Interval window{first - lookback, first};
  const auto range_of = [&](std::size_t n) {
    return MovingRange(*blocks_[places_[ids[n]].block], window);
  };
  std::optional<MovingRange> next;
  for (std::size_t n = 0; n < ids.size();) {
    const std::span<const Row> rows = rows_together(ids.subspan(n), room);
    const std::size_t following = n + rows.size();
    MovingRange range = next ? *next : range_of(n);
    next.reset();
    if (following < ids.size()) next.emplace(range_of(following));
    std::optional<MovingRange> ahead = next;  // What will be read after this.
    if (following + 1 < ids.size()) blocks_[places_[ids[following + 1]].block]->fetch_views();
    Interval at = window;
    for (std::vector<double>& out : values) {
      if (ahead) fetch_newest(ahead->block(), ahead->move_to(at), places_[ids[following]].row);
      const Block::Range& columns = range.move_to(at);
      put_newest(range.block().views().subspan(columns.first, columns.last - columns.first), rows,
                 out.data() + n);
      at = {at.after + step, at.upto + step};
    }
    n = following;
  }
}

}  // namespace tocsin::store
