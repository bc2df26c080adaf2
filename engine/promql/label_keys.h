// SPDX-License-Identifier: Apache-2.0
//
// Numbers label sets by some of their labels: the groups of an aggregation, the match groups of a
// join, the histograms that buckets belong to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/text_map.h"

namespace tocsin::promql {

class LabelKeys {
 public:
  enum class Mode { Only, Without };  // The labels that are named, or all others.

  LabelKeys(Mode mode, std::vector<std::string> names) : mode_(mode), names_(std::move(names)) {}

  // Label sets that agree in the labels that matter have the same number. Numbers count from 0.
  std::uint32_t number(const Labels& labels);
  std::uint32_t size() const { return static_cast<std::uint32_t>(numbers_.size()); }

  // The labels that matter.
  Labels project(const Labels& labels) const;

 private:
  Mode mode_;
  std::vector<std::string> names_;
  TextMap<std::uint32_t> numbers_;
  std::string key_;  // Of the last number(), kept for its memory.
};

}  // namespace tocsin::promql
