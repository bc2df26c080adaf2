// SPDX-License-Identifier: Apache-2.0
//
// KeepFilter knows which series the rules read, and how far back: the store holds those and no
// others. It answers twice: quickly by the metric's name, while the labels of a line are still
// undecoded, and exactly by the labels. Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/promql.h"
#include "tocsin/text_map.h"

namespace tocsin::source {

class KeepFilter {
 public:
  explicit KeepFilter(std::vector<promql::Need> needs);

  // Whether a series of this name can be asked for.
  bool wants_name(std::string_view name) const;

  // How much history the series needs; nothing when nobody asks for it.
  std::optional<Duration> wants(const Labels& labels) const;

  const std::vector<promql::Need>& needs() const { return needs_; }

 private:
  using Indices = std::vector<std::uint32_t>;

  std::vector<promql::Need> needs_;
  TextMap<Indices> by_name_;
  Indices any_name_;  // Those that name no metric, or name it by a regular expression.
};

}  // namespace tocsin::source
