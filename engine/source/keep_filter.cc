// SPDX-License-Identifier: Apache-2.0
#include "source/keep_filter.h"

#include <algorithm>

namespace tocsin::source {
namespace {

bool may_have_name(const Matchers& matchers, std::string_view name) {
  return std::all_of(matchers.begin(), matchers.end(), [name](const Matcher& m) {
    return m.name() != kMetricName || m.matches(name);
  });
}

}  // namespace

KeepFilter::KeepFilter(std::vector<promql::Need> needs) : needs_(std::move(needs)) {
  for (std::uint32_t i = 0; i < needs_.size(); ++i) {
    const auto name = metric_name_of(needs_[i].matchers);
    (name ? by_name_[std::string(*name)] : any_name_).push_back(i);
  }
}

bool KeepFilter::wants_name(std::string_view name) const {
  return by_name_.find(name) != by_name_.end() ||
         std::any_of(any_name_.begin(), any_name_.end(),
                     [&](std::uint32_t i) { return may_have_name(needs_[i].matchers, name); });
}

std::optional<Duration> KeepFilter::wants(const Labels& labels) const {
  std::optional<Duration> history;
  const auto ask = [&](const Indices& indices) {
    for (const std::uint32_t i : indices) {
      if (history && needs_[i].history <= *history) continue;
      if (matches_all(needs_[i].matchers, labels)) history = needs_[i].history;
    }
  };
  const auto named = by_name_.find(labels.metric_name());
  if (named != by_name_.end()) ask(named->second);
  ask(any_name_);
  return history;
}

}  // namespace tocsin::source
