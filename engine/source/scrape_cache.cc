// SPDX-License-Identifier: Apache-2.0
#include "source/scrape_cache.h"

#include <algorithm>
#include <functional>

namespace tocsin::source {
namespace {

using exposition::KnownKey;
using exposition::MetricType;
using exposition::PageSample;

constexpr Duration kTooFarAhead = std::chrono::minutes(10);
constexpr std::uint32_t kSweepEvery = 16;  // Pages.
constexpr std::string_view kProcessStart = "process_start_time_seconds";
constexpr std::string_view kBound = "le";
constexpr std::string_view kPostRelabelling = "scrape_samples_post_metric_relabeling";

Error too_many(std::size_t most, std::string_view what) {
  return {ErrorCode::Limit, "more than " + std::to_string(most) + " " + std::string(what) +
                                "; if the target is to have so many, give its job a sample_limit "
                                "that is larger"};
}

// Lines with and without a timestamp are different entries: they are stored differently.
std::uint64_t hash_of(const KnownKey& key, bool timed) {
  const std::uint64_t hash = key.hash ^ (timed ? 0x9e3779b97f4a7c15 : 0);
  return hash == 0 ? 1 : hash;
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [name](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

bool is_counter(MetricType type, std::string_view name) {
  switch (type) {
    case MetricType::Counter:
      return true;
    case MetricType::Gauge:
    case MetricType::Other:
      return false;
    case MetricType::Summary:
      return ends_with_any(name, {"_count", "_sum"});
    default:
      return ends_with_any(name, {"_total", "_count", "_bucket", "_sum"});
  }
}

bool SampleRules::reads_everything() const {
  const bool limits_labels =
      limits.labels > 0 || limits.label_name_length > 0 || limits.label_value_length > 0;
  const bool counts_relabelled =
      !relabel.empty() && (limits.samples > 0 || filter->wants_name(kPostRelabelling));
  return limits_labels || counts_relabelled || relabel.may_rename_metric();
}

void Digest::clear() {
  readings.clear();
  timed.clear();
  births.clear();
  scraped = 0;
  passed = 0;
  history = Duration(0);
  process_start = 0;
  drops = {};
}

ScrapeCache::ScrapeCache(Labels target_labels, Duration trust)
    : target_labels_(std::move(target_labels)), trust_(trust) {}

bool ScrapeCache::use(std::shared_ptr<const SampleRules> rules) {
  if (rules == rules_) return false;
  rules_ = std::move(rules);
  reads_everything_ = rules_->reads_everything();
  entries_.clear();
  index_.clear();
  owners_.clear();
  order_.clear();
  last_name_.clear();
  bucket_text_.clear();
  return true;
}

Result<void> ScrapeCache::digest(std::string_view page, exposition::Dialect dialect, Timestamp at,
                                 Digest& out) {
  out.clear();
  ++page_number_;
  cursor_ = 0;
  order_changed_ = false;
  next_order_.clear();
  created_.clear();
  exposition::PageReader reader(page, dialect);
  auto result = read(reader, at, out);
  if (result) {
    keep_order();
  } else {
    undo(out);
    next_order_ = {};  // It may have been large.
  }
  if (!bounds_.empty()) bounds_ = {};
  return result;
}

Result<void> ScrapeCache::read(exposition::PageReader& reader, Timestamp at, Digest& out) {
  PageSample sample;
  const std::size_t most_lines = at_least_limit(rules_->most_lines);
  for (;;) {
    if (out.scraped > most_lines) return fail(too_many(most_lines, "lines"));
    if (read_expected(reader, at, out)) continue;
    if (!reader.next(sample)) break;
    ++out.scraped;
    if (sample.name == kProcessStart && !sample.at) out.process_start += sample.value;
    if (!is_interesting(sample.name)) {
      ++out.passed;
      note_unwanted(sample);
    } else if (auto result = read_sample(sample, at, out); !result) {
      return result;
    }
  }
  if (!reader.ok()) return fail(reader.error());
  if (rules_->limits.samples > 0 && out.passed > rules_->limits.samples) {
    return fail(ErrorCode::Limit, "sample_limit exceeded (samples: " + std::to_string(out.passed) +
                                      ", limit: " + std::to_string(rules_->limits.samples) + ")");
  }
  return {};
}

std::size_t ScrapeCache::at_least_limit(std::size_t most) const {
  return std::max(most, rules_->limits.samples);
}

bool ScrapeCache::is_interesting(std::string_view name) {
  if (reads_everything_ || name.empty()) return true;
  if (name != last_name_) {
    last_name_ = name;
    last_name_interesting_ = rules_->filter->wants_name(name);
  }
  return last_name_interesting_;
}

// The line that came next the last time.
bool ScrapeCache::read_expected(exposition::PageReader& reader, Timestamp at, Digest& out) {
  if (cursor_ >= order_.size()) return false;
  const Place& place = order_[cursor_];
  if (place.entry == kUnwanted) return pass_unwanted(reader, place, out);
  Entry& entry = entries_[place.entry];
  if (entry.state == State::Live && !is_trusted(entry, at)) return false;
  if (entry.state == State::Duplicate) return false;
  double value = 0;
  if (!reader.next_if(place.key, value)) return false;
  ++out.scraped;
  if (order_changed_) next_order_.push_back(place);
  ++cursor_;
  if (entry.process_start) out.process_start += value;
  if (entry.seen == page_number_) {
    ++out.drops.duplicate;
  } else {
    entry.seen = page_number_;
    take(place.entry, value, out);
  }
  return true;
}

bool ScrapeCache::pass_unwanted(exposition::PageReader& reader, const Place& place, Digest& out) {
  double value = 0;
  if (!reader.next_if(place.key, value)) return false;
  ++out.scraped;
  ++out.passed;
  if (order_changed_) next_order_.push_back(place);
  ++cursor_;
  return true;
}

// Nothing is remembered of a metric that nobody asks for but its place, so that it can be passed.
void ScrapeCache::note_unwanted(const PageSample& sample) {
  constexpr std::size_t kLookAhead = 8;
  // process_start_time_seconds is looked at every time.
  const KnownKey key = sample.name == kProcessStart ? KnownKey{} : exposition::known(sample.key);
  for (std::size_t i = cursor_; i < std::min(cursor_ + kLookAhead, order_.size()); ++i) {
    if (order_[i].entry != kUnwanted || !(order_[i].key == key)) continue;
    if (i > cursor_) leave_order();
    if (order_changed_) next_order_.push_back(order_[i]);
    cursor_ = i + 1;
    return;
  }
  leave_order();
  next_order_.push_back({kUnwanted, key});
}

Result<void> ScrapeCache::read_sample(const PageSample& sample, Timestamp at, Digest& out) {
  const bool timed = sample.at.has_value() && rules_->honor_timestamps;
  const EntryId id = find(sample, timed);
  Entry& entry = entries_[id];
  if (entry.seen == page_number_ && !timed) {
    ++out.drops.duplicate;
    return {};
  }
  const bool is_new = entry.state == State::Free;
  if (is_new && index_.size() > at_least_limit(rules_->most_series)) {
    return fail(too_many(at_least_limit(rules_->most_series),
                         reads_everything_ ? "series" : "series of metrics that rules read"));
  }
  const bool is_stranger = entry.state == State::Live && !is_trusted(entry, at);
  // Who has the series may have gone.
  const bool is_kept_out = entry.state == State::Duplicate;
  if (is_new || is_stranger || is_kept_out) {
    if (auto result = resolve(id, sample, out); !result) return result;
  }
  entry.seen = page_number_;
  if (timed) {
    take_timed(id, sample.value, *sample.at, at, out);
  } else {
    take(id, sample.value, out);
  }
  return {};
}

void ScrapeCache::take(EntryId id, double value, Digest& out) {
  const State state = entries_[id].state;
  if (state != State::Relabelled) ++out.passed;
  if (state == State::Duplicate) ++out.drops.duplicate;
  if (state == State::Live || state == State::Born) out.readings.push_back({id, value});
}

void ScrapeCache::take_timed(EntryId id, double value, Timestamp at, Timestamp now, Digest& out) {
  const State state = entries_[id].state;
  if (state != State::Relabelled) ++out.passed;
  if (state == State::Duplicate) ++out.drops.duplicate;
  if (state != State::Live && state != State::Born) return;
  if (at > now + kTooFarAhead) {
    ++out.drops.too_far_ahead;
  } else {
    out.timed.push_back({id, value, at});
  }
}

// From here on this page is not in the order of the last one.
void ScrapeCache::leave_order() {
  if (order_changed_) return;
  order_changed_ = true;
  next_order_.assign(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(cursor_));
}

ScrapeCache::EntryId ScrapeCache::find(const PageSample& sample, bool timed) {
  const KnownKey key = exposition::known(sample.key);
  const std::uint64_t hash = hash_of(key, timed);
  const bool is_expected = cursor_ < order_.size() && order_[cursor_].entry != kUnwanted &&
                           entries_[order_[cursor_].entry].hash == hash &&
                           entries_[order_[cursor_].entry].size == key.size;
  if (is_expected) {
    if (order_changed_) next_order_.push_back(order_[cursor_]);
    return order_[cursor_++].entry;
  }
  leave_order();
  const auto [it, is_new] = index_.try_emplace(hash, 0);
  if (is_new) {
    it->second = entries_.take();
    entries_[it->second] = {
        .hash = hash, .size = key.size, .process_start = sample.name == kProcessStart && !timed};
    created_.push_back(it->second);
  } else {
    cursor_ = entries_[it->second].position + std::size_t{1};
  }
  next_order_.push_back({it->second, timed ? KnownKey{} : key});
  return it->second;
}

// Labels are most of what a series takes: those of the target are kept once, and of a histogram
// those that its buckets have in common.
Result<Labels> ScrapeCache::labels_of(const PageSample& sample) {
  if (auto labels = labels_of_next_bucket(sample)) return *std::move(labels);
  auto decoded = exposition::decode_labels(sample);
  if (!decoded) return fail(decoded.error());
  const Labels labels = rules_->honor_labels
                            ? merge_honoring_labels(*decoded, sample.labels, target_labels_)
                            : merge_target_labels(*decoded, target_labels_);
  if (!labels.has(kBound)) return labels.sharing(target_labels_);
  note_bucket(sample, labels);
  return labels.sharing(bucket_labels_);
}

// Buckets stand together and differ in `le` alone, which is the last label: a first page is mostly
// read here, several times as fast as by decoding.
std::optional<Labels> ScrapeCache::labels_of_next_bucket(const PageSample& sample) {
  if (bucket_text_.empty() || !sample.labels.starts_with(bucket_text_)) return std::nullopt;
  const Labels& bound = bound_of(sample, sample.labels.substr(bucket_text_.size()));
  if (bound.empty()) return std::nullopt;
  return bucket_labels_.extended(bound);
}

const Labels& ScrapeCache::bound_of(const PageSample& sample, std::string_view text) {
  bound_key_.assign(sample.name).append(1, '{').append(text);
  const auto [it, is_new] = bounds_.try_emplace(bound_key_);
  if (!is_new) return it->second;
  PageSample rest = sample;
  rest.labels = text;
  auto own = exposition::decode_labels(rest);
  if (own && own->size() == 2 && own->has(kBound)) it->second = *std::move(own);
  return it->second;
}

void ScrapeCache::note_bucket(const PageSample& sample, const Labels& labels) {
  static const std::vector<std::string> kOwn = {std::string(kMetricName), std::string(kBound)};
  constexpr std::string_view kLast = ",le=\"";
  bucket_labels_ = labels.drop(kOwn);
  bucket_text_.clear();
  const std::size_t comma = sample.labels.rfind(kLast);
  if (comma == std::string_view::npos || target_labels_.has(kBound)) return;
  bucket_text_ = sample.labels.substr(0, comma + 1);
  if (labels_of_next_bucket(sample) != labels) bucket_text_.clear();
}

// Decides what becomes of the line, until the rules change.
Result<void> ScrapeCache::resolve(EntryId id, const PageSample& sample, Digest& out) {
  Entry& entry = entries_[id];
  auto decoded = labels_of(sample);
  if (!decoded) return fail(decoded.error());
  Labels labels = *std::move(decoded);
  if (!rules_->relabel.empty()) {
    auto relabelled = rules_->relabel.apply(labels);
    if (!relabelled || relabelled->empty()) {
      entry.state = State::Relabelled;
      return {};
    }
    labels = std::move(*relabelled);
    if (labels.metric_name().empty()) {
      return fail(ErrorCode::Parse, "no metric name after relabelling: " + std::string(sample.key));
    }
  }
  if (auto exceeded = exceeded_label_limit(rules_->limits, labels)) {
    return fail(ErrorCode::Limit, std::move(*exceeded));
  }
  const auto history = rules_->filter->wants(labels);
  entry.state = history ? State::Born : State::Unwanted;
  if (!history) return {};
  entry.counter = is_counter(sample.type, labels.metric_name());
  out.history = std::max(out.history, *history);
  out.births.push_back({id, std::move(labels), sample.at && rules_->honor_timestamps});
  return {};
}

void ScrapeCache::keep_order() {
  if (!order_changed_ && cursor_ == order_.size()) return;
  leave_order();
  order_.swap(next_order_);
  for (std::uint32_t i = 0; i < order_.size(); ++i) {
    if (order_[i].entry != kUnwanted) entries_[order_[i].entry].position = i;
  }
}

void ScrapeCache::undo(const Digest& digest) {
  for (const Digest::Birth& birth : digest.births) forget(birth.entry);
  for (const EntryId id : created_) forget(id);
}

void ScrapeCache::settle(EntryId id, store::SeriesId series) {
  Entry& entry = entries_[id];
  const auto [owner, is_new] = owners_.try_emplace(series, id);
  if (!is_new && owner->second != id) {
    const EntryId other = owner->second;
    const bool is_same = entries_[other].state == State::Live && entries_[other].series == series;
    const bool is_twice = is_same && is_present(other);
    if (is_twice && entries_[other].position < entry.position) {
      entry.state = State::Duplicate;
      return;
    }
    // The series is written in other words than on the last page, or its id has been given away.
    if (is_twice) entries_[other].state = State::Duplicate;
    if (is_same && !is_twice) forget(other);
    owners_[series] = id;
  }
  entry.state = State::Live;
  entry.series = series;
  entry.written_ms = 0;
}

void ScrapeCache::sweep(Timestamp at) {
  if (page_number_ % kSweepEvery != 0) return;
  for (EntryId id = 0; id < entries_.size(); ++id) {
    const Entry& entry = entries_[id];
    if (entry.state == State::Free) continue;
    if (entry.state == State::Live) {
      if (is_trusted(entry, at)) continue;
    } else if (page_number_ - entry.seen < kSweepEvery) {
      continue;
    }
    forget(id);
  }
}

void ScrapeCache::forget(EntryId id) {
  const Entry& entry = entries_[id];
  if (entry.hash == 0) return;
  index_.erase(entry.hash);
  const auto owner = owners_.find(entry.series);
  if (entry.state == State::Live && owner != owners_.end() && owner->second == id) {
    owners_.erase(owner);
  }
  entries_.give_back(id);
}

bool ScrapeCache::is_trusted(const Entry& entry, Timestamp at) const {
  return to_millis(at) - entry.written_ms <= trust_.count();
}

}  // namespace tocsin::source
