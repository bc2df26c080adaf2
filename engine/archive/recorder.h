// SPDX-License-Identifier: Apache-2.0
//
// Recorder writes down what comes into a store, as an archive (format.h): compact, bounded, and
// whole but for the last moments after a kill -9. What it is told gathers in memory; flush() brings
// it to the disk.
//
// The Tape's functions on any thread, flush() on one that may wait for the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/format.h"
#include "store/tape.h"
#include "tocsin/result.h"

namespace tocsin::archive {

struct RecorderOptions {
  std::string folder;
  Duration file_length = std::chrono::hours(1);
  // The oldest files are deleted when all together are larger. 0: never.
  std::uint64_t max_bytes = 0;
};

class Recorder : public store::Tape {
 public:
  // Makes the folder. Fails with Io when nothing can be written into it. `now` names the run.
  static Result<std::unique_ptr<Recorder>> open(RecorderOptions options, Timestamp now);
  // Writes what is left, as far as it can.
  ~Recorder() override;

  // Fails with Io; what could not be written is lost then, and what follows goes to a new file.
  Result<void> flush();

  void add_block(store::BlockId block, const store::BlockOptions& options) override;
  void remove_block(store::BlockId block) override;
  void add_series(store::BlockId block, store::SeriesId id, const Labels& labels,
                  bool counter) override;
  void append_column(store::BlockId block, Timestamp at, std::span<const store::SeriesId> ids,
                     std::span<const double> values, bool restarted) override;
  void append_stale(store::BlockId block, Timestamp at) override;
  void append_sample(store::BlockId block, store::SeriesId id, Timestamp at, double value) override;

 private:
  struct Row {
    Labels labels;  // None: the row is free.
    bool counter = false;
    double before = 0;  // As of the last column in the file.
  };
  struct BlockState {
    std::uint64_t number = 0;  // In the run.
    bool synthesize_starts = false;
    std::vector<Row> rows;
    std::vector<std::uint32_t> free_rows;
    std::vector<std::uint32_t> unknown;  // Rows that the file does not know of.
    std::uint32_t file = 0;              // That knows of the block, and its number there.
    std::uint32_t number_in_file = 0;
  };
  struct Place {
    BlockState* block = nullptr;
    std::uint32_t row = 0;
  };
  // Records on their way to a file.
  struct Piece {
    std::string path;
    std::string records;
    Timestamp newest;
  };

  Recorder(RecorderOptions options, Timestamp now);
  void begin_record(Timestamp at);
  void begin_file(Timestamp at);
  void end_piece();
  std::uint32_t introduce(BlockState& block);
  void introduce_series(BlockState& block, std::uint32_t row);
  std::uint64_t text(std::string_view text);
  void put_time(Timestamp at);
  void put_values(BlockState& block);
  void put(Kind kind);
  Result<void> write(const Piece& piece);
  void delete_oldest(const std::string& newest_path) const;

  const RecorderOptions options_;
  const Timestamp run_;
  std::mutex writing_;  // Held by flush(), so that pieces stay in order.
  std::mutex mutex_;    // Guards everything below.
  std::unordered_map<store::BlockId, std::unique_ptr<BlockState>> blocks_;
  std::vector<Place> places_;  // By series.
  std::uint64_t blocks_made_ = 0;
  std::uint32_t file_ = 0;  // Counts the files.
  std::uint32_t blocks_in_file_ = 0;
  bool ends_file_ = true;  // The next record begins another file.
  Timestamp file_end_;
  std::unordered_map<std::string, std::uint64_t> texts_;  // Of the file.
  Timestamp last_time_;                                   // In the file.
  Piece piece_;
  std::vector<Piece> pieces_;
  std::vector<double> values_;
};

}  // namespace tocsin::archive
