// SPDX-License-Identifier: Apache-2.0
//
// Random series as a Prometheus might have scraped them: counters that start anew, gauges, pods
// that come and go, gaps, stale markers, NaN and infinities, histograms with `le` buckets.
//
// No sample is taken within 5 ms of a whole second. Times, windows, offsets and steps of the random
// expressions are whole seconds, so that it does not matter on which side a window is open.
#pragma once

#include <string>
#include <vector>

#include "differential/random.h"
#include "tocsin/labels.h"
#include "tocsin/sample.h"

namespace tocsin::differential {

struct RandomSeries {
  Labels labels;
  std::vector<Sample> samples;  // In order; stale markers among them.
};

inline constexpr Timestamp kDataStart = from_millis(1'700'000'000'000);
inline constexpr Duration kDataLength = std::chrono::minutes(150);

// What its values are; decides what can be compared exactly.
enum class MetricKind {
  Counter,  // Whole numbers.
  Whole,    // A gauge of small whole numbers.
  Real,     // A gauge of random numbers, no two the same.
  Odd,      // A gauge with NaN and infinities.
  Info,     // Always 1.
  Bucket    // Of a classic histogram: counters.
};

struct Metric {
  std::string name;
  MetricKind kind;
  std::vector<std::string> labels;
};
const std::vector<Metric>& metrics();
// The values of a label that there are in the data.
const std::vector<std::string>& values_of(const std::string& label);

std::vector<RandomSeries> random_series(Dice& dice);

}  // namespace tocsin::differential
