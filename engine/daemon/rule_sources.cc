// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_sources.h"

namespace tocsin::daemon {

RuleSources::RuleSources(const rule::RuleSet& rules) {
  Recordings recordings;
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      if (rule.kind == rule::RuleKind::Record) recordings.emplace(rule.name, &rule);
    }
  }
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      std::set<const rule::Rule*> seen;
      add(rule, recordings, seen, by_rule_id_[rule.id]);
    }
  }
}

const Sources& RuleSources::of(const rule::Rule& rule) const {
  static const Sources kAny{{}, true};
  const auto it = by_rule_id_.find(rule.id);
  return it == by_rule_id_.end() ? kAny : it->second;
}

void RuleSources::add(const rule::Rule& rule, const Recordings& recordings,
                      std::set<const rule::Rule*>& seen, Sources& out) {
  if (!seen.insert(&rule).second) return;
  for (const promql::Need& need : promql::needs_of(*rule.expr)) {
    const auto name = metric_name_of(need.matchers);
    if (!name) {
      out.any = true;
      continue;
    }
    const auto [first, last] = recordings.equal_range(*name);
    if (first == last) out.metrics.emplace(*name);
    for (auto it = first; it != last; ++it) add(*it->second, recordings, seen, out);
  }
}

}  // namespace tocsin::daemon
