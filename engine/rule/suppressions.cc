// SPDX-License-Identifier: Apache-2.0
#include "rule/suppressions.h"

#include <algorithm>

#include "rule/lint.h"

namespace tocsin::rule {
namespace {

constexpr std::string_view kMark = "tocsin: disable=";
constexpr std::string_view kLint = "lint/";
// Warnings that are not in the list of checks.
constexpr std::string_view kOthers[] = {"promql/note", "rule/value-in-label", "rule/duplicate",
                                        "rule/always-true"};

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

bool is_comment(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin != std::string_view::npos && line[begin] == '#';
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

Suppressions::Suppressions(const std::string& file, std::string_view bytes,
                           std::vector<int> rule_lines)
    : rule_lines_(std::move(rule_lines)) {
  if (bytes.find(kMark) == std::string_view::npos) return;
  std::sort(rule_lines_.begin(), rule_lines_.end());
  const std::vector<std::string_view> lines = lines_of(bytes);
  for (const int first : rule_lines_) {
    for (int above = first - 1; above > 0; --above) {
      if (!is_comment(lines[static_cast<std::size_t>(above) - 1])) break;
      moved_[above] = first;
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    read_line(file, lines[i], static_cast<int>(i) + 1);
  }
}

void Suppressions::read_line(const std::string& file, std::string_view line, int number) {
  const std::size_t comment = line.find('#');
  if (comment == std::string_view::npos) return;
  const std::size_t mark = line.find(kMark, comment);
  if (mark == std::string_view::npos) return;
  std::string_view list = line.substr(mark + kMark.size());
  list = list.substr(0, list.find_first_of(" \t\r"));
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string code = full_code(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    by_rule_[rule_of(number)].insert(code);
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

// The first line of the rule that a line is of; 0 in front of all.
int Suppressions::rule_of(int line) const {
  const auto moved = moved_.find(line);
  if (moved != moved_.end()) return moved->second;
  const auto next = std::upper_bound(rule_lines_.begin(), rule_lines_.end(), line);
  return next == rule_lines_.begin() ? 0 : *(next - 1);
}

bool Suppressions::covers(const Diagnostic& diagnostic) const {
  if (diagnostic.severity == Severity::Error || by_rule_.empty()) return false;
  for (const int rule : {0, rule_of(diagnostic.place.line)}) {
    const auto codes = by_rule_.find(rule);
    if (codes != by_rule_.end() && codes->second.count(diagnostic.code) > 0) return true;
  }
  return false;
}

}  // namespace tocsin::rule
