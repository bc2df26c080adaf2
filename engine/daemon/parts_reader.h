// SPDX-License-Identifier: Apache-2.0
//
// PartsReader is the store with something laid over it: series that a Prometheus answered, under
// the reserved names of promql/split.h. A fetched vector has a value exactly at the instants that
// were asked for, and nothing in between.
//
// Series that were there in the last answer keep their ids, so that plans keep what they derived
// from them. Not thread-safe; reading needs the store's lock.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "tocsin/promql.h"
#include "tocsin/series_reader.h"

namespace tocsin::daemon {

class PartsReader : public store::SeriesReader {
 public:
  explicit PartsReader(const store::SeriesReader& below) : below_(below) {}

  // Replaces what part `index` reads. Fails with Limit when there is more than fits.
  Result<void> serve(std::size_t index, promql::Matrix series);

  std::uint64_t version(std::string_view name) const override;
  std::optional<std::span<const store::SeriesChange>> changes_since(
      std::string_view name, std::uint64_t version) const override;
  std::vector<store::SeriesId> select(const Matchers& matchers) const override;
  const Labels& labels(store::SeriesId id) const override;
  void read(store::SeriesId id, Timestamp after, Timestamp upto,
            std::vector<Sample>& out) const override;
  void read_latest(std::span<const store::SeriesId> ids, Timestamp after, Timestamp upto,
                   std::span<double> values, std::span<std::int64_t> times) const override;
  std::vector<store::RowRun> runs_of(std::span<const store::SeriesId> ids) const override;
  std::shared_ptr<const store::WindowReader> window(std::size_t runs, Timestamp after,
                                                    Timestamp upto) const override;
  std::size_t read_ends_ahead(std::span<const store::RowRun> runs,
                              std::span<const store::Interval> windows,
                              std::span<store::EndsBatch> out) const override;
  void read_grid(std::span<const store::SeriesId> ids, Timestamp after, Timestamp upto,
                 store::Grid& out) const override;
  bool has_histograms() const override { return has_histograms_ || below_.has_histograms(); }
  void read_histograms(store::SeriesId id, Timestamp after, Timestamp upto,
                       std::vector<HistogramSample>& out) const override;
  void read_latest_histograms(std::span<const store::SeriesId> ids, Timestamp after, Timestamp upto,
                              std::span<HistogramPtr> histograms,
                              std::span<std::int64_t> times) const override;

 private:
  struct Served {
    std::uint64_t version = 1;
    std::vector<promql::Series> rows;  // Those without samples are of former answers.
    std::unordered_map<Labels, std::uint32_t> row_of;
  };

  const promql::Series& row(store::SeriesId id) const;

  const store::SeriesReader& below_;
  std::vector<Served> parts_;
  bool has_histograms_ = false;  // Once a part had one.
};

}  // namespace tocsin::daemon
