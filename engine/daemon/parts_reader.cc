// SPDX-License-Identifier: Apache-2.0
#include "daemon/parts_reader.h"

#include <algorithm>

#include "promql/split.h"

namespace tocsin::daemon {
namespace {

using store::SeriesId;

// An id of ours: this bit, the part, the row. The store does not get that far.
constexpr SeriesId kOurs = SeriesId{1} << 31;
constexpr unsigned kRowBits = 22;
constexpr SeriesId kMaxRows = SeriesId{1} << kRowBits;
constexpr SeriesId kMaxParts = kOurs >> kRowBits;
// Rows of former answers are kept while they are not more than the living, and some.
constexpr std::size_t kIdleRows = 64;

bool is_ours(SeriesId id) { return (id & kOurs) != 0; }
SeriesId id_of(std::size_t part, std::size_t row) {
  return kOurs | static_cast<SeriesId>(part << kRowBits) | static_cast<SeriesId>(row);
}

std::optional<std::size_t> part_in(const Matchers& matchers) {
  for (const Matcher& matcher : matchers) {
    if (matcher.name() == kMetricName) return promql::part_of(matcher.value());
  }
  return std::nullopt;
}

// The first sample later than `at`, of either kind.
template <class S>
auto later_than(const std::vector<S>& samples, Timestamp at) {
  return std::upper_bound(samples.begin(), samples.end(), at,
                          [](Timestamp t, const S& sample) { return t < sample.at; });
}

}  // namespace

Result<void> PartsReader::serve(std::size_t index, promql::Matrix series) {
  if (index >= kMaxParts || series.size() >= kMaxRows / 4) {
    return fail(ErrorCode::Limit,
                "too much of a query is evaluated here: " + std::to_string(series.size()) +
                    " series in part " + std::to_string(index));
  }
  if (index >= parts_.size()) parts_.resize(index + 1);
  Served& part = parts_[index];
  if (part.rows.size() > 2 * series.size() + kIdleRows) {
    part.rows.clear();
    part.row_of.clear();
    ++part.version;
  }
  for (promql::Series& row : part.rows) {
    row.samples.clear();
    row.histograms.clear();
  }
  for (const promql::Series& row : series) has_histograms_ |= !row.histograms.empty();
  for (promql::Series& fetched : series) {
    const auto [it, is_new] =
        part.row_of.try_emplace(fetched.labels, static_cast<std::uint32_t>(part.rows.size()));
    if (is_new) {
      part.rows.push_back(std::move(fetched));
      ++part.version;
    } else {
      part.rows[it->second].samples = std::move(fetched.samples);
      part.rows[it->second].histograms = std::move(fetched.histograms);
    }
  }
  return {};
}

const promql::Series& PartsReader::row(SeriesId id) const {
  return parts_[(id & ~kOurs) >> kRowBits].rows[id & (kMaxRows - 1)];
}

std::uint64_t PartsReader::version(std::string_view name) const {
  const auto part = promql::part_of(name);
  if (!part) return below_.version(name);
  return *part < parts_.size() ? parts_[*part].version : 0;
}

std::optional<std::span<const store::SeriesChange>> PartsReader::changes_since(
    std::string_view name, std::uint64_t version) const {
  if (promql::part_of(name)) return std::nullopt;
  return below_.changes_since(name, version);
}

std::vector<SeriesId> PartsReader::select(const Matchers& matchers) const {
  const auto part = part_in(matchers);
  if (!part) return below_.select(matchers);
  std::vector<SeriesId> ids;
  const std::size_t rows = *part < parts_.size() ? parts_[*part].rows.size() : 0;
  for (std::size_t i = 0; i < rows; ++i) ids.push_back(id_of(*part, i));
  return ids;
}

const Labels& PartsReader::labels(SeriesId id) const {
  return is_ours(id) ? row(id).labels : below_.labels(id);
}

void PartsReader::read(SeriesId id, Timestamp after, Timestamp upto,
                       std::vector<Sample>& out) const {
  if (!is_ours(id)) return below_.read(id, after, upto, out);
  const std::vector<Sample>& samples = row(id).samples;
  out.insert(out.end(), later_than(samples, after), later_than(samples, upto));
}

// The ids of one selector are all ours or all the store's.
void PartsReader::read_latest(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                              std::span<double> values, std::span<std::int64_t> times) const {
  if (ids.empty() || !is_ours(ids[0])) return below_.read_latest(ids, after, upto, values, times);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::vector<Sample>& samples = row(ids[i]).samples;
    const auto next = later_than(samples, upto);
    const bool found = next != samples.begin() && std::prev(next)->at == upto;
    values[i] = found ? std::prev(next)->value : store::absent_value();
    times[i] = found ? to_millis(upto) : 0;
  }
}

std::vector<store::RowRun> PartsReader::runs_of(std::span<const SeriesId> ids) const {
  return ids.empty() || !is_ours(ids[0]) ? below_.runs_of(ids) : SeriesReader::runs_of(ids);
}

namespace {

// Whose runs are ours is said by their blocks: those of ours are series.
class PartsWindow : public store::WindowReader {
 public:
  using Reader = std::shared_ptr<const store::WindowReader>;
  PartsWindow(Reader ours, Reader below) : ours_(std::move(ours)), below_(std::move(below)) {}

  std::size_t read_ends(std::span<const store::RowRun> runs, store::EndsBatch& out) const override {
    return (is_ours(runs[0].block) ? ours_ : below_)->read_ends(runs, out);
  }

 private:
  const Reader ours_;
  const Reader below_;
};

}  // namespace

std::shared_ptr<const store::WindowReader> PartsReader::window(std::size_t runs, Timestamp after,
                                                               Timestamp upto) const {
  return std::make_shared<PartsWindow>(SeriesReader::window(runs, after, upto),
                                       below_.window(runs, after, upto));
}

std::size_t PartsReader::read_ends_ahead(std::span<const store::RowRun> runs,
                                         std::span<const store::Interval> windows,
                                         std::span<store::EndsBatch> out) const {
  if (is_ours(runs[0].block)) return SeriesReader::read_ends_ahead(runs, windows, out);
  return below_.read_ends_ahead(runs, windows, out);
}

void PartsReader::read_grid(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                            store::Grid& out) const {
  if (ids.empty() || !is_ours(ids[0])) return below_.read_grid(ids, after, upto, out);
  SeriesReader::read_grid(ids, after, upto, out);
}

void PartsReader::read_histograms(SeriesId id, Timestamp after, Timestamp upto,
                                  std::vector<HistogramSample>& out) const {
  if (!is_ours(id)) return below_.read_histograms(id, after, upto, out);
  const std::vector<HistogramSample>& samples = row(id).histograms;
  out.insert(out.end(), later_than(samples, after), later_than(samples, upto));
}

void PartsReader::read_latest_histograms(std::span<const SeriesId> ids, Timestamp after,
                                         Timestamp upto, std::span<HistogramPtr> histograms,
                                         std::span<std::int64_t> times) const {
  if (ids.empty() || !is_ours(ids[0])) {
    return below_.read_latest_histograms(ids, after, upto, histograms, times);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::vector<HistogramSample>& samples = row(ids[i]).histograms;
    const auto next = later_than(samples, upto);
    if (next == samples.begin() || std::prev(next)->at != upto) continue;
    histograms[i] = std::prev(next)->histogram;
    times[i] = to_millis(upto);
  }
}

}  // namespace tocsin::daemon
