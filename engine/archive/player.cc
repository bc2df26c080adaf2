// SPDX-License-Identifier: Apache-2.0
#include "archive/player.h"

#include <algorithm>
#include <filesystem>

#include "archive/chunk.h"
#include "base/file.h"

namespace tocsin::archive {
namespace fs = std::filesystem;
namespace {

// How much later than another's record one may come that is of an earlier moment.
constexpr Duration kDisorder = std::chrono::minutes(1);

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
  in_file_.clear();
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

Player::Played Player::play(store::Store& store, Timestamp upto) {
  if (run_began_) begin_run(store);
  while (reel_ || next_reel()) {
    const Reel::Record* record = reel_->next();
    if (!record) {
      if (!next_reel()) break;
      continue;
    }
    if (record->kind == Kind::Run && record->run != run_) {
      const bool is_first = run_ == 0;
      run_ = record->run;
      if (is_first) continue;
      run_began_ = record->at;
      return {last_, record->at};
    }
    apply(store, *record);
    last_ = std::max(last_, record->at);
    if (last_ > upto + kDisorder) break;
  }
  return {last_, std::nullopt};
}

// What was in the memory of the process before is not in that of the next.
void Player::begin_run(store::Store& store) {
  for (const auto& [number, block] : blocks_) store.remove_block(block);
  blocks_.clear();
  run_began_.reset();
}

void Player::apply(store::Store& store, const Reel::Record& record) {
  switch (record.kind) {
    case Kind::Run:
    case Kind::Text:
      return;
    case Kind::Block:
      return apply_block(store, record);
    case Kind::Series:
      return apply_series(record);
    case Kind::Column:
      return apply_column(store, record);
    case Kind::Stale:
      if (lives(record.block)) store.append_stale(in_file_[record.block].block, record.at);
      return;
    case Kind::Sample:
      return apply_sample(store, record);
    case Kind::BlockEnd:
      if (!lives(record.block)) return;
      store.remove_block(in_file_[record.block].block);
      blocks_.erase(in_file_[record.block].number);
      return;
  }
}

bool Player::lives(std::uint32_t block) const {
  return blocks_.find(in_file_[block].number) != blocks_.end();
}

void Player::apply_sample(store::Store& store, const Reel::Record& record) {
  const std::vector<Row>& rows = in_file_[record.block].rows;
  if (!lives(record.block) || record.row >= rows.size() || rows[record.row].labels.empty()) return;
  const store::SeriesId series = series_of(store, record.block, record.row, record.at);
  store.append_sample(series, record.at, record.value);
}

void Player::apply_block(store::Store& store, const Reel::Record& record) {
  const auto [it, is_new] = blocks_.try_emplace(record.number);
  if (is_new) {
    it->second = store.add_block({.history = options_.history, .synthesize_starts = record.flag});
  }
  in_file_.push_back({record.number, it->second, {}, {}});
}

void Player::apply_series(const Reel::Record& record) {
  BlockInFile& block = in_file_[record.block];
  if (!lives(record.block)) return;
  const Labels& labels = reel_->labels();
  if (options_.on_series) options_.on_series(labels);
  if (record.row >= block.rows.size()) block.rows.resize(record.row + 1);
  const bool wanted = !options_.wants || options_.wants(labels);
  Row& row = block.rows[record.row];
  const auto place = std::lower_bound(block.wanted.begin(), block.wanted.end(), record.row);
  const bool was_wanted = place != block.wanted.end() && *place == record.row;
  if (wanted && !was_wanted) block.wanted.insert(place, record.row);
  if (!wanted && was_wanted) block.wanted.erase(place);
  row = wanted ? Row{labels, record.flag, 0, std::nullopt} : Row{};
}

// The store forgets a series that has had no value for as long as its history.
store::SeriesId Player::series_of(store::Store& store, std::uint32_t block, std::uint32_t row,
                                  Timestamp at) {
  Row& known = in_file_[block].rows[row];
  if (!known.last || at - *known.last >= options_.history - 2 * kDisorder) {
    known.series = store.add_series(in_file_[block].block, known.labels, known.counter);
  }
  known.last = std::max(known.last.value_or(at), at);
  return known.series;
}

void Player::apply_column(store::Store& store, const Reel::Record& record) {
  const BlockInFile& block = in_file_[record.block];
  if (!lives(record.block)) return;
  const std::vector<double>& rows = reel_->values(record.block);
  ids_.clear();
  values_.clear();
  for (const std::uint32_t row : block.wanted) {
    if (row >= rows.size() || store::is_absent(rows[row])) continue;
    ids_.push_back(series_of(store, record.block, row, record.at));
    values_.push_back(rows[row]);
  }
  store.append_column(block.block, record.at, ids_, values_, record.flag);
}

}  // namespace tocsin::archive
