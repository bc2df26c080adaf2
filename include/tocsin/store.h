// SPDX-License-Identifier: Apache-2.0
//
// Store holds the last minutes of the series that rules ask for.
//
// Series that are always sampled together (all those of one target) form a block: one column of
// timestamps, and one contiguous column of values per scrape, in a ring as long as the longest
// window that reads it. Appending a scrape is one sequential write; the two ends of a window are
// two sequential reads. Where a series jumps, starts or ends inside a column is noted beside the
// column, so that everything else needs no second look.
//
// Threads: one writer or many readers at a time. Take `auto lock = store.lock_for_write()` before
// changing anything and `lock_for_read()` for as long as a reader is in use; both are short. A
// writer that waits goes before readers that come later.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "tocsin/series_reader.h"
#include "tocsin/text_map.h"

namespace tocsin::store {

using BlockId = std::uint32_t;

// Who makes what is written into a block: the world outside, or rules out of what is there.
enum class Origin : std::uint8_t { Outside, Rules };

struct BlockOptions {
  // How far back samples are kept, measured from the newest one.
  Duration history = std::chrono::minutes(6);
  // A counter that is born on a target which was scraped before starts from 0 at that scrape: the
  // first increment counts. Prometheus 3's start-timestamp synthesis does the same.
  bool synthesize_starts = false;
  Origin origin = Origin::Outside;
};

struct Stats {
  std::size_t series = 0;
  std::size_t blocks = 0;
  std::size_t samples = 0;  // In memory now.
  std::size_t bytes = 0;    // Of columns and labels, about.
};

class Block;   // store/block.h
class Tape;    // store/tape.h
class Window;  // store/window.h

class Store : public SeriesReader {
 public:
  Store();
  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::unique_lock<std::shared_mutex> lock_for_write() const;
  std::shared_lock<std::shared_mutex> lock_for_read() const;

  // Tells `tape` of everything that is written from now on; there is nothing yet. It must outlive
  // the writing.
  void record_on(Tape& tape) { tape_ = &tape; }

  // ---- Writing. Under lock_for_write().

  BlockId add_block(const BlockOptions& options);
  void set_history(BlockId block, Duration history);
  // Forgets the block and its series at once.
  void remove_block(BlockId block);

  // The series with these labels in this block, made if need be. `counter` says that it only grows
  // (see BlockOptions::synthesize_starts).
  SeriesId add_series(BlockId block, const Labels& labels, bool counter);

  // Writes one column: the values of `ids` (all of this block) at `at`, which must be later than
  // the block's newest column; otherwise nothing is written and false is returned. Series of the
  // block that had a value in the previous column and have none now get a stale marker. With
  // `restarted`, the source's counters started anew since the last column, and nothing is
  // synthesised.
  bool append_column(BlockId block, Timestamp at, std::span<const SeriesId> ids,
                     std::span<const double> values, bool restarted = false);

  // Appends columns of the same series to one block.
  class Appender {
   public:
    // As append_column(). Takes the values, one of each series; what is left of them is memory.
    // `grow` says what the caller knows: the last column of the block had a number of each of its
    // series, and none of these is below it.
    bool append(Timestamp at, std::vector<double>& values, bool restarted, bool grow);

   private:
    friend class Store;
    Appender(Store& store, BlockId block, std::span<const SeriesId> ids);

    Store& store_;
    BlockId block_;
    std::vector<std::uint32_t> rows_;
    bool is_all_ = false;  // These are all rows, in order.
  };
  // Of a store that is not recorded. From now until it has been used for the last time, no series
  // of the block may come or go, and nobody reads; other appenders may be used on other threads, of
  // other blocks.
  Appender appender(BlockId block, std::span<const SeriesId> ids) { return {*this, block, ids}; }

  // Writes stale markers for every living series of the block: a scrape failed, or a target is
  // gone.
  void append_stale(BlockId block, Timestamp at);

  // Writes one sample at its own timestamp, in any order; nothing else of the block is touched.
  // For federation, remote write, captured history. False if it is older than the block's history
  // or if that instant has a different value already.
  bool append_sample(SeriesId id, Timestamp at, double value);
  // The same for a native histogram.
  bool append_histogram(SeriesId id, Timestamp at, HistogramPtr histogram);

  // Drops columns and dead series that are older than the block's history before `now`.
  void collect_garbage(Timestamp now);

  // ---- Reading. Under lock_for_read().

  std::uint64_t version(std::string_view name) const override;
  std::optional<std::span<const SeriesChange>> changes_since(std::string_view name,
                                                             std::uint64_t version) const override;
  std::vector<SeriesId> select(const Matchers& matchers) const override;
  const Labels& labels(SeriesId id) const override;
  void read(SeriesId id, Timestamp after, Timestamp upto, std::vector<Sample>& out) const override;
  void read_windows(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                    Windows& out) const override;
  void read_latest(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                   std::span<double> values, std::span<std::int64_t> times) const override;
  void read_latest_ahead(std::span<const SeriesId> ids, Duration lookback, Timestamp first,
                         Duration step, std::span<std::vector<double>> values) const override;
  std::uint64_t written(std::uint32_t block) const override { return written_[block]; }
  std::vector<RowRun> runs_of(std::span<const SeriesId> ids) const override;
  std::shared_ptr<const WindowReader> window(std::size_t runs, Timestamp after,
                                             Timestamp upto) const override;
  std::size_t read_ends_ahead(std::span<const RowRun> runs, std::span<const Interval> windows,
                              std::span<EndsBatch> out) const override;
  void read_grid(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                 Grid& out) const override;
  bool has_histograms() const override { return has_histograms_; }
  void read_histograms(SeriesId id, Timestamp after, Timestamp upto,
                       std::vector<HistogramSample>& out) const override;
  void read_latest_histograms(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                              std::span<HistogramPtr> histograms,
                              std::span<std::int64_t> times) const override;

  Stats stats() const;
  // Number of living series per metric name, for the page and /metrics.
  std::map<std::string, std::size_t> series_by_name() const;

 private:
  struct Entry {
    Labels labels;
    std::uint32_t place = 0;  // In NameEntry::ids.
  };
  // Where a series' samples are. Apart from the rest, because evaluations read nothing else.
  struct Place {
    BlockId block = 0;
    std::uint32_t row = 0;
  };
  struct NameEntry {
    std::vector<SeriesId> ids;
    std::uint64_t version = 1;
    std::vector<SeriesChange> changes;  // The last ones, up to `version`.

    void note(SeriesChange change);
  };

  NameEntry& entry_of(std::string_view name);
  void forget_series(SeriesId id);
  std::vector<SeriesId> by_block(std::vector<SeriesId> ids) const;
  const double* newest_value(const Place& place) const;
  void fetch_latest(std::span<const SeriesId> ids) const;
  std::span<const std::uint32_t> rows_together(std::span<const SeriesId> ids,
                                               std::span<std::uint32_t> room) const;
  Block& block_of(BlockId id);
  // A column has been written.
  void note_newest(BlockId id);
  // Who is to be told of what happens to the block; null: nobody.
  Tape* tape_of(BlockId id) const;

  mutable std::mutex turn_;  // Held by the writer that waits for mutex_, so that readers queue up.
  mutable std::shared_mutex mutex_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::uint64_t> written_;  // Of blocks_: which of the writes was the last.
  std::uint64_t writes_ = 0;
  // Of blocks_: the newest column, where the last write was one. Evaluations that read one sample
  // of many blocks find it here, side by side.
  struct Newest {
    const double* values = nullptr;  // By row; null: ask the block.
    std::int64_t at_ms = 0;
    std::uint32_t size = 0;
  };
  std::vector<Newest> newest_;
  std::vector<BlockId> free_blocks_;
  std::vector<Entry> series_;
  std::vector<Place> places_;  // Of series_.
  std::vector<SeriesId> free_series_;
  TextMap<NameEntry> names_;
  // By hash of labels and block, to find a series again.
  std::unordered_multimap<std::uint64_t, SeriesId> by_identity_;
  std::uint64_t version_ = 1;
  bool has_histograms_ = false;              // Once there was one.
  std::vector<std::uint32_t> scratch_rows_;  // Of append_column().
  // Those that were read much of since something was written.
  mutable std::mutex windows_mutex_;
  mutable std::vector<std::shared_ptr<const Window>> windows_;
  Tape* tape_ = nullptr;
};

}  // namespace tocsin::store
