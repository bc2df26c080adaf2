// SPDX-License-Identifier: Apache-2.0
//
// SeriesReader is the door through which an evaluation sees samples. The store implements it over
// blocks; tests may implement it over literals. Everything behind one reader is one snapshot: it
// does not change while the reader is in use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tocsin/histogram.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/sample.h"

namespace tocsin::store {

// Names a series as long as version() of its metric name does not change.
using SeriesId = std::uint32_t;

// What rate(), increase() and delta() need to know of the samples of a window: enough for exactly
// Prometheus' extrapolation. With count == 0 the rest means nothing.
struct WindowEnds {
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  double first = 0;
  double last = 0;
  double resets = 0;  // Sum of the values lost at counter resets: what increase() adds.
  std::uint32_t count = 0;

  // The window's next sample.
  void add(std::int64_t at_ms, double value) {
    if (count == 0) {
      first_ms = at_ms;
      first = value;
    } else if (value < last) {
      resets += last;
    }
    last_ms = at_ms;
    last = value;
    ++count;
  }
};

// Series whose samples stand next to each other: in rows that follow one another, of a block whose
// series have their timestamps in common.
struct RowRun {
  std::uint32_t block = 0;
  std::uint32_t row = 0;  // The first.
  std::uint32_t count = 0;
};

// The ends of the windows of several series that have their timestamps in common. It looks into the
// reader, and holds as long as that does not change.
struct EndsBatch {
  static constexpr std::size_t kMostRows = 512;  // What the nearest cache holds.

  std::size_t rows = 0;
  // Of most rows the window has a sample at every timestamp, and no counter reset:
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::uint32_t count = 0;
  // Where the values of some rows stand, those of the next rows in the next piece; none if all rows
  // are others.
  struct Piece {
    const double* first = nullptr;
    const double* last = nullptr;
    std::uint32_t count = 0;
  };
  std::vector<Piece> pieces;
  // The other rows, whose values above mean nothing.
  struct Other {
    std::uint32_t row = 0;
    WindowEnds ends;
  };
  std::vector<Other> others;

  std::size_t sample_count() const {
    std::size_t samples = (rows - others.size()) * count;
    for (const Other& other : others) samples += other.ends.count;
    return samples;
  }
};

// What lies in (after, upto].
struct Interval {
  Timestamp after;
  Timestamp upto;
};

// The samples of several series, one window after another.
struct Windows {
  std::vector<Sample> samples;
  std::vector<std::size_t> ends;  // Where each window ends in `samples`.

  std::span<const Sample> operator[](std::size_t window) const {
    const std::size_t begin = window == 0 ? 0 : ends[window - 1];
    return {samples.data() + begin, ends[window] - begin};
  }
};

// The samples of several series that have their timestamps in common: a row for each series, a
// column for each timestamp.
struct Grid {
  static constexpr std::size_t kMostRows = 32;  // What the nearest caches hold.

  std::vector<std::int64_t> times_ms;  // Oldest first.
  std::vector<double> values;          // Row after row; absent_value() where there is no sample.
  std::size_t rows = 0;

  std::span<const double> row(std::size_t index) const {
    return {values.data() + index * times_ms.size(), times_ms.size()};
  }
  void clear() {
    times_ms.clear();
    rows = 0;
  }
};

// A series that was born, or forgotten.
struct SeriesChange {
  SeriesId id = 0;
  bool born = false;
};

// The windows (after, upto] of the series of a reader. Holds as long as the reader does not change.
class WindowReader {
 public:
  virtual ~WindowReader() = default;
  // Replaces `out` with the ends of the first of the runs: of as many as stand in the same block
  // and have room, and one at least. Returns how many.
  virtual std::size_t read_ends(std::span<const RowRun> runs, EndsBatch& out) const = 0;
};

class SeriesReader {
 public:
  virtual ~SeriesReader() = default;

  // Changes whenever a series whose metric name is `name` is born or forgotten; with an empty name,
  // whenever any is. Plans keep what they looked up until it does.
  virtual std::uint64_t version(std::string_view name) const = 0;

  // What changed since version() of `name` was `version`, the oldest first: an id may have been
  // given to another series meanwhile. Nothing if that is too long ago to be known.
  virtual std::optional<std::span<const SeriesChange>> changes_since(
      std::string_view /*name*/, std::uint64_t /*version*/) const {
    return std::nullopt;
  }

  // The series that match, in an order that stays the same while version() does.
  virtual std::vector<SeriesId> select(const Matchers& matchers) const = 0;

  virtual const Labels& labels(SeriesId id) const = 0;

  // Appends the samples in (after, upto], oldest first, stale markers left out.
  virtual void read(SeriesId id, Timestamp after, Timestamp upto,
                    std::vector<Sample>& out) const = 0;

  // Replaces `out` with what read() gives for each of the series.
  virtual void read_windows(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                            Windows& out) const;

  // The newest sample of each series in (after, upto]: values[i] and times[i] (milliseconds), or an
  // absent_value() where there is none or it is a stale marker. Spans have the length of `ids`.
  virtual void read_latest(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                           std::span<double> values, std::span<std::int64_t> times) const = 0;

  // What read_latest() gives at first, first + step, …: a vector of values for each, which has the
  // length of `ids` and holds absent_value() where there is none.
  virtual void read_latest_ahead(std::span<const SeriesId> ids, Duration lookback, Timestamp first,
                                 Duration step, std::span<std::vector<double>> values) const;

  // Of a block that runs_of() names: another number whenever something has been written to it. 0:
  // that is not known.
  virtual std::uint64_t written(std::uint32_t /*block*/) const { return 0; }

  // Where the series stand, in their order: for window(), as long as their ids hold. No run is
  // longer than an EndsBatch.
  virtual std::vector<RowRun> runs_of(std::span<const SeriesId> ids) const;

  // The window (after, upto], of which about `runs` runs will be read.
  virtual std::shared_ptr<const WindowReader> window(std::size_t runs, Timestamp after,
                                                     Timestamp upto) const;

  // Replaces `out`, by window, with what a WindowReader's read_ends() gives. `windows` move on:
  // none begins or ends before the one before it.
  virtual std::size_t read_ends_ahead(std::span<const RowRun> runs,
                                      std::span<const Interval> windows,
                                      std::span<EndsBatch> out) const;

  // Replaces `out` with what read() gives for the first of the series, chosen in the same way. For
  // windows that overlap, this is faster than one after another.
  virtual void read_grid(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                         Grid& out) const;

  // Native histograms stand beside the numbers: the functions above leave them out, and where the
  // newest sample of a series is one, read_latest() reports no sample.

  // False: there is not one, and nobody needs to ask further.
  virtual bool has_histograms() const { return false; }
  // As read().
  virtual void read_histograms(SeriesId, Timestamp /*after*/, Timestamp /*upto*/,
                               std::vector<HistogramSample>& /*out*/) const {}
  // As read_latest(), with null where the newest sample is not a histogram; a time is set only
  // where a histogram is.
  virtual void read_latest_histograms(std::span<const SeriesId>, Timestamp /*after*/,
                                      Timestamp /*upto*/, std::span<HistogramPtr> /*histograms*/,
                                      std::span<std::int64_t> /*times*/) const {}
};

// A NaN of its own: "no sample here". Never leaves the store and the evaluator.
inline constexpr std::uint64_t kAbsentBits = 0x7ff000000000000aULL;
inline double absent_value() { return std::bit_cast<double>(kAbsentBits); }
inline bool is_absent(double v) { return std::bit_cast<std::uint64_t>(v) == kAbsentBits; }

inline void SeriesReader::read_latest_ahead(std::span<const SeriesId> ids, Duration lookback,
                                            Timestamp first, Duration step,
                                            std::span<std::vector<double>> values) const {
  std::vector<std::int64_t> times(ids.size());
  for (std::vector<double>& at_step : values) {
    read_latest(ids, first - lookback, first, at_step, times);
    first += step;
  }
}

// For readers that know nothing of blocks: each series is its own.
inline std::vector<RowRun> SeriesReader::runs_of(std::span<const SeriesId> ids) const {
  std::vector<RowRun> out;
  for (const SeriesId id : ids) out.push_back({.block = id, .row = 0, .count = 1});
  return out;
}

class SampleWindow : public WindowReader {
 public:
  SampleWindow(const SeriesReader& reader, const Interval& interval)
      : reader_(reader), interval_(interval) {}

  std::size_t read_ends(std::span<const RowRun> runs, EndsBatch& out) const override {
    out.rows = 1;
    out.pieces.clear();
    out.others.clear();
    std::vector<Sample> samples;
    reader_.read(runs[0].block, interval_.after, interval_.upto, samples);
    WindowEnds& ends = out.others.emplace_back().ends;
    for (const Sample& sample : samples) ends.add(to_millis(sample.at), sample.value);
    return 1;
  }

 private:
  const SeriesReader& reader_;
  const Interval interval_;
};

inline std::shared_ptr<const WindowReader> SeriesReader::window(std::size_t /*runs*/,
                                                                Timestamp after,
                                                                Timestamp upto) const {
  return std::make_shared<SampleWindow>(*this, Interval{after, upto});
}

inline std::size_t SeriesReader::read_ends_ahead(std::span<const RowRun> runs,
                                                 std::span<const Interval> windows,
                                                 std::span<EndsBatch> out) const {
  std::size_t count = 0;
  for (std::size_t k = 0; k < windows.size(); ++k) {
    count = SampleWindow(*this, windows[k]).read_ends(runs, out[k]);
  }
  return count;
}

inline void SeriesReader::read_grid(std::span<const SeriesId> ids, Timestamp after, Timestamp upto,
                                    Grid& out) const {
  out.clear();
  if (ids.empty()) return;
  std::vector<Sample> samples;
  read(ids[0], after, upto, samples);
  out.rows = 1;
  out.values.resize(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    out.times_ms.push_back(to_millis(samples[i].at));
    out.values[i] = samples[i].value;
  }
}

inline void SeriesReader::read_windows(std::span<const SeriesId> ids, Timestamp after,
                                       Timestamp upto, Windows& out) const {
  out.samples.clear();
  out.ends.clear();
  for (const SeriesId id : ids) {
    read(id, after, upto, out.samples);
    out.ends.push_back(out.samples.size());
  }
}

}  // namespace tocsin::store
