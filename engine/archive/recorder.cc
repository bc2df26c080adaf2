// SPDX-License-Identifier: Apache-2.0
#include "archive/recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "archive/chunk.h"
#include "tocsin/duration.h"

namespace tocsin::archive {
namespace fs = std::filesystem;
namespace {

// A chunk of this size is worth packing; more waits in memory no longer than until flush().
constexpr std::size_t kPiece = std::size_t{4} << 20;
// What may wait for a disk that does not write.
constexpr std::size_t kMaxPieces = 64;

// "2026-11-23T120000Z.tocsin"
std::string file_name(Timestamp at) {
  std::string name = format_rfc3339(at);
  std::erase(name, ':');
  return name + std::string(kSuffix);
}

Result<void> io_error(const std::string& path) {
  return fail(ErrorCode::Io, path + ": " + std::strerror(errno));
}

}  // namespace

Recorder::Recorder(RecorderOptions options, Timestamp now)
    : options_(std::move(options)), run_(now) {}

Result<std::unique_ptr<Recorder>> Recorder::open(RecorderOptions options, Timestamp now) {
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) return fail(ErrorCode::Io, options.folder + ": " + error.message());
  if (::access(options.folder.c_str(), W_OK) != 0) return fail(io_error(options.folder).error());
  return std::unique_ptr<Recorder>(new Recorder(std::move(options), now));
}

Recorder::~Recorder() { (void)flush(); }

// ---- What is told

void Recorder::add_block(store::BlockId block, const store::BlockOptions& options) {
  const std::lock_guard guard(mutex_);
  auto state = std::make_unique<BlockState>();
  state->number = blocks_made_++;
  state->synthesize_starts = options.synthesize_starts;
  blocks_[block] = std::move(state);
}

void Recorder::remove_block(store::BlockId block) {
  const std::lock_guard guard(mutex_);
  const auto it = blocks_.find(block);
  if (it == blocks_.end()) return;
  if (!ends_file_) {
    const std::uint32_t number = introduce(*it->second);
    put(Kind::BlockEnd);
    put_varint(piece_.records, number);
  }
  for (Place& place : places_) {
    if (place.block == it->second.get()) place = {};
  }
  blocks_.erase(it);
}

void Recorder::add_series(store::BlockId block, store::SeriesId id, const Labels& labels,
                          bool counter) {
  const std::lock_guard guard(mutex_);
  if (id >= places_.size()) places_.resize(id + 1);
  Place& place = places_[id];
  if (place.block) {
    place.block->rows[place.row].labels = {};
    place.block->free_rows.push_back(place.row);
  }
  BlockState& state = *blocks_.at(block);
  place = {&state, static_cast<std::uint32_t>(state.rows.size())};
  if (state.free_rows.empty()) {
    state.rows.emplace_back();
  } else {
    place.row = state.free_rows.back();
    state.free_rows.pop_back();
  }
  state.rows[place.row] = {labels, counter, store::absent_value()};
  state.unknown.push_back(place.row);
}

void Recorder::append_column(store::BlockId block, Timestamp at,
                             std::span<const store::SeriesId> ids, std::span<const double> values,
                             bool restarted) {
  const std::lock_guard guard(mutex_);
  begin_record(at);
  BlockState& state = *blocks_.at(block);
  const std::uint32_t number = introduce(state);
  put(Kind::Column);
  put_varint(piece_.records, number);
  put_time(at);
  put_varint(piece_.records, restarted ? 1 : 0);
  values_.assign(state.rows.size(), store::absent_value());
  for (std::size_t i = 0; i < ids.size(); ++i) values_[places_[ids[i]].row] = values[i];
  put_values(state);
}

void Recorder::append_stale(store::BlockId block, Timestamp at) {
  const std::lock_guard guard(mutex_);
  begin_record(at);
  const std::uint32_t number = introduce(*blocks_.at(block));
  put(Kind::Stale);
  put_varint(piece_.records, number);
  put_time(at);
}

void Recorder::append_sample(store::BlockId block, store::SeriesId id, Timestamp at, double value) {
  const std::lock_guard guard(mutex_);
  begin_record(at);
  BlockState& state = *blocks_.at(block);
  const std::uint32_t number = introduce(state);
  Row& row = state.rows[places_[id].row];
  put(Kind::Sample);
  put_varint(piece_.records, number);
  put_varint(piece_.records, places_[id].row);
  put_time(at);
  put_change(piece_.records, row.before, value);
  row.before = value;
}

// ---- Records

void Recorder::put(Kind kind) { piece_.records.push_back(static_cast<char>(kind)); }

void Recorder::put_time(Timestamp at) {
  put_varint(piece_.records, zigzag((at - last_time_).count()));
  last_time_ = at;
  piece_.newest = std::max(piece_.newest, at);
}

void Recorder::begin_record(Timestamp at) {
  if (ends_file_ || at >= file_end_) begin_file(at);
  if (piece_.records.size() >= kPiece) end_piece();
}

void Recorder::begin_file(Timestamp at) {
  end_piece();
  ends_file_ = false;
  ++file_;
  blocks_in_file_ = 0;
  texts_.clear();
  last_time_ = at;
  // Files of several processes begin and end together.
  const auto length = options_.file_length.count();
  file_end_ = from_millis((to_millis(at) / length + 1) * length);
  piece_.path = (fs::path(options_.folder) / file_name(at)).string();
  piece_.newest = at;
  put(Kind::Run);
  put_varint(piece_.records, static_cast<std::uint64_t>(to_millis(run_)));
  put_varint(piece_.records, static_cast<std::uint64_t>(to_millis(at)));
}

void Recorder::end_piece() {
  if (piece_.records.empty()) return;
  pieces_.push_back({piece_.path, std::move(piece_.records), piece_.newest});
  piece_.records.clear();
  if (pieces_.size() <= kMaxPieces) return;
  pieces_.clear();
  ends_file_ = true;
}

// Its number in the file; all that the file has to know of it is there.
std::uint32_t Recorder::introduce(BlockState& block) {
  if (block.file != file_) {
    block.file = file_;
    block.number_in_file = blocks_in_file_++;
    put(Kind::Block);
    put_varint(piece_.records, block.number_in_file);
    put_varint(piece_.records, block.number);
    put_varint(piece_.records, block.synthesize_starts ? 1 : 0);
    block.unknown.clear();
    for (std::uint32_t row = 0; row < block.rows.size(); ++row) {
      block.rows[row].before = store::absent_value();
      if (!block.rows[row].labels.empty()) block.unknown.push_back(row);
    }
  }
  for (const std::uint32_t row : block.unknown) introduce_series(block, row);
  block.unknown.clear();
  return block.number_in_file;
}

void Recorder::introduce_series(BlockState& block, std::uint32_t row) {
  const Row& series = block.rows[row];
  std::vector<std::uint64_t> texts;
  for (const LabelView& label : series.labels) {
    texts.push_back(text(label.name));
    texts.push_back(text(label.value));
  }
  put(Kind::Series);
  put_varint(piece_.records, block.number_in_file);
  put_varint(piece_.records, row);
  put_varint(piece_.records, series.counter ? 1 : 0);
  put_varint(piece_.records, texts.size() / 2);
  for (const std::uint64_t number : texts) put_varint(piece_.records, number);
}

std::uint64_t Recorder::text(std::string_view text) {
  const auto [it, is_new] = texts_.try_emplace(std::string(text), texts_.size());
  if (is_new) {
    put(Kind::Text);
    put_varint(piece_.records, text.size());
    piece_.records += text;
  }
  return it->second;
}

void Recorder::put_values(BlockState& block) {
  std::string& out = piece_.records;
  const auto changed = [&](std::size_t row) {
    return std::bit_cast<std::uint64_t>(block.rows[row].before) !=
           std::bit_cast<std::uint64_t>(values_[row]);
  };
  put_varint(out, values_.size());
  for (std::size_t row = 0; row < values_.size();) {
    const std::size_t still_from = row;
    while (row < values_.size() && !changed(row)) ++row;
    const std::size_t from = row;
    while (row < values_.size() && changed(row)) ++row;
    put_varint(out, from - still_from);
    put_varint(out, row - from);
    for (std::size_t i = from; i < row; ++i) {
      put_change(out, block.rows[i].before, values_[i]);
      block.rows[i].before = values_[i];
    }
  }
}

// ---- The disk

Result<void> Recorder::flush() {
  const std::lock_guard writing(writing_);
  std::vector<Piece> pieces;
  {
    const std::lock_guard guard(mutex_);
    end_piece();
    pieces.swap(pieces_);
  }
  for (const Piece& piece : pieces) {
    if (const auto written = write(piece); !written) {
      const std::lock_guard guard(mutex_);
      piece_.records.clear();
      pieces_.clear();
      ends_file_ = true;
      return written;
    }
  }
  if (!pieces.empty()) delete_oldest(pieces.back().path);
  return {};
}

Result<void> Recorder::write(const Piece& piece) {
  const int file = ::open(piece.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file < 0) return io_error(piece.path);
  std::string bytes = ::lseek(file, 0, SEEK_END) == 0 ? std::string(kMagic) : "";
  bytes += pack_chunk(piece.records, piece.newest);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t count = ::write(file, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  const auto result = rest.empty() ? Result<void>() : io_error(piece.path);
  ::close(file);
  return result;
}

void Recorder::delete_oldest(const std::string& newest_path) const {
  if (options_.max_bytes == 0) return;
  std::error_code ignored;
  std::vector<fs::path> files;
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(options_.folder, ignored)) {
    if (entry.path().extension() != kSuffix) continue;
    files.push_back(entry.path());
    bytes += entry.file_size(ignored);
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (bytes <= options_.max_bytes || file == newest_path) return;
    bytes -= fs::file_size(file, ignored);
    fs::remove(file, ignored);
  }
}

}  // namespace tocsin::archive
