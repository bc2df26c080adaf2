// SPDX-License-Identifier: Apache-2.0
#include "store/block.h"

#include <algorithm>
#include <cmath>

#include "base/wide.h"
#include "store/fetch.h"

namespace tocsin::store {
namespace {

// How many columns are left open for samples that come late.
constexpr std::size_t kOpenColumns = 2;
// How many dropped columns lend their memory to the next ones. What is dropped at once comes back
// before long.
constexpr std::size_t kMostSpare = 512;

bool is_alive(double v) { return !is_absent(v) && !is_stale_nan(v); }

// Whether `value` is not simply the next one after `previous`.
bool is_irregular(double value, double previous) {
  if (value >= previous) return false;  // Not so for every NaN.
  return !is_absent(value) || is_alive(previous);
}

// Nothing is irregular then.
bool grows(const std::vector<double>& now, const std::vector<double>& before) {
  return now.size() <= before.size() && all_grow(before.data(), now.data(), now.size());
}

}  // namespace

TOCSIN_WIDE bool all_grow(const double* before, const double* now, std::size_t count) {
  int falls = 0;  // A bool is none of the types of which compilers make vectors.
  for (std::size_t i = 0; i < count; ++i) {
    if (!(now[i] >= before[i])) falls = 1;
  }
  return falls == 0;
}

Row Block::add_row(SeriesId id, bool counter) {
  const Row row = rows_.take();
  rows_[row] = {.id = id, .used = true, .counter = counter};
  return row;
}

void Block::free_row(Row row) {
  for (const ColumnPtr& column : columns_) {
    if (row < column->values.size()) column->values[row] = absent_value();
    column->histograms.erase(row);
  }
  rows_.give_back(row);
}

std::vector<SeriesId> Block::series() const {
  std::vector<SeriesId> out;
  for (const RowState& row : rows_) {
    if (row.used) out.push_back(row.id);
  }
  return out;
}

Block::ColumnPtr Block::take_spare(Timestamp at) {
  ColumnPtr column;
  if (spare_.empty()) {
    column = std::make_unique<Column>();
  } else {
    column = std::move(spare_.back());
    spare_.pop_back();
  }
  column->at_ms = to_millis(at);
  column->irregular.clear();
  column->histograms.clear();
  column->failed = false;
  return column;
}

Block::ColumnPtr Block::take_column(Timestamp at) {
  ColumnPtr column = take_spare(at);
  column->values.assign(rows_.size(), absent_value());
  return column;
}

bool Block::append(Timestamp at, std::span<const Row> rows, std::span<const double> values,
                   bool restarted) {
  if (is_late(at)) return false;
  ColumnPtr column = take_column(at);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    column->values[rows[i]] = values[i];
    rows_[rows[i]].last_ms = column->at_ms;
  }
  append(std::move(column), restarted, false);
  return true;
}

bool Block::append_all(Timestamp at, std::vector<double>& values, bool restarted, bool grow) {
  if (is_late(at)) return false;
  ColumnPtr column = take_spare(at);
  column->values.swap(values);
  last_of_all_ms_ = column->at_ms;
  append(std::move(column), restarted, grow);
  return true;
}

void Block::append(ColumnPtr column, bool restarted, bool grow) {
  seal_upto(columns_.size());
  const bool is_first = columns_.empty();
  if (!grow && (is_first || !grows(column->values, columns_.back()->values))) {
    note_irregular(*column, restarted);
    note_uneven(column->at_ms);
  }
  add_column(columns_.size(), std::move(column));
  sealed_ = columns_.size();
}

void Block::note_irregular(Column& now, bool restarted) {
  const Column* before = columns_.empty() ? nullptr : columns_.back().get();
  const bool synthesize =
      options_.synthesize_starts && before != nullptr && !before->failed && !restarted;
  for (Row row = 0; row < now.values.size(); ++row) {
    const double value = now.values[row];
    const double previous = before ? before->value(row) : absent_value();
    if (!is_irregular(value, previous)) continue;
    if (is_absent(value)) {
      now.values[row] = stale_nan();
      rows_[row].last_ms = now.at_ms;
    } else if (synthesize && rows_[row].counter && is_absent(previous) && value >= 0) {
      start_from_zero(row);
      continue;
    }
    now.irregular.add(row);
  }
}

// In the newest column.
void Block::start_from_zero(Row row) {
  Column& before = *columns_.back();
  if (row >= before.values.size()) before.values.resize(row + 1, absent_value());
  before.values[row] = 0;
  before.irregular.add(row);
  note_uneven(before.at_ms);
  renew_view(columns_.size() - 1);
}

void Block::append_stale(Timestamp at) {
  if (columns_.empty() || is_late(at)) return;
  ColumnPtr column = take_column(at);
  column->failed = true;
  const Column& before = *columns_.back();
  // An open column says nothing about the rows that it leaves out.
  const bool is_open = sealed_ < columns_.size();
  for (Row row = 0; row < column->values.size(); ++row) {
    const bool alive = is_open ? rows_[row].used : is_alive(before.value(row));
    if (!alive) continue;
    column->values[row] = stale_nan();
    column->irregular.add(row);
    rows_[row].last_ms = column->at_ms;
  }
  note_uneven(column->at_ms);
  seal_upto(columns_.size());
  add_column(columns_.size(), std::move(column));
  sealed_ = columns_.size();
}

void Block::add_column(std::size_t index, ColumnPtr column) {
  const auto place = static_cast<std::ptrdiff_t>(index);
  columns_.insert(columns_.begin() + place, std::move(column));
  views_.emplace(views_.begin() + place);
  renew_view(index);
}

void Block::renew_view(std::size_t index) {
  const Column& column = *columns_[index];
  views_[index] = {column.at_ms, column.values.data(),
                   static_cast<std::uint32_t>(column.values.size()), !column.irregular.empty()};
  if (views_[index].irregular) last_irregular_ms_ = std::max(last_irregular_ms_, column.at_ms);
}

void Block::fetch_views() const {
  if (views_.empty()) return;
  fetch(&views_.front(), 1);
  fetch(&views_.back(), 1);
}

bool Block::has_irregular(Range range) const {
  if (range.first == range.last || views_[range.first].at_ms > last_irregular_ms_) return false;
  for (std::size_t i = range.first; i < range.last; ++i) {
    if (views_[i].irregular) return true;
  }
  return false;
}

RowSet Block::irregular_in(Range range) const {
  RowSet out;
  for (std::size_t i = range.first; i < range.last; ++i) out.merge(columns_[i]->irregular);
  return out;
}

std::size_t Block::first_not_before(std::int64_t at_ms) const {
  // Samples mostly come column by column, or series by series.
  for (std::size_t i = hint_; i < std::min(hint_ + 2, columns_.size()); ++i) {
    if (views_[i].at_ms == at_ms) return i;
  }
  const auto it =
      std::lower_bound(views_.begin(), views_.end(), at_ms,
                       [](const ColumnView& view, std::int64_t t) { return view.at_ms < t; });
  return static_cast<std::size_t>(it - views_.begin());
}

void Block::begin_column(std::size_t index, Timestamp at) {
  add_column(index, take_column(at));
  if (index < sealed_) {
    ++sealed_;
    list_irregular(index);
    if (index + 1 < sealed_) list_irregular(index + 1);
  } else if (columns_.size() > kOpenColumns) {
    seal_upto(columns_.size() - kOpenColumns);
  }
}

void Block::seal_upto(std::size_t count) {
  for (; sealed_ < count; ++sealed_) list_irregular(sealed_);
}

void Block::list_irregular(std::size_t index) {
  Column& column = *columns_[index];
  column.irregular.clear();
  for (Row row = 0; row < rows_.size(); ++row) {
    const double previous = index > 0 ? columns_[index - 1]->value(row) : absent_value();
    if (is_irregular(column.value(row), previous)) column.irregular.add(row);
  }
  renew_view(index);
}

void Block::correct_notes(std::size_t index, Row row) {
  if (index < sealed_) correct_note(index, row);
  if (index + 1 < sealed_) correct_note(index + 1, row);
}

void Block::correct_note(std::size_t index, Row row) {
  Column& column = *columns_[index];
  const double previous = index > 0 ? columns_[index - 1]->value(row) : absent_value();
  if (is_irregular(column.value(row), previous)) {
    column.irregular.add(row);
  } else {
    column.irregular.remove(row);
  }
  renew_view(index);
}

Column* Block::column_for_insert(Row row, Timestamp at) {
  const std::int64_t at_ms = to_millis(at);
  if (!columns_.empty() && at_ms < columns_.back()->at_ms - options_.history.count())
    return nullptr;
  const std::size_t index = first_not_before(at_ms);
  if (index == columns_.size() || columns_[index]->at_ms != at_ms) begin_column(index, at);
  hint_ = index;
  note_uneven(at_ms);
  Column& column = *columns_[index];
  if (row >= column.values.size()) {
    column.values.resize(rows_.size(), absent_value());
    renew_view(index);
  }
  return &column;
}

bool Block::insert(Row row, Timestamp at, double value) {
  Column* column = column_for_insert(row, at);
  if (!column) return false;
  double& place = column->values[row];
  if (!is_absent(place))
    return std::bit_cast<std::uint64_t>(place) == std::bit_cast<std::uint64_t>(value);
  place = value;
  correct_notes(hint_, row);
  rows_[row].last_ms = std::max(rows_[row].last_ms, column->at_ms);
  return true;
}

bool Block::insert(Row row, Timestamp at, HistogramPtr histogram) {
  Column* column = column_for_insert(row, at);
  if (!column) return false;
  double& place = column->values[row];
  // append() writes stale markers for whoever it is not told of; one of this instant gives way.
  if (!is_absent(place) && !is_stale_nan(place)) {
    return is_histogram(place) && *column->histograms[row] == *histogram;
  }
  place = histogram_value();
  column->histograms[row] = std::move(histogram);
  rows_[row].has_histograms = true;
  correct_notes(hint_, row);
  rows_[row].last_ms = std::max(rows_[row].last_ms, column->at_ms);
  return true;
}

std::vector<Row> Block::collect_garbage(Timestamp now) {
  const std::int64_t oldest = to_millis(now - options_.history);
  std::size_t dropped = 0;
  for (; dropped < views_.size() && views_[dropped].at_ms <= oldest; ++dropped) {
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(columns_[dropped]));
  }
  sealed_ -= std::min(sealed_, dropped);
  const auto count = static_cast<std::ptrdiff_t>(dropped);
  columns_.erase(columns_.begin(), columns_.begin() + count);
  views_.erase(views_.begin(), views_.begin() + count);
  std::vector<Row> empty;
  for (Row row = 0; row < rows_.size(); ++row) {
    const std::int64_t last_ms = std::max(rows_[row].last_ms, last_of_all_ms_);
    if (rows_[row].used && last_ms <= oldest) empty.push_back(row);
  }
  return empty;
}

Block::Range Block::range(Timestamp after, Timestamp upto) const {
  return {first_after(to_millis(after)), first_after(to_millis(upto))};
}

// Scrapes are regular: where a moment is can be told from the ends.
std::size_t Block::first_after(std::int64_t at_ms) const {
  constexpr std::size_t kNear = 2;
  if (views_.empty() || views_.back().at_ms <= at_ms) return views_.size();
  if (views_.front().at_ms > at_ms) return 0;
  const auto oldest = static_cast<double>(views_.front().at_ms);
  const double share =
      (static_cast<double>(at_ms) - oldest) / (static_cast<double>(views_.back().at_ms) - oldest);
  const std::size_t most = views_.size() - 1;
  const std::size_t near =
      std::min(most, static_cast<std::size_t>(share * static_cast<double>(most)));
  const std::size_t from = near - std::min(near, kNear);
  for (std::size_t i = std::max<std::size_t>(from, 1); i <= std::min(near + kNear, most); ++i) {
    if (views_[i].at_ms > at_ms && views_[i - 1].at_ms <= at_ms) return i;
  }
  const auto later = [](std::int64_t at, const ColumnView& view) { return at < view.at_ms; };
  const auto it = std::upper_bound(views_.begin(), views_.end(), at_ms, later);
  return static_cast<std::size_t>(it - views_.begin());
}

std::size_t Block::sample_count() const { return columns_.size() * rows_.count(); }

std::size_t Block::byte_size() const {
  std::size_t bytes =
      sizeof(Block) + rows_.capacity() * sizeof(RowState) + views_.capacity() * sizeof(ColumnView);
  for (const ColumnPtr& column : columns_) {
    bytes += sizeof(ColumnPtr) + sizeof(Column) + column->values.capacity() * sizeof(double) +
             column->irregular.byte_size();
  }
  return bytes;
}

}  // namespace tocsin::store
