// SPDX-License-Identifier: Apache-2.0
//
// WriteReceiver puts what others write (source/remote_write.h) into the store: only series that a
// rule asks for, each sample at its own timestamp. The series of one target (job, instance) are
// scraped together, so they share a block.
//
// A series is known by the bytes of its labels; those are decoded once in its life. Senders name
// their series in the same order again and again, so each is looked for after the one that it
// followed the last time. Requests may come from several threads at a time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/slots.h"
#include "source/keep_filter.h"
#include "source/remote_write.h"
#include "source/scrape_stats.h"
#include "tocsin/store.h"

namespace tocsin::source {

// What came of the samples of one request, or of all.
struct WriteReport {
  std::uint64_t appended = 0;
  std::uint64_t unwanted = 0;  // No rule asks for them.
  // Refused; sending them again changes nothing.
  std::uint64_t too_old = 0;
  std::uint64_t duplicate = 0;      // Another value at the same time.
  std::uint64_t too_far_ahead = 0;  // Of the clock.
  std::uint64_t histograms = 0;     // Native ones that are damaged.
  std::uint64_t invalid = 0;        // Of series whose labels are wrong.
  std::string example;              // What was wrong with the first of them.

  std::uint64_t refused() const {
    return too_old + duplicate + too_far_ahead + histograms + invalid;
  }
  // "3 of 2000 samples refused: 2 too old, 1 too far ahead of the clock; the first: …"
  std::string text() const;
  WriteReport& operator+=(const WriteReport& other);
};

class WriteReceiver {
 public:
  // `store` must outlive the receiver.
  explicit WriteReceiver(store::Store& store) : store_(store) { entries_.take(); }

  // Which series to keep from now on.
  void use(std::shared_ptr<const KeepFilter> filter);

  // Takes the store's lock. Fails when the request cannot be read; then nothing is written.
  Result<WriteReport> accept(std::string_view body, Timestamp now);

  // Of all requests.
  WriteReport totals() const;
  // Counts what was written among what was scraped.
  void add_to(ScrapeStats& stats) const;

 private:
  struct Group {
    store::BlockId block = 0;
    Duration history{0};
    std::int64_t newest_ms = 0;
    Timestamp used;
  };
  using EntryId = std::uint32_t;
  struct Entry {
    std::uint64_t hash = 0;  // Of the labels' bytes; 0: of no series.
    std::uint32_t size = 0;  // Of the bytes.
    EntryId next = 0;        // What followed the last time.
    bool wanted = false;
    store::SeriesId series = 0;
    Group* group = nullptr;  // Null: unwanted.
    std::int64_t newest_ms = 0;
  };
  struct Identity {
    std::size_t operator()(std::uint64_t hash) const { return hash; }
  };

  void accept(const WriteRequest& request, Timestamp now, WriteReport& report);
  Entry* find(std::string_view labels, Timestamp now, WriteReport& report);
  EntryId entry_of(std::uint64_t hash);
  void forget(EntryId id);
  bool settle(Entry& entry, std::string_view labels, WriteReport& report);
  Group& group_of(const Labels& labels, Duration history);
  void append(Entry& entry, const Sample& sample, Timestamp now, WriteReport& report);
  void append(Entry& entry, const HistogramSample& sample, Timestamp now, WriteReport& report);
  void note_appended(Entry& entry, Timestamp at, Timestamp now, WriteReport& report);
  void note_refused(const Entry& entry, Timestamp at, Timestamp now, WriteReport& report);
  void sweep(Timestamp now);

  store::Store& store_;
  mutable std::mutex mutex_;  // Guards everything below; taken before the store's.
  std::shared_ptr<const KeepFilter> filter_;
  Slots<Entry> entries_;  // The first is nobody's.
  std::unordered_map<std::uint64_t, EntryId, Identity> index_;
  EntryId last_ = 0;
  std::map<std::string, std::unique_ptr<Group>> groups_;
  Duration longest_history_{0};
  Timestamp swept_;

  mutable std::mutex totals_mutex_;  // Never held for long: the loop asks.
  WriteReport totals_;
};

}  // namespace tocsin::source
