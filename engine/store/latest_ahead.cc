// SPDX-License-Identifier: Apache-2.0
//
// The newest samples at many instants: block by block, so that a block's columns are looked up once
// and not at every instant.
#include <array>

#include "store/block.h"
#include "store/fetch.h"
#include "tocsin/store.h"

namespace tocsin::store {
namespace {

// The row's values in all columns that `range` spans.
void fetch_row(const Block& block, Block::Range range, Row row) {
  for (std::size_t i = range.first; i < range.last; ++i) {
    const ColumnView& column = block.view(i);
    if (row < column.size) fetch(column.values + row, 1);
  }
}

}  // namespace

void Store::read_latest_ahead(std::span<const SeriesId> ids, Duration lookback, Timestamp first,
                              Duration step, std::span<std::vector<double>> values) const {
  std::array<Row, EndsBatch::kMostRows> room;
  const Timestamp end = first + step * static_cast<Duration::rep>(values.size());
  for (std::size_t n = 0; n < ids.size();) {
    const std::span<const Row> rows = rows_together(ids.subspan(n), room);
    if (n + rows.size() < ids.size()) {
      const Place& next = places_[ids[n + rows.size()]];
      fetch_row(*blocks_[next.block], blocks_[next.block]->range(first - step, end), next.row);
    }
    const Block& block = *blocks_[places_[ids[n]].block];
    const std::span<const ColumnView> columns = block.views();
    Block::Range range = block.range(first - lookback, first);
    Timestamp at = first;
    for (std::vector<double>& out : values) {
      const auto moved_to = [&](std::size_t index, Timestamp upto) {
        while (index < columns.size() && columns[index].at_ms <= to_millis(upto)) ++index;
        return index;
      };
      range = {moved_to(range.first, at - lookback), moved_to(range.last, at)};
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const ColumnView* const newest =
            newest_number(columns.subspan(range.first, range.last - range.first), rows[i]);
        out[n + i] = newest ? newest->value(rows[i]) : absent_value();
      }
      at += step;
    }
    n += rows.size();
  }
}

}  // namespace tocsin::store
