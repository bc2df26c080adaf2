// SPDX-License-Identifier: Apache-2.0
#include "tocsin/store.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "store/block.h"
#include "store/fetch.h"
#include "store/tape.h"
#include "store/window.h"

namespace tocsin::store {
namespace {

void fetch_rows(const ColumnView& column, std::span<const Row> rows) {
  constexpr std::size_t kRowsPerHalfLine = 4;
  for (std::size_t n = 0; n < rows.size(); n += kRowsPerHalfLine) {
    if (rows[n] < column.size) fetch(column.values + rows[n], 1);
  }
}

std::uint64_t identity(BlockId block, const Labels& labels) {
  return labels.quick_hash() ^ (block * 0x9e3779b97f4a7c15ULL);
}

}  // namespace

Store::Store() = default;
Store::~Store() = default;

std::unique_lock<std::shared_mutex> Store::lock_for_write() const {
  const std::lock_guard turn(turn_);
  return std::unique_lock(mutex_);
}

std::shared_lock<std::shared_mutex> Store::lock_for_read() const {
  const std::lock_guard turn(turn_);
  return std::shared_lock(mutex_);
}

Block& Store::block_of(BlockId id) {
  windows_.clear();  // It is going to change.
  written_[id] = ++writes_;
  newest_[id] = {};
  return *blocks_[id];
}

Tape* Store::tape_of(BlockId id) const {
  return tape_ && blocks_[id]->options().origin == Origin::Outside ? tape_ : nullptr;
}

BlockId Store::add_block(const BlockOptions& options) {
  windows_.clear();
  auto id = static_cast<BlockId>(blocks_.size());
  if (free_blocks_.empty()) {
    blocks_.emplace_back();
    written_.emplace_back();
    newest_.emplace_back();
  } else {
    id = free_blocks_.back();
    free_blocks_.pop_back();
  }
  blocks_[id] = std::make_unique<Block>(options);
  written_[id] = ++writes_;
  if (Tape* tape = tape_of(id)) tape->add_block(id, options);
  return id;
}

void Store::set_history(BlockId block, Duration history) { block_of(block).set_history(history); }

void Store::remove_block(BlockId block) {
  if (Tape* tape = tape_of(block)) tape->remove_block(block);
  for (const SeriesId id : block_of(block).series()) forget_series(id);
  blocks_[block].reset();
  free_blocks_.push_back(block);
}

Store::NameEntry& Store::entry_of(std::string_view name) {
  const auto known = names_.find(name);
  return known != names_.end() ? known->second : names_[std::string(name)];
}

SeriesId Store::add_series(BlockId block, const Labels& labels, bool counter) {
  const std::uint64_t key = identity(block, labels);
  const auto [first, last] = by_identity_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    const SeriesId known = it->second;
    if (places_[known].block == block && series_[known].labels == labels) return known;
  }
  SeriesId id = static_cast<SeriesId>(series_.size());
  if (free_series_.empty()) {
    series_.emplace_back();
    places_.emplace_back();
  } else {
    id = free_series_.back();
    free_series_.pop_back();
  }
  NameEntry& name = entry_of(labels.metric_name());
  places_[id] = {block, block_of(block).add_row(id, counter)};
  series_[id] = {labels, static_cast<std::uint32_t>(name.ids.size())};
  name.ids.push_back(id);
  name.note({id, true});
  ++version_;
  by_identity_.emplace(key, id);
  if (Tape* tape = tape_of(block)) tape->add_series(block, id, labels, counter);
  return id;
}

void Store::forget_series(SeriesId id) {
  Entry& entry = series_[id];
  NameEntry& name = entry_of(entry.labels.metric_name());
  name.ids[entry.place] = name.ids.back();
  series_[name.ids.back()].place = entry.place;
  name.ids.pop_back();
  name.note({id, false});
  ++version_;
  const auto [first, last] = by_identity_.equal_range(identity(places_[id].block, entry.labels));
  by_identity_.erase(std::find_if(first, last, [&](const auto& e) { return e.second == id; }));
  block_of(places_[id].block).free_row(places_[id].row);
  entry = {};
  free_series_.push_back(id);
}

bool Store::append_column(BlockId block, Timestamp at, std::span<const SeriesId> ids,
                          std::span<const double> values, bool restarted) {
  std::vector<Row>& rows = scratch_rows_;
  rows.clear();
  for (const SeriesId id : ids) rows.push_back(places_[id].row);
  Block& written = block_of(block);
  if (!written.append(at, rows, values, restarted)) return false;
  note_newest(block);
  if (Tape* tape = tape_of(block)) tape->append_column(block, at, ids, values, restarted);
  return true;
}

void Store::note_newest(BlockId id) {
  const ColumnView& newest = blocks_[id]->views().back();
  newest_[id] = {newest.values, newest.at_ms, newest.size};
}

Store::Appender::Appender(Store& store, BlockId block, std::span<const SeriesId> ids)
    : store_(store), block_(block) {
  is_all_ = ids.size() == store.block_of(block).row_count();
  for (const SeriesId id : ids) {
    is_all_ = is_all_ && store.places_[id].row == rows_.size();
    rows_.push_back(store.places_[id].row);
  }
}

bool Store::Appender::append(Timestamp at, std::vector<double>& values, bool restarted, bool grow) {
  Block& written = *store_.blocks_[block_];
  const bool is_written = is_all_ ? written.append_all(at, values, restarted, grow)
                                  : written.append(at, rows_, values, restarted);
  if (is_written) store_.note_newest(block_);
  return is_written;
}

void Store::append_stale(BlockId block, Timestamp at) {
  block_of(block).append_stale(at);
  if (Tape* tape = tape_of(block)) tape->append_stale(block, at);
}

bool Store::append_sample(SeriesId id, Timestamp at, double value) {
  const BlockId block = places_[id].block;
  if (Tape* tape = tape_of(block)) tape->append_sample(block, id, at, value);
  return block_of(places_[id].block).insert(places_[id].row, at, value);
}

bool Store::append_histogram(SeriesId id, Timestamp at, HistogramPtr histogram) {
  has_histograms_ = true;
  return block_of(places_[id].block).insert(places_[id].row, at, std::move(histogram));
}

void Store::collect_garbage(Timestamp now) {
  windows_.clear();
  newest_.assign(newest_.size(), {});
  for (const auto& block : blocks_) {
    if (!block) continue;
    for (const Row row : block->collect_garbage(now)) forget_series(block->series_of(row));
  }
}

std::uint64_t Store::version(std::string_view name) const {
  if (name.empty()) return version_;
  const auto it = names_.find(name);
  return it == names_.end() ? 0 : it->second.version;
}

// When half of the series have been replaced, readers may as well look all of them up.
void Store::NameEntry::note(SeriesChange change) {
  constexpr std::size_t kFewChanges = 64;
  if (changes.size() > ids.size() + kFewChanges) {
    changes.erase(changes.begin(),
                  changes.begin() + static_cast<std::ptrdiff_t>(changes.size() / 2));
  }
  changes.push_back(change);
  ++version;
}

std::optional<std::span<const SeriesChange>> Store::changes_since(std::string_view name,
                                                                  std::uint64_t version) const {
  // Version "" is everybody's.
  const auto it = name.empty() ? names_.end() : names_.find(name);
  if (it == names_.end()) return std::nullopt;
  const std::vector<SeriesChange>& changes = it->second.changes;
  const std::uint64_t count = it->second.version - version;
  if (version > it->second.version || count > changes.size()) return std::nullopt;
  return std::span(changes).last(count);
}

std::vector<SeriesId> Store::select(const Matchers& matchers) const {
  std::vector<SeriesId> out;
  Matchers others;  // Than those of the name.
  std::copy_if(matchers.begin(), matchers.end(), std::back_inserter(others),
               [](const Matcher& m) { return m.name() != kMetricName; });
  const auto add_if_wanted = [&](const auto& entry) {
    const bool wanted = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) {
      return m.name() != kMetricName || m.matches(entry.first);
    });
    if (!wanted) return;
    for (const SeriesId id : entry.second.ids) {
      if (matches_all(others, series_[id].labels)) out.push_back(id);
    }
  };
  const auto name = metric_name_of(matchers);
  if (!name) {
    for (const auto& entry : names_) add_if_wanted(entry);
  } else if (const auto it = names_.find(*name); it != names_.end()) {
    add_if_wanted(*it);
  }
  return by_block(std::move(out));
}

// Those of a block one after another, so that what is read of a block is read once. Otherwise in
// the same order.
std::vector<SeriesId> Store::by_block(std::vector<SeriesId> ids) const {
  const auto earlier = [this](SeriesId a, SeriesId b) {
    return places_[a].block < places_[b].block;
  };
  if (std::is_sorted(ids.begin(), ids.end(), earlier)) return ids;
  std::vector<std::size_t> next(blocks_.size() + 1);  // The place of each block's next series.
  for (const SeriesId id : ids) ++next[places_[id].block + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<SeriesId> out(ids.size());
  for (const SeriesId id : ids) out[next[places_[id].block]++] = id;
  return out;
}

const Labels& Store::labels(SeriesId id) const { return series_[id].labels; }

void Store::read(SeriesId id, Timestamp after, Timestamp upto, std::vector<Sample>& out) const {
  const Place& place = places_[id];
  const Block& block = *blocks_[place.block];
  const Block::Range range = block.range(after, upto);
  for (std::size_t i = range.first; i < range.last; ++i) {
    const ColumnView& column = block.view(i);
    const double value = column.value(place.row);
    if (is_number(value)) out.push_back({from_millis(column.at_ms), value});
  }
}

void Store::read_windows(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                         Windows& out) const {
  out.samples.clear();
  out.ends.clear();
  const Block* block = nullptr;
  std::vector<const ColumnView*> columns;
  for (const SeriesId id : ids) {
    const Place& place = places_[id];
    if (block != blocks_[place.block].get()) {
      block = blocks_[place.block].get();
      const Block::Range range = block->range(after, upto);
      columns.clear();
      for (std::size_t i = range.first; i < range.last; ++i) columns.push_back(&block->view(i));
    }
    for (const ColumnView* column : columns) {
      const double value = column->value(place.row);
      if (is_number(value)) out.samples.push_back({from_millis(column->at_ms), value});
    }
    out.ends.push_back(out.samples.size());
  }
}

// In the newest column of its block, if that is known without asking the block; null otherwise.
const double* Store::newest_value(const Place& place) const {
  const Newest& newest = newest_[place.block];
  return place.row < newest.size ? newest.values + place.row : nullptr;
}

// What the newest samples of the series after the first will show, if they are of other blocks.
void Store::fetch_latest(std::span<const SeriesId> ids) const {
  constexpr std::size_t kBlocksAhead = 18;
  constexpr std::size_t kViewsAhead = 12;
  constexpr std::size_t kValuesAhead = 6;
  // The place of the series so far ahead, if it is in another block than the one before it, and its
  // value is not known.
  const auto place_at = [&](std::size_t ahead) -> const Place* {
    if (ahead >= ids.size()) return nullptr;
    const Place& place = places_[ids[ahead]];
    return place.block == places_[ids[ahead - 1]].block ? nullptr : &place;
  };
  if (const Place* place = place_at(kBlocksAhead)) {
    if (const double* value = newest_value(*place)) {
      fetch(value, 1);
    } else {
      fetch(blocks_[place->block].get(), sizeof(Block));
    }
  }
  if (const Place* place = place_at(kViewsAhead); place && !newest_value(*place)) {
    blocks_[place->block]->fetch_views();
  }
  if (const Place* place = place_at(kValuesAhead); place && !newest_value(*place)) {
    const std::span<const ColumnView> views = blocks_[place->block]->views();
    if (!views.empty() && place->row < views.back().size) {
      fetch(views.back().values + place->row, 1);
    }
  }
}

void Store::read_latest(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                        std::span<double> values, std::span<std::int64_t> times) const {
  const Block* block = nullptr;
  Block::Range range;
  for (std::size_t n = 0; n < ids.size(); ++n) {
    fetch_latest(ids.subspan(n));
    const Place& place = places_[ids[n]];
    const Newest& newest = newest_[place.block];
    const bool is_inside = newest.at_ms > to_millis(after) && newest.at_ms <= to_millis(upto);
    if (const double* value = newest_value(place); value && is_inside && is_number(*value)) {
      values[n] = *value;
      times[n] = newest.at_ms;
      continue;
    }
    if (block != blocks_[place.block].get()) {
      block = blocks_[place.block].get();
      range = block->range(after, upto);
    }
    values[n] = absent_value();
    times[n] = 0;
    const auto columns = block->views().subspan(range.first, range.last - range.first);
    if (const ColumnView* column = newest_number(columns, place.row)) {
      values[n] = column->value(place.row);
      times[n] = column->at_ms;
    }
  }
}

// The rows of as many series as stand in the block of the first.
std::span<const Row> Store::rows_together(std::span<const SeriesId> ids,
                                          std::span<Row> room) const {
  const BlockId block = places_[ids[0]].block;
  std::size_t count = 0;
  for (; count < std::min(ids.size(), room.size()); ++count) {
    const Place& place = places_[ids[count]];
    if (place.block != block) break;
    room[count] = place.row;
  }
  return room.first(count);
}

std::vector<RowRun> Store::runs_of(std::span<const SeriesId> ids) const {
  std::vector<RowRun> out;
  for (const SeriesId id : ids) {
    const auto& [block, row] = places_[id];
    const bool follows = !out.empty() && out.back().block == block &&
                         out.back().row + out.back().count == row &&
                         out.back().count < EndsBatch::kMostRows;
    if (follows) {
      ++out.back().count;
    } else {
      out.push_back({.block = block, .row = row, .count = 1});
    }
  }
  out.shrink_to_fit();
  return out;
}

// Reading much of the store, it is worth while to look at every block beforehand.
std::shared_ptr<const WindowReader> Store::window(std::size_t runs, Timestamp after,
                                                  Timestamp upto) const {
  constexpr std::size_t kMostWindows = 4;  // Lookbacks of the rules that are evaluated together.
  const auto is_it = [&](const auto& known) {
    return known->interval().after == after && known->interval().upto == upto;
  };
  const std::lock_guard lock(windows_mutex_);
  const auto known = std::find_if(windows_.begin(), windows_.end(), is_it);
  if (known != windows_.end()) return *known;
  const bool is_much = 2 * runs >= blocks_.size();
  auto made = std::make_shared<const Window>(blocks_, Interval{after, upto},
                                             is_much ? Window::Reads::Much : Window::Reads::Little);
  if (!is_much) return made;
  if (windows_.size() == kMostWindows) windows_.erase(windows_.begin());
  windows_.push_back(made);
  return made;
}

void Store::read_grid(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                      Grid& out) const {
  out.clear();
  if (ids.empty()) return;
  std::array<Row, Grid::kMostRows> room;
  const std::span<const Row> rows = rows_together(ids, room);
  const Block& block = *blocks_[places_[ids[0]].block];
  const Block::Range range = block.range(after, upto);
  constexpr std::size_t kColumnsAhead = 8;
  const std::size_t columns = range.last - range.first;
  out.rows = rows.size();
  out.values.resize(out.rows * columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const ColumnView& column = block.view(range.first + i);
    if (i + kColumnsAhead < columns) fetch_rows(block.view(range.first + i + kColumnsAhead), rows);
    out.times_ms.push_back(column.at_ms);
    for (std::size_t n = 0; n < out.rows; ++n) {
      const double value = column.value(rows[n]);
      out.values[n * columns + i] = is_number(value) ? value : absent_value();
    }
  }
}

void Store::read_histograms(SeriesId id, Timestamp after, Timestamp upto,
                            std::vector<HistogramSample>& out) const {
  const Place& place = places_[id];
  const Block& block = *blocks_[place.block];
  if (!block.has_histograms(place.row)) return;
  const Block::Range range = block.range(after, upto);
  for (std::size_t i = range.first; i < range.last; ++i) {
    const Column& column = block.column(i);
    if (!is_histogram(column.value(place.row))) continue;
    out.push_back({from_millis(column.at_ms), column.histograms.at(place.row)});
  }
}

void Store::read_latest_histograms(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                                   std::span<HistogramPtr> histograms,
                                   std::span<std::int64_t> times) const {
  for (std::size_t n = 0; n < ids.size(); ++n) {
    const Place& place = places_[ids[n]];
    const Block& block = *blocks_[place.block];
    if (!block.has_histograms(place.row)) continue;
    const Block::Range range = block.range(after, upto);
    for (std::size_t i = range.last; i > range.first; --i) {
      const Column& column = block.column(i - 1);
      const double value = column.value(place.row);
      if (is_absent(value)) continue;
      if (is_histogram(value)) {
        histograms[n] = column.histograms.at(place.row);
        times[n] = column.at_ms;
      }
      break;
    }
  }
}

Stats Store::stats() const {
  Stats stats;
  stats.series = series_.size() - free_series_.size();
  for (const auto& block : blocks_) {
    if (!block) continue;
    ++stats.blocks;
    stats.samples += block->sample_count();
    stats.bytes += block->byte_size();
  }
  for (const Entry& entry : series_) {
    stats.bytes += sizeof(Entry) + sizeof(Place) + entry.labels.byte_size();
  }
  return stats;
}

std::map<std::string, std::size_t> Store::series_by_name() const {
  std::map<std::string, std::size_t> out;
  for (const auto& [name, entry] : names_) {
    if (!entry.ids.empty()) out[name] = entry.ids.size();
  }
  return out;
}

}  // namespace tocsin::store
