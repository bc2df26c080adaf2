// SPDX-License-Identifier: Apache-2.0
#include "tocsin/rule_set.h"

#include <algorithm>
#include <array>

#include "rule/rule_reader.h"

namespace tocsin::rule {
namespace {

void add_need(std::map<std::string, promql::Need>& needs, const promql::Need& need) {
  std::vector<std::string> parts;
  for (const Matcher& matcher : need.matchers) parts.push_back(matcher.text());
  std::sort(parts.begin(), parts.end());
  std::string key;
  for (const std::string& part : parts) key += part + ",";
  const auto [entry, is_new] = needs.try_emplace(key, need);
  if (!is_new) entry->second.history = std::max(entry->second.history, need.history);
}

}  // namespace

Loaded load(std::span<const SourceFile> files, const LoadOptions& options) {
  Loaded out;
  RuleReader reader(options, out.diagnostics);
  for (const SourceFile& file : files) reader.read(file, out.rules.groups);
  return out;
}

std::vector<promql::Need> required_needs(const RuleSet& rules) {
  std::map<std::string, promql::Need> needs;
  for (const Group& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      for (promql::Need& need : promql::needs_of(*rule.expr)) {
        need.history += group.query_offset.value_or(Duration(0));
        add_need(needs, need);
      }
    }
  }
  std::vector<promql::Need> out;
  for (auto& [key, need] : needs) out.push_back(std::move(need));
  return out;
}

std::string_view name_of(ConditionKind kind) {
  constexpr std::array<std::string_view, 6> kNames = {
      "success_rate", "latency", "traffic", "control_plane", "certificate", "proxy_restarts"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view name_of(By by) {
  constexpr std::array<std::string_view, 4> kNames = {"workload", "service", "route", "edge"};
  return kNames.at(static_cast<std::size_t>(by));
}

std::string_view name_of(Side side) { return side == Side::Server ? "server" : "client"; }

std::string_view name_of(CertificateKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"leaf", "issuer", "trust-anchor", "webhook"};
  return kNames.at(static_cast<std::size_t>(kind));
}

}  // namespace tocsin::rule
