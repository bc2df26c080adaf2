// SPDX-License-Identifier: Apache-2.0
#include "source/target_store.h"

#include <algorithm>

namespace tocsin::source {
namespace {

using State = ScrapeCache::Entry::State;

// Instant selectors look back five minutes, so nothing is kept shorter.
constexpr Duration kLeastHistory = std::chrono::minutes(5);

// The slack that makes sure that the cache distrusts a series id before the store gives it away.
Duration slack(Duration interval) { return 4 * interval; }
Duration trust(Duration interval) {
  return std::max<Duration>(std::chrono::minutes(4), 3 * interval);
}

Result<exposition::Dialect> dialect_of(const std::string& content_type) {
  const auto is = [&](std::string_view type) { return content_type.starts_with(type); };
  if (content_type.empty() || is("text/plain") || is("application/openmetrics-text")) {
    return exposition::dialect_of(content_type);
  }
  return fail(ErrorCode::Parse, "unsupported Content-Type " + quote(content_type));
}

}  // namespace

TargetStore::TargetStore(store::Store& store, Labels target_labels, Duration interval)
    : store_(store),
      labels_(std::move(target_labels)),
      interval_(interval),
      cache_(labels_, trust(interval)),
      history_(kLeastHistory + slack(interval)) {}

void TargetStore::set_interval(Duration interval) {
  const std::lock_guard guard(mutex_);
  interval_ = interval;
  cache_.set_trust(trust(interval));
}

Duration TargetStore::history() const {
  const std::lock_guard guard(mutex_);
  return history_;
}

ScrapeReport TargetStore::accept(const Attempt& attempt, std::shared_ptr<const SampleRules> rules) {
  const std::lock_guard guard(mutex_);
  rules_ = std::move(rules);
  // Series that were there all along, unwanted until now, were not born today.
  const bool rules_changed = cache_.use(rules_);
  if (rules_changed) {
    timed_.clear();
    reports_known_ = false;
  }
  ScrapeReport report;
  const auto read_result = read(attempt);
  report.scraped = digest_.scraped;
  const auto lock = store_.lock_for_write();
  open_blocks(attempt.at);
  if (!read_result) {
    report.error = read_result.error().message;
    append_failure(attempt);
    digest_ = {};  // It may have been large.
    interrupted_ = true;
    report.history = history_;
    report.metrics = metrics_;
    return report;
  }
  const bool restarted = digest_.process_start != process_start_;
  append(attempt, rules_changed || restarted || interrupted_, report);
  process_start_ = digest_.process_start;
  interrupted_ = false;
  report.history = history_;
  report.metrics = metrics_;
  return report;
}

Result<void> TargetStore::read(const Attempt& attempt) {
  digest_.clear();
  if (!attempt.page) return fail(attempt.page.error());
  const auto dialect = dialect_of(attempt.page->content_type);
  if (!dialect) return fail(dialect.error());
  return cache_.digest(attempt.page->body, *dialect, attempt.at, digest_);
}

void TargetStore::append(const Attempt& attempt, bool suppress_starts, ScrapeReport& report) {
  keep(digest_.history);
  settle_births(attempt.at);
  note_metrics();
  ids_.clear();
  values_.clear();
  report.drops = digest_.drops;
  for (const Digest::Reading& reading : digest_.readings) {
    auto& entry = cache_.entry(reading.entry);
    if (entry.state != State::Live) {
      ++report.drops.duplicate;
      continue;
    }
    ids_.push_back(entry.series);
    values_.push_back(reading.value);
  }
  const std::size_t lines = ids_.size();
  append_reports({1, attempt.seconds, static_cast<double>(digest_.scraped),
                  static_cast<double>(digest_.passed), static_cast<double>(digest_.births.size())});
  if (append_column(attempt.at, suppress_starts)) {
    report.kept += lines;
    report.appended += ids_.size();
    for (const Digest::Reading& reading : digest_.readings) {
      cache_.entry(reading.entry).written_ms = to_millis(attempt.at);
    }
  } else {
    report.drops.out_of_order += ids_.size();
  }
  append_timed(attempt.at, report);
  cache_.sweep(attempt.at);
  sweep_groups(attempt.at);
}

// Every series that had a value a scrape ago and has none in this column is marked stale.
void TargetStore::append_failure(const Attempt& attempt) {
  ids_.clear();
  values_.clear();
  append_reports({0, attempt.seconds, static_cast<double>(digest_.scraped), 0, 0});
  append_column(attempt.at, true);
  for (const auto id : timed_) mark_stale(id, attempt.at);
  timed_.clear();
  cache_.sweep(attempt.at);
}

void TargetStore::settle_births(Timestamp at) {
  for (Digest::Birth& birth : digest_.births) {
    auto& entry = cache_.entry(birth.entry);
    if (entry.state != State::Born) continue;
    store::BlockId block = *block_;
    if (birth.timed) {
      entry.group = group_of(birth.labels, at);
      block = groups_[entry.group].block;
    }
    cache_.settle(birth.entry, store_.add_series(block, birth.labels, entry.counter));
  }
}

// Readers have the set as it was: new names make a new one.
void TargetStore::note_metrics() {
  std::optional<MetricNames> grown;
  if (!metrics_) grown.emplace();
  std::string_view last;  // The series of a metric stand together.
  for (const Digest::Birth& birth : digest_.births) {
    const std::string_view name = birth.labels.metric_name();
    if (name == last) continue;
    last = name;
    if (!grown && metrics_->find(name) == metrics_->end()) grown = *metrics_;
    if (grown) grown->emplace(name);
  }
  if (grown) metrics_ = std::make_shared<const MetricNames>(std::move(*grown));
}

void TargetStore::append_timed(Timestamp at, ScrapeReport& report) {
  for (const Digest::TimedReading& reading : digest_.timed) {
    auto& entry = cache_.entry(reading.entry);
    if (entry.state != State::Live) {
      ++report.drops.duplicate;
      continue;
    }
    groups_[entry.group].used = at;
    if (store_.append_sample(entry.series, reading.at, reading.value)) {
      entry.written_ms = to_millis(reading.at);
      ++report.kept;
      ++report.appended;
    } else {
      ++report.drops.out_of_order;
    }
  }
  mark_missing_timed(at);
  timed_.clear();
  for (const Digest::TimedReading& reading : digest_.timed) timed_.push_back(reading.entry);
}

// Differs from Prometheus: a series that was on the last page and is not on this one ends now, even
// though its samples bring their own timestamps.
void TargetStore::mark_missing_timed(Timestamp at) {
  for (const auto id : timed_) {
    if (!cache_.is_present(id)) mark_stale(id, at);
  }
}

void TargetStore::mark_stale(ScrapeCache::EntryId id, Timestamp at) {
  auto& entry = cache_.entry(id);
  if (entry.state != State::Live || !cache_.is_trusted(entry, at)) return;
  entry.written_ms = std::max(to_millis(at), entry.written_ms + 1);
  store_.append_sample(entry.series, from_millis(entry.written_ms), stale_nan());
}

void TargetStore::append_reports(const Reports& values) {
  for (std::size_t i = 0; i < kReports; ++i) {
    if (!reports_[i]) continue;
    ids_.push_back(*reports_[i]);
    values_.push_back(values[i]);
  }
}

bool TargetStore::append_column(Timestamp at, bool suppress_starts) {
  if (!store_.append_column(*block_, at, ids_, values_, suppress_starts)) return false;
  last_column_ = at;
  return true;
}

void TargetStore::open_blocks(Timestamp at) {
  if (!block_) {
    block_ = store_.add_block({.history = history_, .synthesize_starts = true});
    reports_known_ = false;
  }
  find_report_series(at);
}

void TargetStore::find_report_series(Timestamp at) {
  if (reports_known_ && at - last_column_ <= trust(interval_)) return;
  reports_ = {};
  for (std::size_t i = 0; i < kReports; ++i) {
    const Labels labels = labels_.with(kMetricName, kReportNames[i]);
    const auto history = rules_->filter->wants(labels);
    if (!history) continue;
    keep(*history);
    reports_[i] = store_.add_series(*block_, labels, false);
  }
  reports_known_ = true;
}

std::uint32_t TargetStore::group_of(const Labels& labels, Timestamp at) {
  const std::string name =
      std::string(labels.get("instance")) + '\0' + std::string(labels.get("job"));
  const auto [it, is_new] =
      group_by_name_.try_emplace(name, static_cast<std::uint32_t>(groups_.size()));
  if (is_new) groups_.push_back({store_.add_block({.history = history_}), at});
  return it->second;
}

// Removes the blocks of instances that have not been heard of for as long as anybody looks back.
void TargetStore::sweep_groups(Timestamp at) {
  std::erase_if(group_by_name_, [&](const auto& group) {
    Group& entry = groups_[group.second];
    if (at - entry.used <= history_) return false;
    store_.remove_block(entry.block);
    return true;
  });
}

void TargetStore::keep(Duration history) {
  history += slack(interval_);
  if (history <= history_) return;
  history_ = history;
  store_.set_history(*block_, history);
  for (const auto& [name, group] : group_by_name_) {
    store_.set_history(groups_[group].block, history);
  }
}

void TargetStore::end(Timestamp at) {
  const std::lock_guard guard(mutex_);
  interrupted_ = true;
  if (!block_) return;
  const auto lock = store_.lock_for_write();
  store_.append_stale(*block_, at);
  for (const auto id : timed_) mark_stale(id, at);
  timed_.clear();
}

void TargetStore::remove() {
  const std::lock_guard guard(mutex_);
  if (!block_) return;
  const auto lock = store_.lock_for_write();
  store_.remove_block(*block_);
  for (const auto& [name, group] : group_by_name_) store_.remove_block(groups_[group].block);
  block_.reset();
  groups_.clear();
  group_by_name_.clear();
  timed_.clear();
  cache_ = ScrapeCache(labels_, trust(interval_));
}

}  // namespace tocsin::source
