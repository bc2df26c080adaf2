// SPDX-License-Identifier: Apache-2.0
#include "replay/stages.h"

#include <algorithm>
#include <string>

#include "daemon/group_plan.h"

namespace tocsin::replay {
namespace {

bool reads(const rule::Rule& reader, const rule::Rule& writer) {
  return daemon::reads_any(reader, daemon::names_written(writer));
}

// Whether a rule of the group needs the past of itself or of one that comes later.
bool looks_back_at_itself(const rule::Group& group) {
  for (std::size_t i = 0; i < group.rules.size(); ++i) {
    for (std::size_t j = i; j < group.rules.size(); ++j) {
      if (reads(group.rules[i], group.rules[j])) return true;
    }
  }
  return false;
}

std::vector<Unit> units_of(const rule::RuleSet& rules) {
  std::vector<Unit> out;
  for (std::size_t g = 0; g < rules.groups.size(); ++g) {
    const rule::Group& group = rules.groups[g];
    const bool slot_by_slot = looks_back_at_itself(group);
    for (std::size_t r = 0; r < group.rules.size(); ++r) {
      if (!slot_by_slot || r == 0) out.push_back({g, {}, slot_by_slot});
      out.back().rules.push_back(r);
    }
  }
  return out;
}

bool reads(const rule::RuleSet& rules, const Unit& reader, const Unit& writer) {
  for (const std::size_t r : reader.rules) {
    for (const std::size_t w : writer.rules) {
      if (reads(rules.groups[reader.group].rules[r], rules.groups[writer.group].rules[w])) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Stages stages_of(const rule::RuleSet& rules) {
  std::vector<Unit> left = units_of(rules);
  Stages stages;
  while (!left.empty()) {
    std::vector<Unit> ready;
    std::vector<Unit> waiting;
    for (const Unit& unit : left) {
      const bool waits = std::any_of(left.begin(), left.end(), [&](const Unit& other) {
        return &other != &unit && reads(rules, unit, other);
      });
      (waits ? waiting : ready).push_back(unit);
    }
    if (ready.empty()) {
      stages.is_cut = true;
      ready.push_back(waiting.front());
      waiting.erase(waiting.begin());
    }
    stages.units.push_back(std::move(ready));
    left = std::move(waiting);
  }
  return stages;
}

}  // namespace tocsin::replay
