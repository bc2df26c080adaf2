// SPDX-License-Identifier: Apache-2.0
#include "source/keep_filter.h"

#include <algorithm>

namespace tocsin::source {
namespace {

const Matcher* name_equal(const Matchers& matchers) {
  const auto it = std::find_if(matchers.begin(), matchers.end(), [](const Matcher& m) {
    return m.name() == kMetricName && m.op() == Matcher::Op::Equal;
  });
  return it == matchers.end() ? nullptr : &*it;
}

bool may_have_name(const Matchers& matchers, std::string_view name) {
  return std::all_of(matchers.begin(), matchers.end(), [name](const Matcher& m) {
    return m.name() != kMetricName || m.matches(name);
  });
}

}  // namespace

KeepFilter::KeepFilter(std::vector<promql::Need> needs) : needs_(std::move(needs)) {
  for (std::uint32_t i = 0; i < needs_.size(); ++i) {
    const Matcher* name = name_equal(needs_[i].matchers);
    (name == nullptr ? any_name_ : by_name_[name->value()]).push_back(i);
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
