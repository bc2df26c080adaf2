// SPDX-License-Identifier: Apache-2.0
#include "store/block.h"

#include <algorithm>
#include <cmath>

namespace tocsin::store {
namespace {

bool is_alive(double v) { return !is_absent(v) && !is_stale_nan(v); }

}  // namespace

Row Block::add_row(SeriesId id, bool counter) {
  Row row = static_cast<Row>(rows_.size());
  if (free_rows_.empty()) {
    rows_.emplace_back();
  } else {
    row = free_rows_.back();
    free_rows_.pop_back();
  }
  rows_[row] = {id, true, counter, 0};
  return row;
}

void Block::free_row(Row row) {
  rows_[row] = {};
  for (Column& column : columns_) {
    if (row < column.values.size()) column.values[row] = absent_value();
    column.histograms.erase(row);
  }
  free_rows_.push_back(row);
}

Column Block::take_column(Timestamp at) {
  Column column;
  if (!spare_.empty()) {
    column = std::move(spare_.back());
    spare_.pop_back();
  }
  column.at_ms = to_millis(at);
  column.values.assign(rows_.size(), absent_value());
  column.irregular.clear();
  column.histograms.clear();
  column.sparse = false;
  column.failed = false;
  return column;
}

bool Block::append(Timestamp at, std::span<const Row> rows, std::span<const double> values,
                   bool restarted) {
  if (!columns_.empty() && columns_.back().at_ms >= to_millis(at)) return false;
  Column column = take_column(at);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    column.values[rows[i]] = values[i];
    rows_[rows[i]].last_ms = column.at_ms;
  }
  note_irregular(column, restarted);
  columns_.push_back(std::move(column));
  return true;
}

void Block::note_irregular(Column& now, bool restarted) {
  Column* before = columns_.empty() ? nullptr : &columns_.back();
  const bool synthesize =
      options_.synthesize_starts && before != nullptr && !before->failed && !restarted;
  for (Row row = 0; row < now.values.size(); ++row) {
    const double value = now.values[row];
    const double previous = before ? before->value(row) : absent_value();
    if (value >= previous) continue;  // False for every NaN.
    if (is_absent(value) && !is_alive(previous)) continue;
    if (is_absent(value)) {
      now.values[row] = stale_nan();
      rows_[row].last_ms = now.at_ms;
    } else if (synthesize && rows_[row].counter && is_absent(previous) && value >= 0) {
      start_from_zero(row, *before);
      continue;
    }
    now.irregular.push_back(row);
  }
}

void Block::start_from_zero(Row row, Column& before) {
  if (row >= before.values.size()) before.values.resize(row + 1, absent_value());
  before.values[row] = 0;
  before.irregular.push_back(row);
}

void Block::append_stale(Timestamp at) {
  if (columns_.empty() || columns_.back().at_ms >= to_millis(at)) return;
  Column column = take_column(at);
  column.failed = true;
  const Column& before = columns_.back();
  for (Row row = 0; row < column.values.size(); ++row) {
    // A sparse column says nothing about the rows that it leaves out.
    const bool alive = before.sparse ? rows_[row].used : is_alive(before.value(row));
    if (!alive) continue;
    column.values[row] = stale_nan();
    column.irregular.push_back(row);
    rows_[row].last_ms = column.at_ms;
  }
  columns_.push_back(std::move(column));
}

Column* Block::column_for_insert(Row row, Timestamp at) {
  const std::int64_t at_ms = to_millis(at);
  if (!columns_.empty() && at_ms < columns_.back().at_ms - options_.history.count()) return nullptr;
  auto position = columns_.end();
  while (position != columns_.begin() && std::prev(position)->at_ms >= at_ms) --position;
  if (position == columns_.end() || position->at_ms != at_ms) {
    position = columns_.insert(position, take_column(at));
    position->sparse = true;
  }
  if (row >= position->values.size()) position->values.resize(rows_.size(), absent_value());
  return &*position;
}

bool Block::insert(Row row, Timestamp at, double value) {
  Column* column = column_for_insert(row, at);
  if (!column) return false;
  double& place = column->values[row];
  if (!is_absent(place))
    return std::bit_cast<std::uint64_t>(place) == std::bit_cast<std::uint64_t>(value);
  place = value;
  rows_[row].last_ms = std::max(rows_[row].last_ms, column->at_ms);
  return true;
}

bool Block::insert(Row row, Timestamp at, HistogramPtr histogram) {
  Column* column = column_for_insert(row, at);
  if (!column) return false;
  double& place = column->values[row];
  if (!is_absent(place)) return is_histogram(place) && *column->histograms[row] == *histogram;
  place = histogram_value();
  column->histograms[row] = std::move(histogram);
  rows_[row].last_ms = std::max(rows_[row].last_ms, column->at_ms);
  return true;
}

std::vector<Row> Block::collect_garbage(Timestamp now) {
  const std::int64_t oldest = to_millis(now - options_.history);
  while (!columns_.empty() && columns_.front().at_ms <= oldest) {
    if (spare_.size() < 2) spare_.push_back(std::move(columns_.front()));
    columns_.pop_front();
  }
  std::vector<Row> empty;
  for (Row row = 0; row < rows_.size(); ++row) {
    if (rows_[row].used && rows_[row].last_ms <= oldest) empty.push_back(row);
  }
  return empty;
}

Block::Range Block::range(Timestamp after, Timestamp upto) const {
  const auto later = [](std::int64_t at, const Column& column) { return at < column.at_ms; };
  const auto first = std::upper_bound(columns_.begin(), columns_.end(), to_millis(after), later);
  const auto last = std::upper_bound(first, columns_.end(), to_millis(upto), later);
  return {static_cast<std::size_t>(first - columns_.begin()),
          static_cast<std::size_t>(last - columns_.begin())};
}

std::size_t Block::sample_count() const {
  return columns_.size() * (rows_.size() - free_rows_.size());
}

std::size_t Block::byte_size() const {
  std::size_t bytes = sizeof(Block) + rows_.capacity() * sizeof(RowState);
  for (const Column& column : columns_) {
    bytes += sizeof(Column) + column.values.capacity() * sizeof(double) +
             column.irregular.capacity() * sizeof(Row);
  }
  return bytes;
}

}  // namespace tocsin::store
