// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_files.h"

#include <algorithm>

#include "alert/template.h"
#include "base/file.h"

namespace tocsin::daemon {
namespace {

bool is_rule_test(const std::string& path) {
  return path.ends_with(".test.yaml") || path.ends_with(".test.yml");
}

bool contains(const std::vector<std::string>& patterns, const std::string& pattern) {
  return std::find(patterns.begin(), patterns.end(), pattern) != patterns.end();
}

bool names_files(const std::string& pattern) { return !find_rule_files({pattern}).empty(); }

}  // namespace

std::vector<std::string> find_rule_files(const std::vector<std::string>& patterns) {
  std::vector<std::string> out;
  for (const std::string& pattern : patterns) {
    for (std::string& path : glob_files(pattern)) {
      if (!contains(out, path) && !is_rule_test(path)) out.push_back(std::move(path));
    }
  }
  return out;
}

RuleFiles read_rule_files(const std::vector<std::string>& patterns,
                          const std::vector<std::string>& had_files,
                          const std::map<std::string, Place>& places) {
  const auto place_of = [&](const std::string& pattern) {
    const auto known = places.find(pattern);
    return known == places.end() ? Place{pattern, 0, 0, 1} : known->second;
  };
  RuleFiles out;
  auto& [files, problems] = out;
  for (const std::string& path : find_rule_files(patterns)) {
    auto bytes = read_file(path);
    if (bytes) {
      files.push_back({path, std::move(*bytes)});
    } else {
      problems.add({Severity::Error, "rule/unreadable", place_of(path), bytes.error().message, "",
                    "look at rule_files in the configuration", ""});
    }
  }
  problems.append(find_lost_files(patterns, had_files));
  for (const std::string& pattern : patterns) {
    if (contains(had_files, pattern) || names_files(pattern)) continue;
    problems.add({Severity::Warning, "rule/no-files", place_of(pattern),
                  "no rule file matches '" + pattern + "'", "", "look at rule_files", ""});
  }
  return out;
}

rule::Loaded load_rules(const std::vector<std::string>& patterns, rule::Memory memory,
                        const std::vector<std::string>& had_files) {
  auto [files, problems] = read_rule_files(patterns, had_files);
  rule::Loaded loaded = rule::load(files, {memory, alert::read_template});
  problems.append(loaded.diagnostics);
  loaded.diagnostics = std::move(problems);
  return loaded;
}

Diagnostics find_lost_files(const std::vector<std::string>& patterns,
                            const std::vector<std::string>& had_files) {
  Diagnostics problems;
  for (const std::string& pattern : patterns) {
    if (!contains(had_files, pattern) || names_files(pattern)) continue;
    problems.add({Severity::Error,
                  "rule/files-gone",
                  {pattern, 0, 0, 1},
                  "no rule file matches this pattern any more",
                  "",
                  "bring the files back or, if their rules are to go, take the pattern out of "
                  "rule_files in the configuration",
                  ""});
  }
  return problems;
}

std::vector<std::string> patterns_with_files(const std::vector<std::string>& patterns,
                                             const std::vector<std::string>& had_files) {
  std::vector<std::string> out;
  for (const std::string& pattern : patterns) {
    if (contains(had_files, pattern) || names_files(pattern)) out.push_back(pattern);
  }
  return out;
}

}  // namespace tocsin::daemon
