// SPDX-License-Identifier: Apache-2.0
//
// From the patterns of `rule_files` to a RuleSet.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

// The files that the patterns name, each once, in order. Rule tests (*.test.yaml, *.test.yml),
// which lie beside the rules that they test, are not among them.
std::vector<std::string> find_rule_files(const std::vector<std::string>& patterns);

// What the patterns name, as it stands in the files, and what cannot be read.
struct RuleFiles {
  std::vector<rule::SourceFile> files;
  Diagnostics problems;
};
// `places` say where the patterns stand that name nothing; without one, the pattern is the place.
RuleFiles read_rule_files(const std::vector<std::string>& patterns,
                          const std::vector<std::string>& had_files = {},
                          const std::map<std::string, Place>& places = {});

// Reads and checks them. A file that cannot be read is a diagnostic, like everything in it. So is a
// pattern without files: an error if it is among those that `had_files`, since a folder that is not
// mounted looks like rules that were taken away.
rule::Loaded load_rules(const std::vector<std::string>& patterns, rule::Memory memory,
                        const std::vector<std::string>& had_files = {});

// An error for each of `patterns` that `had_files` and names none now.
Diagnostics find_lost_files(const std::vector<std::string>& patterns,
                            const std::vector<std::string>& had_files);

// Of `patterns`, those that name files now, or are among those that `had_files`.
std::vector<std::string> patterns_with_files(const std::vector<std::string>& patterns,
                                             const std::vector<std::string>& had_files);

}  // namespace tocsin::daemon
