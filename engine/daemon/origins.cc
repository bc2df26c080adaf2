// SPDX-License-Identifier: Apache-2.0
#include "daemon/origins.h"

#include <set>

#include "daemon/revision.h"

namespace tocsin::daemon {

Origins::Origins(const rule::RuleSet& rules) {
  std::map<std::string, std::string> revisions;
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      const auto [revision, is_new] = revisions.try_emplace(rule.place.file);
      if (is_new) revision->second = revision_of(rule.place.file);
      by_rule_id_[rule.id] = {rule.place.file, rule.place.line, revision->second};
    }
  }
}

const api::RuleOrigin& Origins::of(const rule::Rule& rule) const {
  static const api::RuleOrigin kNowhere;
  const auto it = by_rule_id_.find(rule.id);
  return it == by_rule_id_.end() ? kNowhere : it->second;
}

void Origins::add_to(std::vector<api::GroupStatus>& groups) const {
  for (api::GroupStatus& group : groups) {
    for (api::RuleStatus& status : group.rules) status.origin = of(*status.rule);
  }
}

std::vector<std::string> Origins::revisions() const {
  std::set<std::string> out;
  for (const auto& [id, origin] : by_rule_id_) out.insert(origin.revision);
  out.erase("");
  return {out.begin(), out.end()};
}

}  // namespace tocsin::daemon
