// SPDX-License-Identifier: Apache-2.0
#include "promql/change.h"

#include "base/wide.h"

namespace tocsin::promql {
namespace {

double seconds_between(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) / 1000.0;
}

// How far the samples may be stretched towards an edge of the window: all the way when the gap
// looks like ordinary spacing, otherwise by half of it.
double stretch(double gap, double spacing) { return gap >= spacing * 1.1 ? spacing / 2 : gap; }

}  // namespace

Extrapolation::Extrapolation(const store::Interval& window, std::int64_t first_ms,
                             std::int64_t last_ms, std::size_t count, Per per)
    : sampled_(seconds_between(first_ms, last_ms)),
      divisor_(per == Per::Second ? to_seconds(window.upto - window.after) : 1) {
  const double spacing = sampled_ / static_cast<double>(count - 1);
  to_start_ = stretch(seconds_between(to_millis(window.after), first_ms), spacing);
  to_end_ = stretch(seconds_between(last_ms, to_millis(window.upto)), spacing);
  factor_ = factor_from(to_start_);
}

namespace {

// The changes of counters and gauges that do not cross zero. Whether a counter does.
TOCSIN_WIDE bool put_plain(const Extrapolation& regular, const double* first, const double* last,
                           std::size_t count, double* __restrict out) {
  int crosses = 0;  // A bool is none of the types of which compilers make vectors.
  for (std::size_t i = 0; i < count; ++i) {
    const double by = last[i] - first[i];
    out[i] = by * regular.factor();
    if (regular.crosses_zero(first[i], by)) crosses = 1;
  }
  return crosses != 0;
}

// The rows that have a sample at every timestamp, and no reset.
void put_regular(const Change& change, const store::EndsBatch& ends, const Extrapolation& regular,
                 std::span<double> out) {
  for (const auto& [first, last, count] : ends.pieces) {
    const bool crosses = put_plain(regular, first, last, count, out.data());
    for (std::size_t i = 0; crosses && i < count; ++i) {
      const double by = last[i] - first[i];
      out[i] = by * regular.factor(change.counts, first[i], by);
    }
    out = out.subspan(count);
  }
}

}  // namespace

const Extrapolation& KeptExtrapolation::get(const store::Interval& window, std::int64_t first_ms,
                                            std::int64_t last_ms, std::size_t count, Per per) {
  const Lie lie{first_ms - to_millis(window.after), last_ms - first_ms,
                to_millis(window.upto) - last_ms, count};
  if (lie != lie_) {
    lie_ = lie;
    kept_ = {window, first_ms, last_ms, count, per};
  }
  return kept_;
}

void Changes::put(const store::EndsBatch& ends, const store::Interval& window,
                  std::span<double> out) {
  if (!ends.pieces.empty()) {
    put_regular(change_, ends,
                regular_.get(window, ends.first_ms, ends.last_ms, ends.count, change_.per), out);
  }
  for (const auto& [row, e] : ends.others) {
    out[row] = store::absent_value();
    if (e.count < 2) continue;
    const Extrapolation& own = other_.get(window, e.first_ms, e.last_ms, e.count, change_.per);
    const double by = e.last - e.first + (change_.counts == Counts::Counter ? e.resets : 0.0);
    out[row] = by * own.factor(change_.counts, e.first, by);
  }
}

}  // namespace tocsin::promql
