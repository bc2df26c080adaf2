// SPDX-License-Identifier: Apache-2.0
//
// The order in which rules can be evaluated over a stretch of time at once, instead of instant by
// instant: whoever reads what another rule writes comes after it. Rules for which there is no such
// order (a rule that reads its own ALERTS, or what a later rule of its group wrote a slot ago) are
// evaluated slot by slot, with the rest of their group. Pure.
#pragma once

#include <vector>

#include "tocsin/rule_set.h"

namespace tocsin::replay {

// Rules of one group, by their indices in it.
struct Unit {
  std::size_t group = 0;
  std::vector<std::size_t> rules;
  bool slot_by_slot = false;  // Then it is all the rules of the group.
};

// Units of one stage read nothing of what the others of it write.
struct Stages {
  std::vector<std::vector<Unit>> units;
  // Groups read one another in a circle, and it was cut: one of them sees the other's results later
  // than it would.
  bool is_cut = false;
};
Stages stages_of(const rule::RuleSet& rules);

}  // namespace tocsin::replay
