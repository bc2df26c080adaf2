// SPDX-License-Identifier: Apache-2.0
//
// Recording is what a recording rule makes of its answers over a stretch of slots: which series of
// the store each of them goes to. It is worked out once, not at every slot.
//
// One thread.
#pragma once

#include <optional>
#include <vector>

#include "tocsin/promql.h"
#include "tocsin/rule_set.h"
#include "tocsin/store.h"

namespace tocsin::replay {

class Recording {
 public:
  // Nothing where two of the answers would become the same series: some slots may then fail.
  static std::optional<Recording> of(const rule::Rule& rule, const promql::Matrix& answers);

  // The series of the answer with this index; made in the store when it is asked for first.
  store::SeriesId series(std::size_t answer, store::Store& store, store::BlockId block);

 private:
  std::vector<Labels> labels_;
  std::vector<std::optional<store::SeriesId>> ids_;
};

}  // namespace tocsin::replay
