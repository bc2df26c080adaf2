// SPDX-License-Identifier: Apache-2.0
//
// `# tocsin: disable=no-floor,short-window` in a rule file: warnings that somebody has looked at
// and does not want to see again. On a line of the rule, or right above it, for the rule; above
// `groups` for the file. Errors cannot be disabled. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/diagnostics.h"

namespace tocsin::rule {

class Suppressions {
 public:
  // `rule_lines` are the first lines of the file's rules.
  Suppressions(const std::string& file, std::string_view bytes, std::vector<int> rule_lines);

  bool covers(const Diagnostic& diagnostic) const;

  // Codes that no check has, as warnings.
  const Diagnostics& problems() const { return problems_; }

 private:
  using Codes = std::set<std::string, std::less<>>;

  void read_line(const std::string& file, std::string_view line, int number);
  int rule_of(int line) const;

  std::vector<int> rule_lines_;   // Sorted.
  std::map<int, int> moved_;      // Lines of comments right above a rule, to that rule's first.
  std::map<int, Codes> by_rule_;  // By the rule's first line; 0 is the file.
  Diagnostics problems_;
};

}  // namespace tocsin::rule
