// SPDX-License-Identifier: Apache-2.0
//
// Range functions over windows with native histograms. What is not in the table at the end leaves
// them out.
#include <algorithm>
#include <array>
#include <cmath>

#include "promql/change.h"
#include "promql/function_list.h"
#include "promql/histogram_eval.h"

namespace tocsin::promql {
namespace {

using Hint = Histogram::ResetHint;

struct MixedWindow {
  Window numbers;                               // Its samples may be empty.
  std::span<const HistogramSample> histograms;  // Never empty.
  std::string_view metric;
  const Expr& about;
  Annotations& annotations;

  void warn(std::string_view what) const {
    annotations.warn(std::string(what) + " " + quote(metric), about);
  }
  // Warns if there are numbers, too.
  bool is_mixed() const {
    if (numbers.samples.empty()) return false;
    warn("encountered a mix of histograms and floats for metric name");
    return true;
  }
  // Warns if there is a conflict.
  bool is_conflict(std::optional<HistogramConflict> conflict) const {
    if (conflict) note_conflict(*conflict, metric, about, annotations);
    return conflict.has_value();
  }
};

MixedSample sample_of(Histogram histogram) {
  return {store::absent_value(), std::make_shared<const Histogram>(std::move(histogram))};
}

bool is_gauge(const HistogramSample& sample) { return sample.histogram->reset_hint == Hint::Gauge; }

// Warns if the histograms are not of the kind that the function is for.
void check_kind(const MixedWindow& w, Counts counts) {
  const auto& h = w.histograms;
  if (counts == Counts::Counter && std::any_of(h.begin(), h.end(), is_gauge)) {
    w.warn("this native histogram metric is not a counter:");
  }
  if (counts == Counts::Gauge && !(is_gauge(h.front()) && is_gauge(h.back()))) {
    w.warn("this native histogram metric is not a gauge:");
  }
}

// What is lost at counter resets is added to `change`; false where it does not fit.
bool add_resets(const MixedWindow& w, const Histogram& first, Histogram& change) {
  const Histogram* before = &first;
  for (const HistogramSample& sample : w.histograms.subspan(1)) {
    const Histogram& now = *sample.histogram;
    if (is_reset(now, *before) && w.is_conflict(add(change, *before))) return false;
    before = &now;
  }
  return true;
}

// From the first histogram to the last.
std::optional<Histogram> change_inside(const MixedWindow& w, Counts counts) {
  const bool is_counter = counts == Counts::Counter;
  Histogram first = *w.histograms.front().histogram;
  const Histogram& second = *w.histograms[1].histogram;
  Histogram change = *w.histograms.back().histogram;
  check_kind(w, counts);
  if (is_counter && is_reset(second, first)) {
    // The first is as good as none: nothing of it has to fit.
    first = Histogram{.schema = second.schema, .custom_bounds = second.custom_bounds};
  }
  for (const HistogramSample& sample : w.histograms.subspan(1)) {
    const bool looked_at = is_counter || &sample == &w.histograms.back();
    if (looked_at && sample.histogram->has_custom_bounds() != first.has_custom_bounds()) {
      w.is_conflict(HistogramConflict::Schemas);
      return std::nullopt;
    }
  }
  if (w.is_conflict(subtract(change, first))) return std::nullopt;
  if (is_counter && !add_resets(w, first, change)) return std::nullopt;
  change.reset_hint = Hint::Gauge;
  return change;
}

template <Counts counts, Per per>
MixedSample mixed_change(const MixedWindow& w) {
  if (w.is_mixed() || w.histograms.size() < 2) return {};
  auto change = change_inside(w, counts);
  if (!change) return {};
  const Extrapolation extrapolation({w.numbers.from, w.numbers.upto},
                                    to_millis(w.histograms.front().at),
                                    to_millis(w.histograms.back().at), w.histograms.size(), per);
  // As Prometheus 3.5 has it, counters of histograms are stretched past zero, too.
  multiply(*change, extrapolation.factor(Counts::Gauge, 0, 0));
  return sample_of(std::move(*change));
}

// The samples of both kinds, in order of time.
struct TimedSample {
  Timestamp at;
  double number = 0;
  const Histogram* histogram = nullptr;
};
std::vector<TimedSample> merged(const MixedWindow& w) {
  std::vector<TimedSample> out;
  for (const Sample& sample : w.numbers.samples) out.push_back({sample.at, sample.value});
  for (const HistogramSample& sample : w.histograms) {
    out.push_back({sample.at, 0, sample.histogram.get()});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const TimedSample& a, const TimedSample& b) { return a.at < b.at; });
  return out;
}

// irate() and idelta(), which look at the last two samples.
MixedSample last_change(const MixedWindow& w, Counts counts, RangeFunction of_numbers) {
  const std::vector<TimedSample> samples = merged(w);
  if (samples.size() < 2) return {};
  const TimedSample& last = samples[samples.size() - 1];
  const TimedSample& before = samples[samples.size() - 2];
  if (!last.histogram && !before.histogram) {
    return {of_numbers(w.numbers, {}).value_or(store::absent_value()), nullptr};
  }
  if (!last.histogram || !before.histogram) {
    w.is_mixed();
    return {};
  }
  MixedWindow two = w;
  two.histograms = w.histograms.last(2);
  check_kind(two, counts);
  Histogram out = *last.histogram;
  const bool reset = counts == Counts::Counter && is_reset(out, *before.histogram);
  if (!reset && w.is_conflict(subtract(out, *before.histogram))) return {};
  out.reset_hint = Hint::Gauge;
  compact(out);
  if (counts == Counts::Counter) divide(out, to_seconds(last.at - before.at));
  return sample_of(std::move(out));
}

MixedSample mixed_irate(const MixedWindow& w) { return last_change(w, Counts::Counter, irate); }
MixedSample mixed_idelta(const MixedWindow& w) { return last_change(w, Counts::Gauge, idelta); }

// Counts the samples that `differs(before, now)` from the one before; another kind always differs.
template <class OfNumbers, class OfHistograms>
MixedSample count_steps(const MixedWindow& w, OfNumbers of_numbers, OfHistograms of_histograms) {
  const std::vector<TimedSample> samples = merged(w);
  int count = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const TimedSample& before = samples[i - 1];
    const TimedSample& now = samples[i];
    const bool differs = (!before.histogram) != (!now.histogram) ||
                         (now.histogram ? of_histograms(*before.histogram, *now.histogram)
                                        : of_numbers(before.number, now.number));
    if (differs) ++count;
  }
  return {static_cast<double>(count), nullptr};
}

MixedSample mixed_resets(const MixedWindow& w) {
  return count_steps(
      w, [](double before, double now) { return now < before; },
      [](const Histogram& before, const Histogram& now) { return is_reset(now, before); });
}

MixedSample mixed_changes(const MixedWindow& w) {
  return count_steps(
      w,
      [](double before, double now) {
        return before != now && !(std::isnan(before) && std::isnan(now));
      },
      [](const Histogram& before, const Histogram& now) { return !is_same(before, now); });
}

std::optional<Histogram> sum_of(const MixedWindow& w) {
  if (w.is_mixed()) return std::nullopt;
  Histogram sum = *w.histograms.front().histogram;
  for (const HistogramSample& sample : w.histograms.subspan(1)) {
    if (w.is_conflict(add(sum, *sample.histogram))) return std::nullopt;
  }
  return sum;
}

MixedSample mixed_sum(const MixedWindow& w) {
  auto sum = sum_of(w);
  return sum ? sample_of(std::move(*sum)) : MixedSample{};
}

MixedSample mixed_avg(const MixedWindow& w) {
  auto sum = sum_of(w);
  if (!sum) return {};
  divide(*sum, static_cast<double>(w.histograms.size()));
  return sample_of(std::move(*sum));
}

MixedSample mixed_count(const MixedWindow& w) {
  return {static_cast<double>(w.numbers.samples.size() + w.histograms.size()), nullptr};
}

MixedSample mixed_present(const MixedWindow&) { return {1, nullptr}; }

MixedSample mixed_first(const MixedWindow& w) {
  const auto& numbers = w.numbers.samples;
  const HistogramSample& first = w.histograms.front();
  if (!numbers.empty() && numbers.front().at < first.at) return {numbers.front().value, nullptr};
  return {store::absent_value(), first.histogram};
}

MixedSample mixed_last(const MixedWindow& w) {
  const auto& numbers = w.numbers.samples;
  const HistogramSample& last = w.histograms.back();
  if (!numbers.empty() && numbers.back().at > last.at) return {numbers.back().value, nullptr};
  return {store::absent_value(), last.histogram};
}

MixedSample mixed_ts_of_first(const MixedWindow& w) {
  return {to_seconds(merged(w).front().at), nullptr};
}
MixedSample mixed_ts_of_last(const MixedWindow& w) {
  return {to_seconds(merged(w).back().at), nullptr};
}

using MixedFunction = MixedSample (*)(const MixedWindow&);

constexpr std::array<std::pair<std::string_view, MixedFunction>, 15> kMixedFunctions{{
    {"avg_over_time", mixed_avg},
    {"changes", mixed_changes},
    {"count_over_time", mixed_count},
    {"delta", mixed_change<Counts::Gauge, Per::Window>},
    {"first_over_time", mixed_first},
    {"idelta", mixed_idelta},
    {"increase", mixed_change<Counts::Counter, Per::Window>},
    {"irate", mixed_irate},
    {"last_over_time", mixed_last},
    {"present_over_time", mixed_present},
    {"rate", mixed_change<Counts::Counter, Per::Second>},
    {"resets", mixed_resets},
    {"sum_over_time", mixed_sum},
    {"ts_of_first_over_time", mixed_ts_of_first},
    {"ts_of_last_over_time", mixed_ts_of_last},
}};

MixedFunction mixed_function(std::string_view name) {
  for (const auto& [known, function] : kMixedFunctions) {
    if (known == name) return function;
  }
  return nullptr;
}

}  // namespace

void evaluate_histograms(const Call& call, RangeNode& argument, Context& context, Frame& out) {
  const MixedFunction function = mixed_function(call.function->name);
  const Expr& about = *call.args.front();
  std::vector<Sample> numbers;
  std::vector<HistogramSample> histograms;
  for (std::size_t row = 0; row < out.values.size(); ++row) {
    argument.histograms(row, histograms);
    if (histograms.empty()) continue;
    argument.samples(row, numbers);
    const std::string_view metric = argument.shape()->rows[row].labels.metric_name();
    if (function) {
      const Window window{numbers, argument.from(), argument.upto(), context.at};
      put(out, row, function({window, histograms, metric, about, context.annotations}));
    } else if (!numbers.empty()) {
      context.annotations.inform(
          "ignored histograms in a range containing both floats and histograms for metric name " +
              quote(metric),
          about);
    }
  }
}

}  // namespace tocsin::promql
