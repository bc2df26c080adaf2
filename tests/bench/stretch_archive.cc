// SPDX-License-Identifier: Apache-2.0
//
// stretch_archive makes a long archive out of a short one, because a week of a large mesh takes
// hours to simulate: the short one is written again and again, each time later by its length.
// Counters go on from where they were, moments in time (`*_timestamp_seconds`) move with it.
//
//   stretch_archive SHORT LONG TIMES
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "archive/recorder.h"
#include "archive/reel.h"
#include "base/file.h"
#include "tocsin/series_reader.h"

namespace tocsin {
namespace {

namespace fs = std::filesystem;

// One round of writing: a store's tape is told what the reels say, later and with higher counters.
class Round {
 public:
  struct Series {
    store::SeriesId id = 0;
    bool counter = false;
    bool moment = false;
    double first = store::absent_value();
    double last = store::absent_value();
    double before = 0;  // What all rounds before this one have counted.
  };
  struct Block {
    store::BlockId id = 0;
    std::vector<Series> rows;
  };

  Round(archive::Recorder& recorder, std::vector<Block>& blocks, Duration later)
      : recorder_(recorder), blocks_(blocks), later_(later) {}

  bool play(const std::string& path) {
    auto bytes = read_file(path);
    auto reel =
        bytes ? archive::Reel::open(std::move(*bytes)) : Result<archive::Reel>(fail(bytes.error()));
    if (!reel) return false;
    in_file_.clear();
    while (const archive::Reel::Record* record = reel->next()) take(*record, *reel);
    return true;
  }

 private:
  void take(const archive::Reel::Record& record, const archive::Reel& reel) {
    switch (record.kind) {
      case archive::Kind::Block:
        in_file_.push_back(record.number);
        if (record.number >= blocks_.size()) blocks_.resize(record.number + 1);
        if (blocks_[record.number].rows.empty() && blocks_[record.number].id == 0) {
          blocks_[record.number].id = static_cast<store::BlockId>(record.number + 1);
          recorder_.add_block(blocks_[record.number].id, {.synthesize_starts = record.flag});
        }
        return;
      case archive::Kind::Series:
        return take_series(record, reel.labels());
      case archive::Kind::Column:
        return take_column(record, reel.values(record.block));
      case archive::Kind::Stale:
        return recorder_.append_stale(block(record).id, record.at + later_);
      default:
        return;
    }
  }

  Block& block(const archive::Reel::Record& record) { return blocks_[in_file_[record.block]]; }

  void take_series(const archive::Reel::Record& record, const Labels& labels) {
    Block& in = block(record);
    if (record.row >= in.rows.size()) in.rows.resize(record.row + 1);
    Series& series = in.rows[record.row];
    if (series.id != 0) return;
    series.id = ++next_id;
    series.counter = record.flag;
    series.moment = labels.metric_name().ends_with("_timestamp_seconds");
    recorder_.add_series(in.id, series.id, labels, record.flag);
  }

  void take_column(const archive::Reel::Record& record, const std::vector<double>& values) {
    Block& in = block(record);
    ids_.clear();
    values_.clear();
    for (std::size_t row = 0; row < in.rows.size() && row < values.size(); ++row) {
      if (store::is_absent(values[row]) || in.rows[row].id == 0) continue;
      ids_.push_back(in.rows[row].id);
      values_.push_back(later(in.rows[row], values[row]));
    }
    recorder_.append_column(in.id, record.at + later_, ids_, values_, record.flag);
  }

  double later(Series& series, double value) const {
    if (series.moment) return value + to_seconds(later_);
    if (!series.counter) return value;
    if (store::is_absent(series.first)) series.first = value;
    series.last = value;
    return value + series.before;
  }

  archive::Recorder& recorder_;
  std::vector<Block>& blocks_;
  const Duration later_;
  std::vector<std::uint64_t> in_file_;
  std::vector<store::SeriesId> ids_;
  std::vector<double> values_;

 public:
  static inline store::SeriesId next_id = 0;
};

int stretch(const std::string& from, const std::string& into, int times) {
  const std::vector<std::string> files = glob_files(from + "/*.tocsin");
  if (files.empty()) return 1;
  Timestamp oldest = Timestamp::max();
  Timestamp newest{};
  for (const std::string& file : files) {
    auto reel = archive::Reel::open(*read_file(file));
    while (const auto* record = reel->next()) {
      if (record->kind != archive::Kind::Column) continue;
      oldest = std::min(oldest, record->at);
      newest = std::max(newest, record->at);
    }
  }
  const Duration length = std::chrono::ceil<std::chrono::minutes>(newest - oldest);
  auto recorder = archive::Recorder::open({.folder = into}, oldest);
  if (!recorder) return 1;
  std::vector<Round::Block> blocks;
  for (int round = 0; round < times; ++round) {
    for (Round::Block& block : blocks) {
      for (Round::Series& series : block.rows) {
        if (!store::is_absent(series.first)) series.before += series.last - series.first;
      }
    }
    Round playing(**recorder, blocks, round * length);
    for (const std::string& file : files) {
      if (!playing.play(file) || !(*recorder)->flush()) return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace tocsin

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: stretch_archive SHORT LONG TIMES\n";
    return 2;
  }
  return tocsin::stretch(argv[1], argv[2], std::stoi(argv[3]));
}
