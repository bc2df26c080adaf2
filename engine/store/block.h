// SPDX-License-Identifier: Apache-2.0
//
// Block: series that are sampled together. One Column per scrape holds the values of all rows (a
// row is a series), next to each other; columns stand in order of time.
//
// Each column notes its irregular rows: those whose value there is not simply the next one of a
// growing, uninterrupted series (born, ended, reset, or NaN). A window whose columns name a row in
// none of these lists is described by its two ends alone.
//
// Not thread-safe; the Store's lock guards it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/slots.h"
#include "store/row_set.h"
#include "tocsin/series_reader.h"
#include "tocsin/store.h"

namespace tocsin::store {

// A NaN of its own: at this instant the row has a native histogram, which stands beside the values.
inline constexpr std::uint64_t kHistogramBits = 0x7ff000000000000bULL;
inline double histogram_value() { return std::bit_cast<double>(kHistogramBits); }
inline bool is_histogram(double v) { return std::bit_cast<std::uint64_t>(v) == kHistogramBits; }
// Whether `v` is a sample that is a number.
inline bool is_number(double v) { return !is_absent(v) && !is_stale_nan(v) && !is_histogram(v); }

struct Column {
  std::int64_t at_ms = 0;
  std::vector<double> values;  // By row; rows beyond the end are absent.
  RowSet irregular;
  std::map<Row, HistogramPtr> histograms;  // Of the rows whose value is histogram_value().
  bool failed = false;                     // Nothing but stale markers.

  double value(Row row) const { return row < values.size() ? values[row] : absent_value(); }
};

// What is asked of many columns, and therefore stands close together.
struct ColumnView {
  std::int64_t at_ms = 0;
  const double* values = nullptr;  // By row; rows beyond `size` are absent.
  std::uint32_t size = 0;
  bool irregular = false;  // Whether there is such a row.

  double value(Row row) const { return row < size ? values[row] : absent_value(); }
};

// Whether no value is below the one before at its place, and none is missing.
bool all_grow(const double* before, const double* now, std::size_t count);

// The last of the columns that says anything of the row, if it has a number there; null otherwise.
inline const ColumnView* newest_number(std::span<const ColumnView> columns, Row row) {
  for (std::size_t i = columns.size(); i > 0; --i) {
    const double value = columns[i - 1].value(row);
    if (is_number(value)) return &columns[i - 1];
    if (!is_absent(value)) break;
  }
  return nullptr;
}

class Block {
 public:
  explicit Block(const BlockOptions& options) : options_(options) {}

  const BlockOptions& options() const { return options_; }

  void set_history(Duration history) { options_.history = history; }

  Row add_row(SeriesId id, bool counter);
  // The row's place may be given to another series once it is free.
  void free_row(Row row);
  SeriesId series_of(Row row) const { return rows_[row].id; }
  // All of them.
  std::vector<SeriesId> series() const;
  // Whether the row ever had a histogram.
  bool has_histograms(Row row) const { return rows_[row].has_histograms; }

  bool append(Timestamp at, std::span<const Row> rows, std::span<const double> values,
              bool restarted);
  // The same for all rows, in their order. Takes the values; what is left of them is memory.
  bool append_all(Timestamp at, std::vector<double>& values, bool restarted, bool grow);
  void append_stale(Timestamp at);
  bool insert(Row row, Timestamp at, double value);
  bool insert(Row row, Timestamp at, HistogramPtr histogram);

  // Drops columns older than the history before `now`, and returns the rows that have no sample
  // left.
  std::vector<Row> collect_garbage(Timestamp now);

  // The columns in (after, upto], as [first, last) indices.
  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  Range range(Timestamp after, Timestamp upto) const;
  const Column& column(std::size_t index) const { return *columns_[index]; }
  const ColumnView& view(std::size_t index) const { return views_[index]; }
  std::span<const ColumnView> views() const { return views_; }
  // Asks for the memory of what range() mostly looks at.
  void fetch_views() const;
  // Whether any of these columns notes an irregular row.
  bool has_irregular(Range range) const;
  // Whether all rows of the columns from `at_ms` on have numbers, none below the one before. May
  // say no where it is so.
  bool grows_from(std::int64_t at_ms) const { return at_ms > last_uneven_ms_; }
  // The rows that any of them notes.
  RowSet irregular_in(Range range) const;

  // How many columns, from the oldest on, are sealed.
  std::size_t sealed_count() const { return sealed_; }

  std::size_t row_count() const { return rows_.size(); }
  std::size_t sample_count() const;
  std::size_t byte_size() const;

 private:
  struct RowState {
    SeriesId id = 0;
    bool used = false;
    bool counter = false;
    bool has_histograms = false;
    std::int64_t last_ms = 0;  // Of its newest sample or stale marker, but for append_all().
  };

  using ColumnPtr = std::unique_ptr<Column>;

  // With whatever values; the other one has none.
  ColumnPtr take_spare(Timestamp at);
  ColumnPtr take_column(Timestamp at);
  bool is_late(Timestamp at) const {
    return !columns_.empty() && columns_.back()->at_ms >= to_millis(at);
  }
  void append(ColumnPtr column, bool restarted, bool grow);
  // Each change of columns_ is one of these, or followed by renew_view().
  void add_column(std::size_t index, ColumnPtr column);
  // Of the column of that time, rows may lack a value or be below the one before.
  void note_uneven(std::int64_t at_ms) { last_uneven_ms_ = std::max(last_uneven_ms_, at_ms); }
  void renew_view(std::size_t index);
  // The column at `at`, made if need be, with a place for `row`; null if that is too long ago.
  Column* column_for_insert(Row row, Timestamp at);
  std::size_t first_not_before(std::int64_t at_ms) const;
  std::size_t first_after(std::int64_t at_ms) const;
  void begin_column(std::size_t index, Timestamp at);
  void seal_upto(std::size_t count);
  void list_irregular(std::size_t index);
  // The row's value in column `index` has changed.
  void correct_notes(std::size_t index, Row row);
  void correct_note(std::size_t index, Row row);
  void note_irregular(Column& now, bool restarted);
  void start_from_zero(Row row);

  BlockOptions options_;
  Slots<RowState> rows_;
  std::vector<ColumnPtr> columns_;
  std::vector<ColumnView> views_;    // Of columns_.
  std::int64_t last_of_all_ms_ = 0;  // Of the newest column that append_all() made.
  // No column that is newer has an irregular row.
  std::int64_t last_irregular_ms_ = std::numeric_limits<std::int64_t>::min();
  // Of all columns that are newer, each row has a value, and none is below the one before.
  std::int64_t last_uneven_ms_ = std::numeric_limits<std::int64_t>::min();
  std::size_t sealed_ = 0;
  std::size_t hint_ = 0;          // The column that the last sample went to.
  std::vector<ColumnPtr> spare_;  // Dropped columns, which become the next ones.
};

}  // namespace tocsin::store
