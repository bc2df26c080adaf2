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

}  // namespace

std::vector<std::string> find_rule_files(const std::vector<std::string>& patterns) {
  std::vector<std::string> out;
  for (const std::string& pattern : patterns) {
    for (std::string& path : glob_files(pattern)) {
      const bool known = std::find(out.begin(), out.end(), path) != out.end();
      if (!known && !is_rule_test(path)) out.push_back(std::move(path));
    }
  }
  return out;
}

rule::Loaded load_rules(const std::vector<std::string>& patterns, rule::Memory memory) {
  std::vector<rule::SourceFile> files;
  Diagnostics problems;
  for (const std::string& path : find_rule_files(patterns)) {
    auto bytes = read_file(path);
    if (bytes) {
      files.push_back({path, std::move(*bytes)});
    } else {
      problems.add({Severity::Error,
                    "rule/unreadable",
                    {path, 0, 0, 1},
                    bytes.error().message,
                    "",
                    "look at rule_files in the configuration",
                    ""});
    }
  }
  for (const std::string& pattern : patterns) {
    if (!find_rule_files({pattern}).empty()) continue;
    problems.add({Severity::Warning,
                  "rule/no-files",
                  {pattern, 0, 0, 1},
                  "no rule file matches this pattern",
                  "",
                  "look at rule_files",
                  ""});
  }
  rule::Loaded loaded = rule::load(files, {memory, alert::template_problem});
  problems.append(loaded.diagnostics);
  loaded.diagnostics = std::move(problems);
  return loaded;
}

}  // namespace tocsin::daemon
