// SPDX-License-Identifier: Apache-2.0
//
// Player writes what a Recorder wrote down into another store, up to any moment: that store then
// answers as the recorded one did at that moment. What is damaged is left out and said.
//
// One thread; but fetch() may be called on another while nobody else calls anything.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/extent.h"
#include "archive/reel.h"
#include "tocsin/result.h"
#include "tocsin/store.h"

namespace tocsin::archive {

struct PlayerOptions {
  // Which series are wanted (asked once, and remembered), and for how long each is kept. Null: all
  // of them.
  std::function<bool(const Labels&)> wants;
  Duration history = std::chrono::minutes(10);
  // Told of each series, wanted or not, and again where a file is not like the one before. May be
  // null.
  std::function<void(const Labels&)> on_series;
  // Calls `work` with 0, 1, … up to `count`, without it, on as many threads as it likes, and
  // returns when all is done. Null: play() does everything on its own thread.
  using Together =
      std::function<void(std::size_t count, const std::function<void(std::size_t)>& work)>;
  Together together;
};

class Player {
 public:
  // The archive of a folder, or of single files. Fails with NotFound where there is none, with Io
  // when one cannot be read, with Parse when a file is no archive at all.
  static Result<Player> open(const std::vector<std::string>& paths, PlayerOptions options);
  Player(Player&&) noexcept;
  Player& operator=(Player&&) noexcept;
  ~Player();

  Timestamp oldest() const { return files_.front().extent.oldest; }
  Timestamp newest() const;

  // Leaves out what is of no use to somebody who needs nothing older than `from`. Before play().
  void skip_to(Timestamp from);

  // Unpacks what play() will write until `upto`, so that it need not. Touches no store, and tells
  // nobody of series.
  void fetch(Timestamp upto);

  // Writes everything until `upto`, that moment included, and a little more: targets write out of
  // step. What has been unpacked is written in any case. Where the process that recorded was
  // replaced by another, it returns early; what the old one had in memory goes with the next call.
  struct Played {
    Timestamp last;                            // Of the newest record that was written.
    std::optional<Timestamp> other_begins_at;  // When the other process began.
  };
  Played play(store::Store& store, Timestamp upto);

  // Sentences: which file is damaged, where, and what became of it.
  const std::vector<std::string>& damage() const { return damage_; }

 private:
  struct File {
    std::string path;
    Extent extent;
  };

  // A record that has been unpacked.
  struct Fetched {
    Reel::Record record;
    bool wanted = false;         // Of a Series or a Sample.
    Labels labels;               // Of a Series.
    std::vector<double> values;  // Of a Column: of the rows that are wanted.
    bool is_full = false;        // Of a Column: each of them has a value,
    bool grows = false;          // and none is below the one before.
  };
  // Those of one block, in order. Clearing it keeps their memory for the next ones.
  class Records {
   public:
    Fetched& add();
    // Asks for the memory of the record that add() will give next, and of what it has had.
    void fetch_next() const;
    void fetch_values_of_next() const;
    void clear() { count_ = 0; }
    std::span<Fetched> all() { return std::span(records_).first(count_); }

   private:
    std::vector<Fetched> records_;
    std::size_t count_ = 0;
  };
  // Records of one file and one run, block by block: those of a block are written together, while
  // what they write to is at hand. Blocks do not know of one another.
  struct Stretch {
    bool begins_file = false;
    std::optional<Reel::Record> run;  // That begins with it.
    std::vector<Records> blocks;
    Timestamp last{};  // Of its newest record.

    void clear();  // Keeps its memory.
  };
  // A series that is wanted.
  struct Row {
    std::uint32_t row = 0;
    bool counter = false;
    Labels labels;
    store::SeriesId series = 0;
    std::optional<Timestamp> last;  // Once it has had a value.
  };
  struct BlockInFile {
    std::uint64_t number = 0;
    store::BlockId block = 0;
    std::vector<Row> rows;  // In order.
    bool lives = false;
    // Of all rows, while each column has a value of each of them.
    std::vector<store::SeriesId> ids;
    std::optional<Timestamp> full_at;  // The last such column; nothing: the last was none.
    std::vector<Row> rows_before;      // Those of the same block in the file before.
  };

  explicit Player(PlayerOptions options);
  void add(std::string path, const Extent& extent);
  bool next_reel();
  bool fetch_one();
  Stretch& stretch_of(const Reel::Record& record);
  bool wants(const Labels& labels) const;
  void fetch_series(Fetched& fetched);
  void fetch_column(Fetched& fetched);
  // Asks for the memory that the records after this one will be put into.
  void fetch_ahead(const Stretch& stretch, std::uint32_t block) const;
  static std::vector<Row>::iterator place_of(std::vector<Row>& rows, std::uint32_t row);
  bool begins_other_run(Stretch& stretch);
  void apply(store::Store& store, Stretch& stretch);
  // Of a block's records, those from `first` on that full columns allow to be written apart: where
  // they end.
  std::size_t end_of_full(std::uint32_t block, std::span<const Fetched> records,
                          std::size_t first) const;
  void apply(store::Store& store, Fetched& fetched);
  void apply_block(store::Store& store, const Reel::Record& record);
  void apply_series(Fetched& fetched);
  void apply_sample(store::Store& store, const Fetched& fetched);
  void apply_column(store::Store& store, const Fetched& fetched);
  static void leave_full_columns(BlockInFile& block);
  void together(std::size_t count, const std::function<void(std::size_t)>& work) const;
  void end_block(BlockInFile& block);
  void remove_ended(store::Store& store);
  bool may_be_forgotten(Timestamp last, Timestamp at) const;
  store::SeriesId series_of(store::Store& store, BlockInFile& block, Row& row, Timestamp at);

  PlayerOptions options_;
  std::vector<File> files_;
  std::vector<std::string> damage_;

  // What is read.
  std::size_t next_file_ = 0;
  std::optional<Reel> reel_;                       // The file that is being read.
  bool begins_file_ = false;                       // Nothing of it has been.
  std::vector<std::vector<std::uint32_t>> wants_;  // Rows, in order, by block of the file.
  Timestamp last_fetched_{};
  std::deque<Stretch> fetched_;
  std::vector<Stretch> spare_stretches_;  // Memory of those that have been written.
  std::unique_ptr<Roll> roll_ = std::make_unique<Roll>();

  // What is written.
  std::optional<Timestamp> run_began_;  // Another run, that nobody knows of yet.
  std::uint64_t run_ = 0;
  Timestamp last_{};
  std::map<std::uint64_t, store::BlockId> blocks_;  // Of the run, by number.
  std::vector<store::BlockId> ended_;               // The next play() forgets them.
  std::vector<BlockInFile> in_file_;
  std::vector<BlockInFile> before_;  // Of the file before.
  std::vector<store::SeriesId> ids_;
  std::vector<double> values_;
};

// Whether the path is an archive: a folder with *.tocsin in it, or such a file.
bool is_archive(const std::string& path);

}  // namespace tocsin::archive
