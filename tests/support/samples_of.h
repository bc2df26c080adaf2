// SPDX-License-Identifier: Apache-2.0
//
// Reads a store the way a test wants to compare it: as text.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::testing {

// The matchers of a selector.
inline Matchers matchers_of(const std::string& selector) {
  const auto expr = promql::parse(selector);
  if (!expr) return {};
  return promql::needs_of(**expr).at(0).matchers;
}

// The needs of an expression.
inline std::vector<promql::Need> needs_of(const std::string& text) {
  const auto expr = promql::parse(text);
  return expr ? promql::needs_of(**expr) : std::vector<promql::Need>();
}

// One line per matching series, sorted: its labels, then its values in (after, upto].
inline std::vector<std::string> samples_of(const store::Store& store, const std::string& selector,
                                           Timestamp after, Timestamp upto) {
  const auto lock = store.lock_for_read();
  std::vector<std::string> lines;
  for (const store::SeriesId id : store.select(matchers_of(selector))) {
    std::vector<Sample> samples;
    store.read(id, after, upto, samples);
    std::string line = store.labels(id).text();
    for (const Sample& sample : samples) line += " " + format_value(sample.value);
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// One line per matching series that has a value at `at`, as an instant selector sees it.
inline std::vector<std::string> values_at(const store::Store& store, const std::string& selector,
                                          Timestamp at) {
  const auto lock = store.lock_for_read();
  std::vector<std::string> lines;
  const auto ids = store.select(matchers_of(selector));
  std::vector<double> values(ids.size());
  std::vector<std::int64_t> times(ids.size());
  store.read_latest(ids, at - std::chrono::minutes(5), at, values, times);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!store::is_absent(values[i])) {
      lines.push_back(store.labels(ids[i]).text() + " " + format_value(values[i]));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace tocsin::testing
