// SPDX-License-Identifier: Apache-2.0
//
// From the patterns of `rule_files` to a RuleSet.
#pragma once

#include <string>
#include <vector>

#include "tocsin/rule_set.h"

namespace tocsin::daemon {

// The files that the patterns name, each once, in order. Rule tests (*.test.yaml, *.test.yml),
// which lie beside the rules that they test, are not among them.
std::vector<std::string> find_rule_files(const std::vector<std::string>& patterns);

// Reads and checks them. A file that cannot be read is a diagnostic, like everything in it.
rule::Loaded load_rules(const std::vector<std::string>& patterns, rule::Memory memory);

}  // namespace tocsin::daemon
