// SPDX-License-Identifier: Apache-2.0
#include "state/change.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace tocsin::state {
namespace {

// While the disk refuses, old entries make room for new ones: an hour of it must not fill memory.
constexpr std::size_t kMostWaiting = 100'000;

template <class Map>
void overwrite(Map& values, Map& later) {
  later.merge(values);  // What both have stays with the later one.
  values = std::move(later);
}

template <class List>
void append(List& values, List& later) {
  std::move(later.begin(), later.end(), std::back_inserter(values));
  if (values.size() <= kMostWaiting) return;
  values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(kMostWaiting));
}

}  // namespace

bool AlertKey::operator<(const AlertKey& other) const {
  return std::tie(rule_id, labels) < std::tie(other.rule_id, other.labels);
}

bool Change::empty() const {
  return alerts.empty() && messages.empty() && groups.empty() && history.empty() &&
         samples.empty() && !history_from && !samples_from;
}

void Change::merge(Change later) {
  overwrite(alerts, later.alerts);
  overwrite(messages, later.messages);
  overwrite(groups, later.groups);
  append(history, later.history);
  append(samples, later.samples);
  history_from = std::max(history_from, later.history_from);
  samples_from = std::max(samples_from, later.samples_from);
}

}  // namespace tocsin::state
