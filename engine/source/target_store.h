// SPDX-License-Identifier: Apache-2.0
//
// TargetStore is one target's place in the store: what its pages become. All series of the target
// are one block, `up` and its sisters among them. Samples that bring their own timestamps
// (federation) go to a block for each instance and job they are about, whose samples share theirs.
//
// A page is stored whole or not at all. When it fails, every series of the target is marked stale
// and `up` is 0.
//
// Any thread: calls wait for each other, and take the store's write lock for as long as it takes to
// append. Meant for workers.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "source/scrape_cache.h"
#include "source/target.h"
#include "tocsin/store.h"

namespace tocsin::source {

struct FetchedPage {
  std::string body;
  std::string content_type;
};

// One attempt: which slot it is for, how long it took to fetch, and what came of it.
struct Attempt {
  Timestamp at;
  double seconds = 0;
  Result<FetchedPage> page;
};

struct ScrapeReport {
  std::string error;                           // Empty: the target is up.
  std::size_t scraped = 0;                     // Lines with samples.
  std::size_t kept = 0;                        // Those of them that were written.
  std::size_t appended = 0;                    // Samples written: those, and `up` and its sisters.
  Duration history{0};                         // How long they are kept.
  std::shared_ptr<const MetricNames> metrics;  // As TargetStatus has it.
  DropCounts drops;
};

class TargetStore {
 public:
  TargetStore(store::Store& store, Labels target_labels, Duration interval);
  TargetStore(const TargetStore&) = delete;
  TargetStore& operator=(const TargetStore&) = delete;

  ScrapeReport accept(const Attempt& attempt, std::shared_ptr<const SampleRules> rules);

  // The target is scraped more or less often from now on.
  void set_interval(Duration interval);

  // The target is gone: stale markers for everything.
  void end(Timestamp at);
  // Forgets its series at once. It starts anew when accept() is called again.
  void remove();

  // How long its samples are kept.
  Duration history() const;

 private:
  static constexpr std::size_t kReports = kReportNames.size();
  using Reports = std::array<double, kReports>;

  struct Group {
    store::BlockId block = 0;
    Timestamp used;
  };

  Result<void> read(const Attempt& attempt);
  void append(const Attempt& attempt, bool suppress_starts, ScrapeReport& report);
  void append_failure(const Attempt& attempt);
  void settle_births(Timestamp at);
  void note_metrics();
  void append_timed(Timestamp at, ScrapeReport& report);
  void mark_missing_timed(Timestamp at);
  void mark_stale(ScrapeCache::EntryId id, Timestamp at);
  void append_reports(const Reports& values);
  bool append_column(Timestamp at, bool suppress_starts);
  void open_blocks(Timestamp at);
  void find_report_series(Timestamp at);
  std::uint32_t group_of(const Labels& labels, Timestamp at);
  void sweep_groups(Timestamp at);
  void keep(Duration history);

  store::Store& store_;
  const Labels labels_;
  mutable std::mutex mutex_;  // Guards everything below.
  Duration interval_;
  std::shared_ptr<const SampleRules> rules_;
  ScrapeCache cache_;
  Digest digest_;
  std::optional<store::BlockId> block_;
  std::shared_ptr<const MetricNames> metrics_;  // Null before the first page.
  Duration history_;
  std::vector<Group> groups_;
  std::map<std::string, std::uint32_t> group_by_name_;
  std::array<std::optional<store::SeriesId>, kReports> reports_{};  // Those that are asked for.
  bool reports_known_ = false;
  Timestamp last_column_;
  std::vector<ScrapeCache::EntryId> timed_;  // Of the last page.
  double process_start_ = 0;
  bool interrupted_ = true;  // The last attempt failed, or there was none.
  std::vector<store::SeriesId> ids_;
  std::vector<double> values_;
};

}  // namespace tocsin::source
