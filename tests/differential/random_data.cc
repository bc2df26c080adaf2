// SPDX-License-Identifier: Apache-2.0
#include "differential/random_data.h"

#include <algorithm>
#include <limits>
#include <map>

namespace tocsin::differential {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::int64_t kMostIncrement = 20;
// A counter that is born or comes back from a gap is at least here: where windows begin in a gap,
// Prometheus 2.42 and 3 extrapolate small values differently.
constexpr std::int64_t kBirthValue = 100 * kMostIncrement;
constexpr int kQuietAfterGap = 5;  // Samples without a reset.

// When a series is scraped, and when it is not.
struct Rhythm {
  std::int64_t interval_ms;
  std::int64_t jitter_ms;
  std::size_t gaps_in_1000;    // Chance that a gap begins at a scrape.
  std::size_t deaths_in_1000;  // The same, with a stale marker.
};

Rhythm rhythm_of(MetricKind kind, Dice& dice) {
  const std::int64_t interval = dice.pick({15'000, 15'000, 30'000, 60'000});
  // What rate() reads is regular, or it would depend on the version where zero is.
  const bool regular = kind == MetricKind::Counter || kind == MetricKind::Bucket;
  return {interval, regular ? interval / 50 : interval / 4, 8, 6};
}

std::int64_t off_the_second(std::int64_t ms) {
  const std::int64_t within = ms % 1000;
  return ms - within + std::clamp<std::int64_t>(within, 5, 995);
}

// Walks through the scrapes of one series: visit(time, is_first_after_gap) for each, mark(time)
// where a stale marker belongs.
template <class Visit, class Mark>
void walk(const Rhythm& rhythm, Dice& dice, Visit visit, Mark mark) {
  const std::int64_t start = to_millis(kDataStart);
  const std::int64_t end = start + kDataLength.count();
  std::int64_t at = start + dice.between(1, rhythm.interval_ms);
  if (dice.one_in(4)) at += dice.between(0, 60) * 60'000;  // Born later.
  bool is_first = true;
  for (; at < end; at += rhythm.interval_ms) {
    const std::int64_t time = off_the_second(at + dice.between(0, rhythm.jitter_ms));
    const std::size_t fate = dice.below(1000);
    if (fate < rhythm.gaps_in_1000 + rhythm.deaths_in_1000) {
      if (fate >= rhythm.gaps_in_1000) mark(time);
      at += dice.between(1, 40) * 30'000;
      is_first = true;
      continue;
    }
    visit(time, is_first);
    is_first = false;
  }
}

class CounterValue {
 public:
  explicit CounterValue(Dice& dice) : dice_(dice), value_(kBirthValue + dice.between(0, 5000)) {}

  std::int64_t next(bool is_first) {
    quiet_ = is_first ? kQuietAfterGap : quiet_ - 1;
    if (is_first) value_ = std::max(value_, kBirthValue);
    if (quiet_ <= 0 && dice_.one_in(60)) {
      value_ = dice_.between(0, kMostIncrement);
    } else if (!dice_.one_in(5)) {
      value_ += dice_.between(0, kMostIncrement);
    }
    return value_;
  }

 private:
  Dice& dice_;
  std::int64_t value_;
  int quiet_ = kQuietAfterGap;
};

double gauge_value(MetricKind kind, Dice& dice) {
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  switch (kind) {
    case MetricKind::Whole:
      return static_cast<double>(dice.between(0, 12));
    case MetricKind::Real:
      return 100.0 * dice.fraction() - 20.0;
    case MetricKind::Odd:
      return dice.pick({normal_nan(), kInf, -kInf, 0.0, -0.0, 1.5, -7.0, 1e300, 3.0, 3.0});
    default:
      return 1;
  }
}

RandomSeries scalar_series(const Metric& metric, Pairs labels, Dice& dice) {
  labels.emplace_back("__name__", metric.name);
  RandomSeries out{Labels(std::move(labels)), {}};
  CounterValue counter(dice);
  walk(
      rhythm_of(metric.kind, dice), dice,
      [&](std::int64_t time, bool is_first) {
        const double value = metric.kind == MetricKind::Counter
                                 ? static_cast<double>(counter.next(is_first))
                                 : gauge_value(metric.kind, dice);
        out.samples.push_back({from_millis(time), value});
      },
      [&](std::int64_t time) {
        out.samples.push_back({from_millis(time), stale_nan()});
      });
  return out;
}

// The buckets of one histogram: scraped together, started anew together.
void add_histogram(const Metric& metric, const Pairs& labels, Dice& dice,
                   std::vector<RandomSeries>& out) {
  const auto& bounds = values_of("le");
  const std::size_t begin = out.size();
  for (const std::string& bound : bounds) {
    Pairs all = labels;
    all.emplace_back("le", bound);
    all.emplace_back("__name__", metric.name);
    out.push_back({Labels(std::move(all)), {}});
  }
  std::vector<std::int64_t> counts(bounds.size(), kBirthValue);
  int quiet = 0;
  walk(
      rhythm_of(metric.kind, dice), dice,
      [&](std::int64_t time, bool is_first) {
        quiet = is_first ? kQuietAfterGap : quiet - 1;
        const bool starts_anew = quiet <= 0 && dice.one_in(60);
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < bounds.size(); ++i) {
          if (is_first) counts[i] = std::max(counts[i], kBirthValue);
          counts[i] = (starts_anew ? 0 : counts[i]) + dice.between(0, 5);
          sum += counts[i];
          out[begin + i].samples.push_back({from_millis(time), static_cast<double>(sum)});
        }
      },
      [&](std::int64_t time) {
        for (std::size_t i = 0; i < bounds.size(); ++i) {
          out[begin + i].samples.push_back({from_millis(time), stale_nan()});
        }
      });
}

// All combinations of the values of `names`, from the `index`th name on.
void combine(const std::vector<std::string>& names, std::size_t index, Pairs& pairs,
             std::vector<Pairs>& out) {
  if (index == names.size()) {
    out.push_back(pairs);
    return;
  }
  for (const std::string& value : values_of(names[index])) {
    pairs.emplace_back(names[index], value);
    combine(names, index + 1, pairs, out);
    pairs.pop_back();
  }
}

}  // namespace

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> kMetrics{
      {"requests_total", MetricKind::Counter, {"job", "pod", "code"}},
      {"errors_total", MetricKind::Counter, {"job", "pod"}},
      {"queue", MetricKind::Whole, {"job", "pod"}},
      {"temperature", MetricKind::Real, {"pod", "zone"}},
      {"load", MetricKind::Real, {"job", "pod"}},
      {"odd", MetricKind::Odd, {"pod"}},
      {"info", MetricKind::Info, {"pod", "zone", "version"}},
      {"latency_bucket", MetricKind::Bucket, {"job", "pod", "le"}},
  };
  return kMetrics;
}

const std::vector<std::string>& values_of(const std::string& label) {
  static const std::map<std::string, std::vector<std::string>> kValues{
      {"job", {"api", "db", "web"}},  {"pod", {"p-0", "p-1", "q-0"}},
      {"code", {"200", "500"}},       {"zone", {"a", "b"}},
      {"version", {"1.0", "2.0-rc"}}, {"le", {"0.1", "0.5", "1", "5", "+Inf"}},
  };
  return kValues.at(label);
}

std::vector<RandomSeries> random_series(Dice& dice) {
  std::vector<RandomSeries> out;
  for (const Metric& metric : metrics()) {
    std::vector<std::string> names = metric.labels;
    if (metric.kind == MetricKind::Bucket) names.pop_back();
    std::vector<Pairs> combinations;
    Pairs pairs;
    combine(names, 0, pairs, combinations);
    for (const Pairs& labels : combinations) {
      // One version of a pod at a time and place, so that it can be joined with.
      if (metric.kind == MetricKind::Info && dice.one_in(2)) continue;
      if (dice.one_in(12)) continue;
      if (metric.kind == MetricKind::Bucket) {
        add_histogram(metric, labels, dice, out);
      } else {
        out.push_back(scalar_series(metric, labels, dice));
      }
    }
  }
  std::erase_if(out, [](const RandomSeries& series) { return series.samples.empty(); });
  return out;
}

}  // namespace tocsin::differential
