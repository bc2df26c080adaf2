// SPDX-License-Identifier: Apache-2.0
#include "daemon/group_plan.h"

#include <algorithm>

#include "base/hash.h"

namespace tocsin::daemon {

Timestamp next_slot(const rule::Group& group, Duration interval, Timestamp after) {
  const std::int64_t length = interval.count();
  const std::uint64_t hash = hash_bytes(group.name, hash_bytes(group.file + ";"));
  const auto offset = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(length));
  const std::int64_t past = to_millis(after) - offset;
  return from_millis((past / length + 1) * length + offset);
}

Duration history_of(const rule::Group& group, const std::string& name) {
  Duration longest = kLeastHistory;
  for (const rule::Rule& reader : group.rules) {
    for (const promql::Need& need : promql::needs_of(*reader.expr)) {
      const bool reads =
          std::any_of(need.matchers.begin(), need.matchers.end(), [&](const auto& m) {
            return m.name() == kMetricName && m.matches(std::string_view(name));
          });
      if (reads) longest = std::max(longest, need.history + kLeastHistory);
    }
  }
  return longest;
}

std::vector<std::string> names_written(const rule::Rule& rule) {
  if (rule.kind == rule::RuleKind::Record) return {rule.name};
  return {"ALERTS", "ALERTS_FOR_STATE"};
}

bool reads_any(const rule::Rule& rule, const std::vector<std::string>& names) {
  for (const promql::Need& need : promql::needs_of(*rule.expr)) {
    const bool reads = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::all_of(need.matchers.begin(), need.matchers.end(), [&](const Matcher& m) {
        return m.name() != kMetricName || m.matches(std::string_view(name));
      });
    });
    if (reads) return true;
  }
  return false;
}

}  // namespace tocsin::daemon
