// SPDX-License-Identifier: Apache-2.0
//
// Two versions of a set of rules beside each other: what came, what went, and what changed in which
// way. In the words of the files: a mesh condition is compared by what it says, not by the PromQL
// that it compiles to. Pure.
#pragma once

#include <string>
#include <vector>

#include "tocsin/rule_set.h"

namespace tocsin::rule {

struct FieldChange {
  std::string field;   // "for", "expr", "below", "label severity", "annotation summary"
  std::string before;  // Empty: it was not there.
  std::string after;   // Empty: it is not there any more.

  bool operator==(const FieldChange&) const = default;
};

struct RuleChange {
  enum class Kind { Added, Removed, Changed };
  Kind kind = Kind::Changed;
  std::string group;
  std::string name;
  Place place;                      // In the new version; of a removed rule in the old one.
  std::vector<FieldChange> fields;  // Of a changed rule.
};

// In the order of the new version, what was removed at the end. A rule that has only moved, into
// another group or file, has not changed.
std::vector<RuleChange> changes_between(const RuleSet& before, const RuleSet& after);

}  // namespace tocsin::rule
