// SPDX-License-Identifier: Apache-2.0
#include "rule/suppressions.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "rule/kubernetes.h"
#include "rule/lint.h"

namespace tocsin::rule {
namespace {

constexpr std::string_view kMark = "tocsin: disable=";
constexpr std::string_view kLint = "lint/";
// Warnings that are not in the list of checks.
constexpr std::string_view kOthers[] = {"promql/note", "rule/value-in-label", "rule/duplicate",
                                        "rule/always-true", "data/no-series"};

// "no-floor" is "lint/no-floor".
std::string full_code(std::string_view code) {
  const bool is_short = code.find('/') == std::string_view::npos;
  return (is_short ? std::string(kLint) : std::string()) + std::string(code);
}

bool is_known(const std::string& code) {
  const auto checks = lint_checks();
  return std::find(std::begin(kOthers), std::end(kOthers), code) != std::end(kOthers) ||
         std::any_of(checks.begin(), checks.end(),
                     [&](const LintCheck& check) { return check.code == code; });
}

std::string did_you_mean(const std::string& code) {
  std::vector<std::string> known;
  for (const LintCheck& check : lint_checks()) known.emplace_back(check.code);
  const std::string near = nearest(code, known);
  return near.empty() ? "`tocsin check --list` names them" : "did you mean '" + near + "'?";
}

// Takes the first code off a list like "no-floor, no-for and why".
std::string_view take_code(std::string_view& list) {
  const std::size_t begin = std::min(list.find_first_not_of(" \t"), list.size());
  const std::size_t end = std::min(list.find_first_of(", \t\r", begin), list.size());
  const std::string_view code = list.substr(begin, end - begin);
  const std::size_t next = list.find_first_not_of(" \t\r", end);
  const bool goes_on = next != std::string_view::npos && list[next] == ',';
  list = goes_on ? list.substr(next + 1) : std::string_view();
  return code;
}

bool is_comment(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin != std::string_view::npos && line[begin] == '#';
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::vector<std::string_view> lines_of(std::string_view bytes) {
  std::vector<std::string_view> out;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    out.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

Suppressions::Suppressions(const SourceFile& file) {
  if (file.bytes.find(kMark) == std::string_view::npos) return;
  Diagnostics ignored;
  for (const auto& document : yaml::Document::parse_all(file.path, file.bytes, ignored)) {
    for (const Object& object : objects_of(document)) add_scopes(object.groups());
  }
  const std::vector<std::string_view> lines = lines_of(file.bytes);
  for (const auto& [first, scope] : scopes_) {
    for (int above = first - 1; above > 0; --above) {
      const std::string_view line = lines[static_cast<std::size_t>(above) - 1];
      if (is_comment(line)) moved_[above] = first;
      if (!is_comment(line) && !is_blank(line)) break;
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    read_line(file.path, lines[i], static_cast<int>(i) + 1);
  }
}

void Suppressions::add_scopes(const yaml::Node& groups) {
  for (const yaml::Node& group : groups.items()) {
    scopes_.emplace(group.place().line, Scope::Group);
    for (const yaml::Node& rule : group.get("rules").items()) {
      scopes_.emplace(rule.place().line, Scope::Rule);
    }
  }
}

void Suppressions::read_line(const std::string& file, std::string_view line, int number) {
  const std::size_t comment = line.find('#');
  if (comment == std::string_view::npos) return;
  const std::size_t mark = line.find(kMark, comment);
  if (mark == std::string_view::npos) return;
  std::string_view list = line.substr(mark + kMark.size());
  for (std::string_view word = take_code(list); !word.empty(); word = take_code(list)) {
    const std::string code = full_code(word);
    silenced_[scope_of(number)].insert(code);
    if (is_known(code)) continue;
    problems_.add({Severity::Warning,
                   "rule/unknown-check",
                   {file, number, static_cast<int>(mark) + 1, static_cast<int>(kMark.size())},
                   "no check is called '" + code + "'",
                   "",
                   did_you_mean(code),
                   std::string(line)});
  }
}

// The first line of the rule or the group's head that a line is of; 0 in front of all.
int Suppressions::scope_of(int line) const {
  const auto moved = moved_.find(line);
  if (moved != moved_.end()) return moved->second;
  const auto next = scopes_.upper_bound(line);
  return next == scopes_.begin() ? 0 : std::prev(next)->first;
}

// The same of the group.
int Suppressions::group_of(int line) const {
  auto at = scopes_.upper_bound(line);
  while (at != scopes_.begin()) {
    if ((--at)->second == Scope::Group) return at->first;
  }
  return 0;
}

bool Suppressions::covers(const Diagnostic& diagnostic) const {
  if (diagnostic.severity == Severity::Error || silenced_.empty()) return false;
  const int line = diagnostic.place.line;
  for (const int scope : {0, group_of(line), scope_of(line)}) {
    const auto codes = silenced_.find(scope);
    if (codes != silenced_.end() && codes->second.count(diagnostic.code) > 0) return true;
  }
  return false;
}

Diagnostics without_silenced(const Diagnostics& found, std::span<const SourceFile> files) {
  std::map<std::string_view, Suppressions> by_file;
  for (const SourceFile& file : files) by_file.try_emplace(file.path, file);
  Diagnostics out;
  for (const Diagnostic& d : found.all()) {
    const auto silenced = by_file.find(d.place.file);
    if (silenced == by_file.end() || !silenced->second.covers(d)) out.add(d);
  }
  return out;
}

}  // namespace tocsin::rule
