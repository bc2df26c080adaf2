// SPDX-License-Identifier: Apache-2.0
//
// Origins knows where every rule stands: file, line, and the revision of the file when it was read.
// Apart from the rules themselves, because a rule that has only moved is the same rule and goes on
// undisturbed. Immutable; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/backend.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

class Origins {
 public:
  Origins() = default;
  // Asks the file system for revisions.
  explicit Origins(const rule::RuleSet& rules);

  // Of a rule that is not known: nowhere.
  const api::RuleOrigin& of(const rule::Rule& rule) const;
  void add_to(std::vector<api::GroupStatus>& groups) const;

  // Those of all files, each once.
  std::vector<std::string> revisions() const;

 private:
  std::map<std::string, api::RuleOrigin> by_rule_id_;
};

}  // namespace tocsin::daemon
