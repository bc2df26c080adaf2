// SPDX-License-Identifier: Apache-2.0
//
// The mesh conditions of rule files: `success_rate: {below: 99%, over: 5m}` → Condition, with the
// defaults filled in and everything reported that makes no sense. Compiling is compile.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/rule_set.h"
#include "yaml/mapping.h"

namespace tocsin::rule {

// A condition, and how long it must have held: `for` is the longer of this and the rule's own.
struct ReadCondition {
  Condition condition;
  Duration down_for{0};
};

// The condition that the mapping of a rule names, if any. Nothing, and a report, where it is broken
// or there are two.
std::optional<ReadCondition> read_condition(yaml::Mapping& rule);

// The keys of all of them.
std::vector<std::string> condition_keys();
// Notes all of them in the schema that `rule` is made with.
void describe_conditions(yaml::Mapping& rule);

// Whether a rule names a condition, broken or not.
bool has_condition(yaml::Mapping& rule);

}  // namespace tocsin::rule
