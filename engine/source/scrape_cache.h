// SPDX-License-Identifier: Apache-2.0
//
// ScrapeCache remembers what became of each line of a target's page, so that a page that looks like
// the last one is read without decoding a label. A line is known by the hash of its series' text;
// the line that came next the last time is tried first.
//
// It decides what is kept (KeepFilter, metric_relabel_configs, limits) and leaves the storing to
// TargetStore, which tells it the ids. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/slots.h"
#include "source/keep_filter.h"
#include "source/sample_labels.h"
#include "source/scrape_config.h"
#include "tocsin/exposition.h"
#include "tocsin/store.h"

namespace tocsin::source {

// What a target may have where nothing is configured: lines on a page, and series of metrics that
// somebody asks for, those that have gone in the last minutes included. Differs from Prometheus,
// which a single target can drive out of memory. A larger sample_limit raises both.
inline constexpr std::size_t kMostLines = 10'000'000;
inline constexpr std::size_t kMostSeries = 2'000'000;

// What every sample of a job goes through. Immutable; a reload makes a new one.
struct SampleRules {
  bool honor_labels = false;
  bool honor_timestamps = true;
  ScrapeLimits limits;
  std::size_t most_lines = kMostLines;
  std::size_t most_series = kMostSeries;
  Relabeler relabel;
  std::shared_ptr<const KeepFilter> filter;

  // Whether lines that nobody asks for must be decoded too, because a limit or a count is about
  // them, or because relabelling may turn them into something that is asked for.
  bool reads_everything() const;
};

// Why samples of an accepted page are not stored.
struct DropCounts {
  std::size_t duplicate = 0;
  std::size_t out_of_order = 0;
  std::size_t too_far_ahead = 0;
};

// A page, read. Entries are numbers of the cache.
struct Digest {
  using EntryId = std::uint32_t;
  struct Reading {
    EntryId entry;
    double value;
  };
  struct TimedReading {  // With a timestamp of its own.
    EntryId entry;
    double value;
    Timestamp at;
  };
  struct Birth {
    EntryId entry;
    Labels labels;
    bool timed = false;
  };

  std::vector<Reading> readings;
  std::vector<TimedReading> timed;
  std::vector<Birth> births;  // Entries among the above that have no series yet.
  std::size_t scraped = 0;    // Lines with samples.
  std::size_t passed = 0;    // Those that metric_relabel_configs left, as far as they were decoded.
  Duration history{0};       // The longest that a newborn series needs.
  double process_start = 0;  // Of the page's process_start_time_seconds; 0 when it has none.
  DropCounts drops;

  void clear();
};

class ScrapeCache {
 public:
  using EntryId = Digest::EntryId;

  struct Entry {
    std::uint64_t hash = 0;  // Of the series' text; 0 in a free entry.
    std::uint32_t size = 0;
    std::uint32_t position = 0;  // In the last page.
    std::uint32_t seen = 0;      // Number of the last page that had it.
    store::SeriesId series = 0;  // When Live.
    std::uint32_t group = 0;     // TargetStore's, for series with timestamps.
    enum class State : std::uint8_t { Free, Born, Live, Unwanted, Relabelled, Duplicate } state{};
    bool counter = false;
    bool process_start = false;   // Its value goes into Digest::process_start.
    std::int64_t written_ms = 0;  // Of its sample in the store; 0 when there is none yet.
  };

  // A series id is trusted for `trust` after its last sample; it must be less than the store's
  // history, which may give the id to another series after that.
  ScrapeCache(Labels target_labels, Duration trust);
  void set_trust(Duration trust) { trust_ = trust; }

  // Forgets everything if `rules` are others than before, and says whether they are.
  bool use(std::shared_ptr<const SampleRules> rules);

  // Reads a page. On an error (Parse, Limit) it is as if the page had never come.
  Result<void> digest(std::string_view page, exposition::Dialect dialect, Timestamp at,
                      Digest& out);

  Entry& entry(EntryId id) { return entries_[id]; }
  // Whether the last page had it.
  bool is_present(EntryId id) const { return entries_[id].seen == page_number_; }

  // Whether the entry's series id still names its series at `at`.
  bool is_trusted(const Entry& entry, Timestamp at) const;

  // Gives a newborn entry its series; whoever writes its first sample sets `written_ms`. When
  // another line of the page has the series, too, the later one of them is a Duplicate. One of an
  // earlier page that is not on this one is forgotten: the series has changed its words.
  void settle(EntryId id, store::SeriesId series);

  // Forgets lines that have not been seen for a while. Cheap: looks only now and then.
  void sweep(Timestamp at);

  std::size_t size() const { return index_.size(); }

 private:
  using State = Entry::State;

  // The entry of a line of a metric that nobody asks for: none.
  static constexpr EntryId kUnwanted = 0xffffffff;

  // A line of the last page, at its place.
  struct Place {
    EntryId entry = 0;
    exposition::KnownKey key;  // None if it brought a timestamp.
  };

  Result<void> read(exposition::PageReader& reader, Timestamp at, Digest& out);
  bool read_expected(exposition::PageReader& reader, Timestamp at, Digest& out);
  bool pass_unwanted(exposition::PageReader& reader, const Place& place, Digest& out);
  void note_unwanted(const exposition::PageSample& sample);
  bool is_interesting(std::string_view name);
  Result<void> read_sample(const exposition::PageSample& sample, Timestamp at, Digest& out);
  std::size_t at_least_limit(std::size_t most) const;
  void take(EntryId id, double value, Digest& out);
  void take_timed(EntryId id, double value, Timestamp at, Timestamp now, Digest& out);
  void leave_order();
  EntryId find(const exposition::PageSample& sample, bool timed);
  Result<void> resolve(EntryId id, const exposition::PageSample& sample, Digest& out);
  Result<Labels> labels_of(const exposition::PageSample& sample);
  std::optional<Labels> labels_of_next_bucket(const exposition::PageSample& sample);
  const Labels& bound_of(const exposition::PageSample& sample, std::string_view text);
  void note_bucket(const exposition::PageSample& sample, const Labels& labels);
  void keep_order();
  void undo(const Digest& digest);
  void forget(EntryId id);

  struct SameHash {
    std::size_t operator()(std::uint64_t hash) const { return hash; }
  };

  Labels target_labels_;
  // What the buckets of the last histogram have in common, and the text of it that ends where `le`
  // begins; empty if there is no such text.
  Labels bucket_labels_;
  std::string bucket_text_;
  // What is a bucket's own of its labels, by the name and the text of `le`: the histograms of a
  // page mostly have the same bounds. No labels, where a bucket has others. Of this page only.
  std::unordered_map<std::string, Labels> bounds_;
  std::string bound_key_;
  Duration trust_;
  std::shared_ptr<const SampleRules> rules_;
  bool reads_everything_ = false;
  Slots<Entry> entries_;
  std::unordered_map<std::uint64_t, EntryId, SameHash> index_;
  std::unordered_map<store::SeriesId, EntryId> owners_;
  std::vector<Place> order_;       // Of the last page.
  std::vector<Place> next_order_;  // Of this one, once it is another.
  std::vector<EntryId> created_;   // By the page that is being read.
  std::size_t cursor_ = 0;         // In order_: what is expected next.
  bool order_changed_ = false;
  std::uint32_t page_number_ = 0;
  std::string last_name_;  // The families' lines stand together, so one answer serves many lines.
  bool last_name_interesting_ = false;
};

// Whether the series only grows, by its type, or where that is unknown by its name.
bool is_counter(exposition::MetricType type, std::string_view name);

}  // namespace tocsin::source
