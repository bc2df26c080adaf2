// SPDX-License-Identifier: Apache-2.0
//
// `# tocsin: disable=no-floor,short-window` in a rule file: warnings that somebody has looked at
// and does not want to see again. On a line of the rule, or above it, for the rule; so for a group;
// above `groups` for the file. Errors cannot be disabled. Pure.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"
#include "yaml/document.h"

namespace tocsin::rule {

class Suppressions {
 public:
  explicit Suppressions(const SourceFile& file);

  bool covers(const Diagnostic& diagnostic) const;

  // Codes that no check has, as warnings.
  const Diagnostics& problems() const { return problems_; }

 private:
  using Codes = std::set<std::string, std::less<>>;
  enum class Scope { Group, Rule };

  void add_scopes(const yaml::Node& groups);
  void read_line(const std::string& file, std::string_view line, int number);
  int scope_of(int line) const;
  int group_of(int line) const;

  std::map<int, Scope> scopes_;    // By their first line.
  std::map<int, int> moved_;       // Lines of comments above one, to its first.
  std::map<int, Codes> silenced_;  // By the scope's first line; 0 is the file.
  Diagnostics problems_;
};

// Those of `found` that no comment in the files silences.
Diagnostics without_silenced(const Diagnostics& found, std::span<const SourceFile> files);

}  // namespace tocsin::rule
