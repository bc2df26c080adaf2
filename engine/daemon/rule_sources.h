// SPDX-License-Identifier: Apache-2.0
//
// RuleSources knows from which scraped metrics a rule draws, also through the recordings that it
// reads. Immutable, pure.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tocsin/rule_set.h"

namespace tocsin::daemon {

struct Sources {
  std::set<std::string, std::less<>> metrics;
  bool any = false;  // It may read whatever there is.
};

class RuleSources {
 public:
  RuleSources() = default;
  explicit RuleSources(const rule::RuleSet& rules);

  // Of a rule that is not known: any.
  const Sources& of(const rule::Rule& rule) const;

 private:
  using Recordings = std::multimap<std::string, const rule::Rule*, std::less<>>;
  static void add(const rule::Rule& rule, const Recordings& recordings,
                  std::set<const rule::Rule*>& seen, Sources& out);

  std::map<std::string, Sources> by_rule_id_;
};

}  // namespace tocsin::daemon
