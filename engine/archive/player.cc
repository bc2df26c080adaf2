// SPDX-License-Identifier: Apache-2.0
#include "archive/player.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "archive/chunk.h"
#include "base/file.h"

namespace tocsin::archive {
namespace fs = std::filesystem;
namespace {

// How much later than another's record one may come that is of an earlier moment.
constexpr Duration kDisorder = std::chrono::minutes(1);
constexpr std::size_t kMostSpare = 100'000;

std::vector<std::string> files_of(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return {path};
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (entry.path().extension() == kSuffix) out.push_back(entry.path().string());
  }
  return out;
}

// Of the last chunk that is whole.
Timestamp newest_of(std::string_view file, Timestamp oldest) {
  Timestamp newest = oldest;
  file.remove_prefix(kMagic.size());
  for (auto head = read_head(file); head; head = read_head(file)) {
    newest = std::max(newest, head->newest);
    file.remove_prefix(head->size);
  }
  return newest;
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
  for (const std::string& path : paths) {
    for (const std::string& file : files_of(path)) {
      if (auto added = player.add(file); !added) return fail(added.error().in(file));
    }
  }
  if (player.files_.empty()) return fail(ErrorCode::NotFound, "there is nothing in the archive");
  std::sort(player.files_.begin(), player.files_.end(), [](const File& a, const File& b) {
    return std::tie(a.oldest, a.path) < std::tie(b.oldest, b.path);
  });
  return player;
}

Result<void> Player::add(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) return fail(bytes.error());
  const auto oldest_in = [&]() -> Result<Timestamp> {
    auto reel = Reel::open(*bytes);
    if (!reel) return fail(reel.error());
    const Reel::Record* first = reel->next();
    if (!first) return Timestamp{};
    return first->at;
  }();
  if (!oldest_in) return fail(oldest_in.error());
  if (*oldest_in == Timestamp{}) {
    damage_.push_back(path + ": nothing in it can be read");
    return {};
  }
  files_.push_back({path, *oldest_in, newest_of(*bytes, *oldest_in)});
  return {};
}

Timestamp Player::newest() const {
  Timestamp newest = files_.front().newest;
  for (const File& file : files_) newest = std::max(newest, file.newest);
  return newest;
}

void Player::skip_to(Timestamp from) {
  while (next_file_ + 1 < files_.size() && files_[next_file_].newest < from) ++next_file_;
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
    auto reel = bytes ? Reel::open(std::move(*bytes)) : Result<Reel>(fail(bytes.error()));
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
  Fetched fetched{*record, std::exchange(begins_file_, false), false, {}, {}};
  switch (record->kind) {
    case Kind::Block:
      wants_.emplace_back();
      break;
    case Kind::Series:
      fetch_series(fetched);
      break;
    case Kind::Column: {
      const std::vector<double>& all = reel_->values(record->block);
      if (!spare_.empty()) {
        fetched.values = std::move(spare_.back());
        spare_.pop_back();
        fetched.values.clear();
      }
      const std::vector<std::uint32_t>& wanted = wants_[record->block];
      if (wanted.size() == all.size()) {
        fetched.values.assign(all.begin(), all.end());
        break;
      }
      for (const std::uint32_t row : wanted) {
        fetched.values.push_back(row < all.size() ? all[row] : store::absent_value());
      }
      break;
    }
    case Kind::Sample: {
      const auto& wanted = wants_[record->block];
      fetched.wanted = std::binary_search(wanted.begin(), wanted.end(), record->row);
      break;
    }
    default:
      break;
  }
  last_fetched_ = std::max(last_fetched_, record->at);
  fetched_.push_back(std::move(fetched));
  return true;
}

void Player::fetch_series(Fetched& fetched) {
  const std::uint32_t row = fetched.record.row;
  fetched.labels = reel_->labels();
  fetched.wanted = !options_.wants || options_.wants(fetched.labels);
  std::vector<std::uint32_t>& wanted = wants_[fetched.record.block];
  const auto place = std::lower_bound(wanted.begin(), wanted.end(), row);
  const bool was_wanted = place != wanted.end() && *place == row;
  if (fetched.wanted && !was_wanted) wanted.insert(place, row);
  if (!fetched.wanted && was_wanted) wanted.erase(place);
}

// ---- Writing

Player::Played Player::play(store::Store& store, Timestamp upto) {
  if (run_began_) begin_run(store);
  while (!fetched_.empty() || fetch_one()) {
    Fetched fetched = std::move(fetched_.front());
    fetched_.pop_front();
    if (fetched.begins_file) {
      before_ = std::exchange(in_file_, {});
      for (BlockInFile& block : before_) leave_full_columns(block);
    }
    const Reel::Record& record = fetched.record;
    if (record.kind == Kind::Run && record.run != run_) {
      const bool is_first = run_ == 0;
      run_ = record.run;
      if (is_first) continue;
      run_began_ = record.at;
      return {last_, record.at};
    }
    apply(store, fetched);
    last_ = std::max(last_, record.at);
    if (last_ > upto + kDisorder) break;
  }
  return {last_, std::nullopt};
}

// What was in the memory of the process before is not in that of the next.
void Player::begin_run(store::Store& store) {
  for (const auto& [number, block] : blocks_) store.remove_block(block);
  blocks_.clear();
  before_.clear();
  for (BlockInFile& block : in_file_) block.lives = false;
  run_began_.reset();
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
      apply_column(store, fetched);
      if (spare_.size() < kMostSpare) spare_.push_back(std::move(fetched.values));
      return;
    case Kind::Stale:
      if (in_file_[record.block].lives) {
        store.append_stale(in_file_[record.block].block, record.at);
      }
      return;
    case Kind::Sample:
      return apply_sample(store, fetched);
    case Kind::BlockEnd:
      return end_block(store, in_file_[record.block]);
  }
}

void Player::end_block(store::Store& store, BlockInFile& block) {
  if (!block.lives) return;
  store.remove_block(block.block);
  blocks_.erase(block.number);
  for (BlockInFile& other : in_file_) {
    if (other.number == block.number) other.lives = false;
  }
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
                        before->labels == fetched.labels;
  if (!is_known && options_.on_series && block.lives) options_.on_series(fetched.labels);
  if (!fetched.wanted) {
    if (is_there) block.rows.erase(place);
    return;
  }
  Row known = is_known ? *before
                       : Row{row, fetched.record.flag, std::move(fetched.labels), 0, std::nullopt};
  if (is_there) {
    *place = std::move(known);
  } else {
    block.rows.insert(place, std::move(known));
  }
}

// The store forgets a series that has had no value for as long as its history.
store::SeriesId Player::series_of(store::Store& store, BlockInFile& block, Row& row, Timestamp at) {
  if (!row.last || at - *row.last >= options_.history - 2 * kDisorder) {
    row.series = store.add_series(block.block, row.labels, row.counter);
  }
  row.last = std::max(row.last.value_or(at), at);
  return row.series;
}

void Player::apply_column(store::Store& store, const Fetched& fetched) {
  BlockInFile& block = in_file_[fetched.record.block];
  if (!block.lives || apply_full_column(store, block, fetched)) return;
  ids_.clear();
  values_.clear();
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    const double value = fetched.values[i];
    if (store::is_absent(value)) continue;
    ids_.push_back(series_of(store, block, block.rows[i], fetched.record.at));
    values_.push_back(value);
  }
  store.append_column(block.block, fetched.record.at, ids_, values_, fetched.record.flag);
  if (ids_.size() != block.rows.size()) return;
  block.ids = ids_;
  block.full_at = fetched.record.at;
}

// Most columns have the series of the one before, each with a value.
bool Player::apply_full_column(store::Store& store, BlockInFile& block, const Fetched& fetched) {
  if (!block.full_at) return false;
  const Timestamp at = fetched.record.at;
  const bool is_full = std::none_of(fetched.values.begin(), fetched.values.end(), store::is_absent);
  if (!is_full || at - *block.full_at >= options_.history - 2 * kDisorder) {
    leave_full_columns(block);
    return false;
  }
  store.append_column(block.block, at, block.ids, fetched.values, fetched.record.flag);
  block.full_at = std::max(*block.full_at, at);
  return true;
}

void Player::leave_full_columns(BlockInFile& block) {
  if (!block.full_at) return;
  for (Row& row : block.rows)
    row.last = std::max(row.last.value_or(*block.full_at), *block.full_at);
  block.full_at.reset();
}

}  // namespace tocsin::archive
