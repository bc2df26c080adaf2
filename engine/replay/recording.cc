// SPDX-License-Identifier: Apache-2.0
#include "replay/recording.h"

#include <unordered_set>

#include "alert/rule_life.h"

namespace tocsin::replay {

std::optional<Recording> Recording::of(const rule::Rule& rule, const promql::Matrix& answers) {
  Recording recording;
  std::unordered_set<Labels> seen;
  for (const promql::Series& series : answers) {
    recording.labels_.push_back(alert::RuleLife::recorded_labels(rule, series.labels));
    if (!seen.insert(recording.labels_.back()).second) return std::nullopt;
  }
  recording.ids_.resize(answers.size());
  return recording;
}

store::SeriesId Recording::series(std::size_t answer, store::Store& store, store::BlockId block) {
  std::optional<store::SeriesId>& id = ids_[answer];
  if (!id) id = store.add_series(block, labels_[answer], false);
  return *id;
}

}  // namespace tocsin::replay
