// SPDX-License-Identifier: Apache-2.0
#include "archive/player.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/numbers.h"
#include "store/fetch.h"

namespace tocsin::archive {
namespace fs = std::filesystem;
namespace {

// How much later than another's record one may come that is of an earlier moment.
constexpr Duration kDisorder = std::chrono::minutes(1);
constexpr std::size_t kColumnsAhead = 4;

std::vector<std::string> files_of(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return {path};
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (entry.path().extension() == kSuffix) out.push_back(entry.path().string());
  }
  return out;
}

}  // namespace

bool is_archive(const std::string& path) {
  if (fs::path(path).extension() == kSuffix) return true;
  std::error_code ignored;
  return fs::is_directory(path, ignored) && !files_of(path).empty();
}

Player::Player(PlayerOptions options) : options_(std::move(options)) {}
Player::Player(Player&&) noexcept = default;
Player& Player::operator=(Player&&) noexcept = default;
Player::~Player() = default;

Result<Player> Player::open(const std::vector<std::string>& paths, PlayerOptions options) {
  Player player(std::move(options));
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    for (std::string& name : files_of(path)) names.push_back(std::move(name));
  }
  std::vector<Result<Extent>> extents(names.size());
  player.together(names.size(), [&](std::size_t i) { extents[i] = extent_of(names[i]); });
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!extents[i]) return fail(extents[i].error().in(names[i]));
    player.add(std::move(names[i]), *extents[i]);
  }
  if (player.files_.empty()) return fail(ErrorCode::NotFound, "there is nothing in the archive");
  std::sort(player.files_.begin(), player.files_.end(), [](const File& a, const File& b) {
    return std::tie(a.extent.oldest, a.path) < std::tie(b.extent.oldest, b.path);
  });
  return player;
}

void Player::add(std::string path, const Extent& extent) {
  if (extent.oldest == Timestamp{}) {
    damage_.push_back(path + ": nothing in it can be read");
  } else {
    files_.push_back({std::move(path), extent});
  }
}

Timestamp Player::newest() const {
  Timestamp newest = files_.front().extent.newest;
  for (const File& file : files_) newest = std::max(newest, file.extent.newest);
  return newest;
}

void Player::skip_to(Timestamp from) {
  while (next_file_ + 1 < files_.size() && files_[next_file_].extent.newest < from) ++next_file_;
}

bool Player::next_reel() {
  if (reel_ && !reel_->damage().empty()) {
    damage_.push_back(files_[next_file_ - 1].path + ": " + reel_->damage());
  }
  reel_.reset();
  wants_.clear();
  begins_file_ = true;
  while (!reel_ && next_file_ < files_.size()) {
    const File& file = files_[next_file_++];
    auto bytes = read_file(file.path);
    auto reel =
        bytes ? Reel::open(std::move(*bytes), roll_.get()) : Result<Reel>(fail(bytes.error()));
    if (reel) {
      reel_.emplace(std::move(*reel));
    } else {
      damage_.push_back(file.path + ": " + reel.error().message);
    }
  }
  return reel_.has_value();
}

// ---- Reading

void Player::fetch(Timestamp upto) {
  while (last_fetched_ <= upto + kDisorder && fetch_one()) {
  }
}

// The next record. False at the end.
bool Player::fetch_one() {
  const Reel::Record* record = reel_ ? reel_->next() : nullptr;
  while (!record) {
    if (!next_reel()) return false;
    record = reel_->next();
  }
  last_fetched_ = std::max(last_fetched_, record->at);
  Stretch& stretch = stretch_of(*record);
  stretch.last = std::max(stretch.last, record->at);
  if (record->kind == Kind::Run) return true;
  if (record->kind == Kind::Block) wants_.emplace_back();
  if (stretch.blocks.size() < wants_.size()) stretch.blocks.resize(wants_.size());
  Fetched& fetched = stretch.blocks[record->block].add();
  fetched.record = *record;
  if (record->kind == Kind::Series) fetch_series(fetched);
  if (record->kind == Kind::Column) {
    fetch_ahead(stretch, record->block);
    fetch_column(fetched);
  }
  if (record->kind == Kind::Sample) {
    const auto& wanted = wants_[record->block];
    fetched.wanted = std::binary_search(wanted.begin(), wanted.end(), record->row);
  }
  return true;
}

Player::Fetched& Player::Records::add() {
  if (count_ == records_.size()) records_.emplace_back();
  Fetched& next = records_[count_++];
  next.wanted = false;
  if (!next.labels.empty()) next.labels = {};
  next.is_full = false;
  next.grows = false;
  return next;
}

void Player::Records::fetch_next() const {
  if (count_ < records_.size()) store::fetch(&records_[count_], sizeof(Fetched));
}

void Player::Records::fetch_values_of_next() const {
  if (count_ == records_.size()) return;
  const std::vector<double>& values = records_[count_].values;
  store::fetch(values.data(), values.capacity() * sizeof(double));
}

void Player::Stretch::clear() {
  begins_file = false;
  run.reset();
  for (Records& records : blocks) records.clear();
  last = {};
}

// Where the record belongs: to the last one, or to one that it begins.
Player::Stretch& Player::stretch_of(const Reel::Record& record) {
  const bool is_run = record.kind == Kind::Run;
  if (fetched_.empty() || begins_file_ || is_run) {
    if (spare_stretches_.empty()) spare_stretches_.emplace_back();
    Stretch& stretch = fetched_.emplace_back(std::move(spare_stretches_.back()));
    spare_stretches_.pop_back();
    stretch.begins_file = std::exchange(begins_file_, false);
    if (is_run) stretch.run = record;
  }
  return fetched_.back();
}

void Player::fetch_ahead(const Stretch& stretch, std::uint32_t block) const {
  const std::uint32_t next = reel_->block_after(block);
  const std::uint32_t second = reel_->block_after(next);
  if (next < stretch.blocks.size()) stretch.blocks[next].fetch_values_of_next();
  if (second < stretch.blocks.size()) stretch.blocks[second].fetch_next();
}

void Player::fetch_column(Fetched& fetched) {
  const std::vector<double>& all = reel_->values(fetched.record.block);
  const std::vector<std::uint32_t>& wanted = wants_[fetched.record.block];
  std::vector<double>& values = fetched.values;
  if (wanted.size() == all.size()) {
    values.assign(all.begin(), all.end());
  } else {
    values.clear();
    for (const std::uint32_t row : wanted) {
      values.push_back(row < all.size() ? all[row] : store::absent_value());
    }
  }
  const Reel::Record& record = fetched.record;
  fetched.grows = record.grows && (record.are_numbers || are_numbers(values));
  fetched.is_full = fetched.grows || std::none_of(values.begin(), values.end(), store::is_absent);
}

bool Player::wants(const Labels& labels) const { return !options_.wants || options_.wants(labels); }

void Player::fetch_series(Fetched& fetched) {
  const Reel::Record& record = fetched.record;
  const std::uint32_t row = record.row;
  fetched.labels = reel_->labels();
  fetched.wanted = record.known || (!record.again && wants(fetched.labels));
  if (!record.again) {
    roll_->put(reel_->number_of(record.block), row, fetched.wanted ? fetched.labels : Labels(),
               reel_->bytes());
  }
  std::vector<std::uint32_t>& wanted = wants_[fetched.record.block];
  const auto place = std::lower_bound(wanted.begin(), wanted.end(), row);
  const bool was_wanted = place != wanted.end() && *place == row;
  if (fetched.wanted && !was_wanted) wanted.insert(place, row);
  if (!fetched.wanted && was_wanted) wanted.erase(place);
}

// ---- Writing

Player::Played Player::play(store::Store& store, Timestamp upto) {
  remove_ended(store);
  fetch(upto);
  for (; !fetched_.empty(); fetched_.pop_front()) {
    Stretch& stretch = fetched_.front();
    if (stretch.run && stretch.run->at > upto + kDisorder) break;
    if (begins_other_run(stretch)) return {last_, run_began_};
    apply(store, stretch);
    last_ = std::max(last_, stretch.last);
    stretch.clear();
    spare_stretches_.push_back(std::move(stretch));
  }
  return {last_, std::nullopt};
}

// If so, the stretch begins no more: the next time, it goes on.
bool Player::begins_other_run(Stretch& stretch) {
  if (stretch.begins_file) {
    before_ = std::exchange(in_file_, {});
    for (BlockInFile& block : before_) leave_full_columns(block);
    stretch.begins_file = false;
  }
  const auto run = std::exchange(stretch.run, std::nullopt);
  if (!run || run->run == run_) return false;
  const bool is_first = run_ == 0;
  run_ = run->run;
  if (!is_first) run_began_ = run->at;
  return !is_first;
}

// What had ended when play() returned was there until then.
void Player::remove_ended(store::Store& store) {
  if (run_began_) {  // What was in the memory of the process before is not in that of the next.
    for (const auto& [number, block] : blocks_) ended_.push_back(block);
    blocks_.clear();
    before_.clear();
    for (BlockInFile& block : in_file_) block.lives = false;
    run_began_.reset();
  }
  for (const store::BlockId block : ended_) store.remove_block(block);
  ended_.clear();
}

// Most records are columns of the same series, each with a value: these need nothing but their
// block.
void Player::apply(store::Store& store, Stretch& stretch) {
  struct Run {
    std::uint32_t block;
    std::span<Fetched> columns;
    store::Store::Appender appender;  // Made on this thread: making one changes the store.
  };
  std::vector<Run> runs;
  std::vector<std::size_t> next(stretch.blocks.size());
  for (std::uint32_t b = 0; b < next.size(); ++b) {
    const std::span<Fetched> records = stretch.blocks[b].all();
    std::size_t end = 0;
    while (next[b] < records.size() && (end = end_of_full(b, records, next[b])) == next[b]) {
      apply(store, records[next[b]++]);
    }
    if (next[b] == records.size()) continue;
    const BlockInFile& block = in_file_[b];
    runs.push_back(
        {b, records.subspan(next[b], end - next[b]), store.appender(block.block, block.ids)});
    next[b] = end;
  }
  const auto append = [&](std::size_t i) {
    const std::span<Fetched> columns = runs[i].columns;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c + kColumnsAhead < columns.size() && !columns[c + kColumnsAhead].grows) {
        const std::vector<double>& values = columns[c + kColumnsAhead].values;
        store::fetch(values.data(), values.size() * sizeof(double));
      }
      Fetched& column = columns[c];
      runs[i].appender.append(column.record.at, column.values, column.record.flag, column.grows);
    }
  };
  together(runs.size(), append);
  for (const Run& run : runs) {
    std::optional<Timestamp>& full_at = in_file_[run.block].full_at;
    full_at = std::max(*full_at, run.columns.back().record.at);
  }
  for (std::uint32_t b = 0; b < next.size(); ++b) {
    for (Fetched& left : stretch.blocks[b].all().subspan(next[b])) apply(store, left);
  }
}

std::size_t Player::end_of_full(std::uint32_t block, std::span<const Fetched> records,
                                std::size_t first) const {
  if (block >= in_file_.size() || !in_file_[block].lives || !in_file_[block].full_at) return first;
  Timestamp before = *in_file_[block].full_at;
  std::size_t end = first;
  for (; end < records.size(); ++end) {
    const Fetched& next = records[end];
    const bool is_next = next.record.kind == Kind::Column && next.is_full &&
                         !may_be_forgotten(before, next.record.at);
    if (!is_next) break;
    before = std::max(before, next.record.at);
  }
  return end;
}

void Player::together(std::size_t count, const std::function<void(std::size_t)>& work) const {
  if (options_.together) return options_.together(count, work);
  for (std::size_t i = 0; i < count; ++i) work(i);
}

void Player::apply(store::Store& store, Fetched& fetched) {
  const Reel::Record& record = fetched.record;
  switch (record.kind) {
    case Kind::Run:
    case Kind::Text:
      return;
    case Kind::Block:
      return apply_block(store, record);
    case Kind::Series:
      return apply_series(fetched);
    case Kind::Column:
      return apply_column(store, fetched);
    case Kind::Stale:
      leave_full_columns(in_file_[record.block]);
      if (in_file_[record.block].lives) {
        store.append_stale(in_file_[record.block].block, record.at);
      }
      return;
    case Kind::Sample:
      return apply_sample(store, fetched);
    case Kind::BlockEnd:
      return end_block(in_file_[record.block]);
  }
}

void Player::end_block(BlockInFile& block) {
  if (!block.lives) return;
  ended_.push_back(block.block);
  blocks_.erase(block.number);
  block.lives = false;
}

std::vector<Player::Row>::iterator Player::place_of(std::vector<Row>& rows, std::uint32_t row) {
  return std::lower_bound(rows.begin(), rows.end(), row,
                          [](const Row& r, std::uint32_t n) { return r.row < n; });
}

void Player::apply_sample(store::Store& store, const Fetched& fetched) {
  BlockInFile& block = in_file_[fetched.record.block];
  if (!block.lives || !fetched.wanted) return;
  leave_full_columns(block);
  const auto row = place_of(block.rows, fetched.record.row);
  store.append_sample(series_of(store, block, *row, fetched.record.at), fetched.record.at,
                      fetched.record.value);
}

void Player::apply_block(store::Store& store, const Reel::Record& record) {
  const auto [it, is_new] = blocks_.try_emplace(record.number);
  if (is_new) {
    it->second = store.add_block({.history = options_.history, .synthesize_starts = record.flag});
  }
  BlockInFile block{record.number, it->second, {}, true, {}, std::nullopt, {}};
  for (BlockInFile& other : before_) {
    if (other.number == record.number && other.lives) block.rows_before = std::move(other.rows);
  }
  in_file_.push_back(std::move(block));
}

void Player::apply_series(Fetched& fetched) {
  BlockInFile& block = in_file_[fetched.record.block];
  leave_full_columns(block);
  const std::uint32_t row = fetched.record.row;
  const auto place = place_of(block.rows, row);
  const bool is_there = place != block.rows.end() && place->row == row;
  const auto before = place_of(block.rows_before, row);
  // Each file introduces all of its series; most were in the one before.
  const bool is_known = fetched.wanted && before != block.rows_before.end() && before->row == row &&
                        (fetched.record.again || before->labels == fetched.labels);
  const bool is_told = is_known || fetched.record.again;
  if (!is_told && options_.on_series && block.lives) options_.on_series(fetched.labels);
  if (!fetched.wanted) {
    if (is_there) block.rows.erase(place);
    return;
  }
  Row known = is_known ? std::move(*before)
                       : Row{row, fetched.record.flag, std::move(fetched.labels), 0, std::nullopt};
  if (is_there) {
    *place = std::move(known);
  } else {
    block.rows.insert(place, std::move(known));
  }
}

// The store forgets a series that has had no value for as long as its history.
bool Player::may_be_forgotten(Timestamp last, Timestamp at) const {
  return at - last >= options_.history - 2 * kDisorder;
}

store::SeriesId Player::series_of(store::Store& store, BlockInFile& block, Row& row, Timestamp at) {
  if (!row.last || may_be_forgotten(*row.last, at)) {
    row.series = store.add_series(block.block, row.labels, row.counter);
  }
  row.last = std::max(row.last.value_or(at), at);
  return row.series;
}

void Player::apply_column(store::Store& store, const Fetched& fetched) {
  BlockInFile& block = in_file_[fetched.record.block];
  if (!block.lives) return;
  leave_full_columns(block);
  ids_.clear();
  values_.clear();
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    const double value = fetched.values[i];
    if (store::is_absent(value)) continue;
    ids_.push_back(series_of(store, block, block.rows[i], fetched.record.at));
    values_.push_back(value);
  }
  store.append_column(block.block, fetched.record.at, ids_, values_, fetched.record.flag);
  if (!fetched.is_full) return;
  block.ids = ids_;
  block.full_at = fetched.record.at;
}

void Player::leave_full_columns(BlockInFile& block) {
  if (!block.full_at) return;
  for (Row& row : block.rows)
    row.last = std::max(row.last.value_or(*block.full_at), *block.full_at);
  block.full_at.reset();
}

}  // namespace tocsin::archive
