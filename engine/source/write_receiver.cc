// SPDX-License-Identifier: Apache-2.0
#include "source/write_receiver.h"

#include <algorithm>

namespace tocsin::source {
namespace {

// Instant selectors look back five minutes, so nothing is kept shorter.
constexpr Duration kLeastHistory = std::chrono::minutes(5);
// How late samples may come without shortening the history.
constexpr Duration kSlack = std::chrono::minutes(2);
// How long before the store may forget a series we no longer trust its id.
constexpr Duration kDistrust = std::chrono::minutes(1);
constexpr Duration kSweepEvery = std::chrono::minutes(1);
// As for scraped samples: a clock that is wrong must not push out what is right.
constexpr Duration kMaxAhead = std::chrono::minutes(10);

// Never 0.
std::uint64_t hash_of(std::string_view bytes) { return std::hash<std::string_view>()(bytes) | 1; }

// Series that are sampled together: of one target, or of one recording rule.
std::string group_name(const Labels& labels) {
  const std::string target =
      std::string(labels.get("instance")) + '\0' + std::string(labels.get("job"));
  return target.size() > 1 ? target : '\0' + std::string(labels.metric_name());
}

}  // namespace

std::string WriteReport::text() const {
  const std::pair<std::uint64_t, std::string_view> reasons[] = {
      {too_old, "too old"},
      {duplicate, "with another value at the same time"},
      {too_far_ahead, "too far ahead of the clock"},
      {histograms, "damaged native histograms"},
      {invalid, "of series with wrong labels"},
  };
  std::string out;
  for (const auto& [count, reason] : reasons) {
    if (count == 0) continue;
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(reason);
  }
  return std::to_string(refused()) + " of " + std::to_string(refused() + appended + unwanted) +
         " samples refused: " + out + "; the first: " + example;
}

WriteReport& WriteReport::operator+=(const WriteReport& other) {
  appended += other.appended;
  unwanted += other.unwanted;
  too_old += other.too_old;
  duplicate += other.duplicate;
  too_far_ahead += other.too_far_ahead;
  histograms += other.histograms;
  invalid += other.invalid;
  return *this;
}

void WriteReceiver::use(std::shared_ptr<const KeepFilter> filter) {
  const std::lock_guard guard(mutex_);
  filter_ = std::move(filter);
  entries_.clear();
  entries_.take();
  index_.clear();
  last_ = 0;
  longest_history_ = kLeastHistory;
  for (const promql::Need& need : filter_->needs()) {
    longest_history_ = std::max(longest_history_, need.history);
  }
  longest_history_ += kSlack;
}

WriteReport WriteReceiver::totals() const {
  const std::lock_guard guard(totals_mutex_);
  return totals_;
}

void WriteReceiver::add_to(ScrapeStats& stats) const {
  const WriteReport written = totals();
  stats.samples_scraped += written.appended + written.unwanted + written.refused();
  stats.samples_appended += written.appended;
  stats.drops.duplicate += written.duplicate;
  stats.drops.out_of_order += written.too_old;
  stats.drops.too_far_ahead += written.too_far_ahead;
}

Result<WriteReport> WriteReceiver::accept(std::string_view body, Timestamp now) {
  WriteRequest request;
  if (auto done = read_write_request(body, request); !done) return fail(done.error());
  const std::lock_guard guard(mutex_);
  const auto lock = store_.lock_for_write();
  WriteReport report;
  accept(request, now, report);
  if (now - swept_ >= kSweepEvery) sweep(now);
  const std::lock_guard totals_guard(totals_mutex_);
  totals_ += report;
  return report;
}

void WriteReceiver::accept(const WriteRequest& request, Timestamp now, WriteReport& report) {
  for (const WriteRequest::Series& series : request.series) {
    const std::uint64_t count = series.count + series.histogram_count + series.bad_histograms;
    Entry* entry = find(series.labels, now, report);
    if (!entry) {
      report.invalid += count;
      continue;
    }
    if (!entry->wanted) {
      report.unwanted += count;
      continue;
    }
    for (std::uint32_t i = 0; i < series.count; ++i) {
      append(*entry, request.samples[series.first + i], now, report);
    }
    for (std::uint32_t i = 0; i < series.histogram_count; ++i) {
      append(*entry, request.histograms[series.first_histogram + i], now, report);
    }
    if (series.bad_histograms > 0 && report.refused() == 0) {
      report.example = "a histogram of " + store_.labels(entry->series).text();
    }
    report.histograms += series.bad_histograms;
  }
}

// Null when the labels are wrong.
WriteReceiver::Entry* WriteReceiver::find(std::string_view labels, Timestamp now,
                                          WriteReport& report) {
  last_ = entry_of(hash_of(labels));
  Entry& entry = entries_[last_];
  const bool is_other = entry.size != labels.size();
  if (!is_other && !entry.wanted) {
    entry.newest_ms = to_millis(now);
    return &entry;
  }
  // The store forgets a series when its newest sample is older than the history.
  const bool is_trusted =
      !is_other && entry.newest_ms > to_millis(now - entry.group->history + kDistrust);
  if (is_trusted) return &entry;
  entry.size = static_cast<std::uint32_t>(labels.size());
  if (is_other) entry.newest_ms = to_millis(now);
  if (settle(entry, labels, report)) return &entry;
  forget(last_);
  return nullptr;
}

WriteReceiver::EntryId WriteReceiver::entry_of(std::uint64_t hash) {
  const EntryId guess = entries_[last_].next;
  if (entries_[guess].hash == hash) return guess;
  const auto [it, is_new] = index_.try_emplace(hash, 0);
  if (is_new) {
    it->second = entries_.take();
    entries_[it->second].hash = hash;
  }
  entries_[last_].next = it->second;
  return it->second;
}

void WriteReceiver::forget(EntryId id) {
  index_.erase(entries_[id].hash);
  entries_.give_back(id);
  last_ = 0;
}

// Finds the entry's series, or makes it.
bool WriteReceiver::settle(Entry& entry, std::string_view bytes, WriteReport& report) {
  const auto labels = read_written_labels(bytes);
  if (!labels) {
    if (report.refused() == 0) report.example = labels.error().message;
    return false;
  }
  const auto history = filter_ ? filter_->wants(*labels) : std::nullopt;
  entry.wanted = history.has_value();
  if (!history) return true;
  entry.group = &group_of(*labels, std::max(*history, kLeastHistory) + kSlack);
  entry.series = store_.add_series(entry.group->block, *labels, false);
  entry.newest_ms = 0;  // Until a sample is written.
  return true;
}

WriteReceiver::Group& WriteReceiver::group_of(const Labels& labels, Duration history) {
  std::unique_ptr<Group>& group = groups_[group_name(labels)];
  if (!group) {
    group = std::make_unique<Group>();
    group->block = store_.add_block({.history = history});
    group->history = history;
  } else if (group->history < history) {
    group->history = history;
    store_.set_history(group->block, history);
  }
  return *group;
}

void WriteReceiver::append(Entry& entry, const Sample& sample, Timestamp now, WriteReport& report) {
  const bool is_ahead = sample.at > now + kMaxAhead;
  if (!is_ahead && store_.append_sample(entry.series, sample.at, sample.value)) {
    return note_appended(entry, sample.at, now, report);
  }
  note_refused(entry, sample.at, now, report);
}

void WriteReceiver::append(Entry& entry, const HistogramSample& sample, Timestamp now,
                           WriteReport& report) {
  const bool is_ahead = sample.at > now + kMaxAhead;
  if (!is_ahead && store_.append_histogram(entry.series, sample.at, sample.histogram)) {
    return note_appended(entry, sample.at, now, report);
  }
  note_refused(entry, sample.at, now, report);
}

void WriteReceiver::note_appended(Entry& entry, Timestamp at, Timestamp now, WriteReport& report) {
  Group& group = *entry.group;
  entry.newest_ms = std::max(entry.newest_ms, to_millis(at));
  group.newest_ms = std::max(group.newest_ms, to_millis(at));
  group.used = std::max({group.used, now, at});
  ++report.appended;
}

void WriteReceiver::note_refused(const Entry& entry, Timestamp at, Timestamp now,
                                 WriteReport& report) {
  const Group& group = *entry.group;
  if (report.refused() == 0) {
    report.example = store_.labels(entry.series).text() + " at " + format_value(to_seconds(at));
  }
  const bool is_ahead = at > now + kMaxAhead;
  const bool is_old = to_millis(at) < group.newest_ms - group.history.count();
  ++(is_ahead ? report.too_far_ahead : is_old ? report.too_old : report.duplicate);
}

void WriteReceiver::sweep(Timestamp now) {
  swept_ = now;
  const Timestamp oldest = now - longest_history_;
  for (EntryId id = 1; id < entries_.size(); ++id) {
    if (entries_[id].hash != 0 && entries_[id].newest_ms <= to_millis(oldest)) forget(id);
  }
  std::erase_if(groups_, [&](const auto& group) {
    if (group.second->used > now - std::max(longest_history_, group.second->history)) return false;
    store_.remove_block(group.second->block);
    return true;
  });
}

}  // namespace tocsin::source
