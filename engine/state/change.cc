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
  for (auto& [key, value] : later) values.insert_or_assign(key, std::move(value));
}

// Returns how many entries made room: many at a time, so that it costs little for each.
template <class List>
std::size_t append(List& values, List& later) {
  std::move(later.begin(), later.end(), std::back_inserter(values));
  if (values.size() <= kMostWaiting + kMostWaiting / 4) return 0;
  const std::size_t dropped = values.size() - kMostWaiting;
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(dropped));
  return dropped;
}

}  // namespace

bool AlertKey::operator<(const AlertKey& other) const {
  return std::tie(rule_id, labels) < std::tie(other.rule_id, other.labels);
}

bool Change::empty() const { return size() == 0 && !history_from && !samples_from; }

std::size_t Change::size() const {
  return alerts.size() + messages.size() + groups.size() + settings.size() + silences.size() +
         history.size() + samples.size();
}

void Change::merge(Change later) {
  overwrite(alerts, later.alerts);
  overwrite(messages, later.messages);
  overwrite(groups, later.groups);
  overwrite(settings, later.settings);
  overwrite(silences, later.silences);
  dropped += later.dropped;
  dropped += append(history, later.history);
  dropped += append(samples, later.samples);
  history_from = std::max(history_from, later.history_from);
  samples_from = std::max(samples_from, later.samples_from);
}

}  // namespace tocsin::state
