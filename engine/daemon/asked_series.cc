// SPDX-License-Identifier: Apache-2.0
#include "daemon/asked_series.h"

#include <algorithm>

#include "api/metrics.h"
#include "daemon/certificate_watch.h"

namespace tocsin::daemon {
namespace {

using api::KeepReason;
using api::KeptMetric;
using api::Why;

// Instant selectors look back five minutes, so nothing is kept shorter.
constexpr Duration kLeastHistory = std::chrono::minutes(5);

Matchers witness_series() { return {Matcher::equal(kMetricName, "up")}; }

std::vector<std::string> own_names() {
  return {"ALERTS", "ALERTS_FOR_STATE", std::string(kCertificateSeries)};
}

// As somebody would write it: `tcp_open{pod="p"}`.
std::string selector_text(const Matchers& matchers) {
  const auto name = metric_name_of(matchers);
  std::string inside;
  for (const Matcher& matcher : matchers) {
    if (name && matcher.name() == kMetricName && matcher.op() == Matcher::Op::Equal) continue;
    inside += (inside.empty() ? "" : ",") + matcher.text();
  }
  const std::string out(name.value_or(""));
  return name && inside.empty() ? out : out + "{" + inside + "}";
}

bool is_same_asker(const KeepReason& a, const KeepReason& b) {
  return a.why == b.why && a.file == b.file && a.line == b.line && a.group == b.group &&
         a.name == b.name;
}

// An asker is listed once, with the furthest that it looks back.
void merge(std::vector<KeepReason>& reasons, const KeepReason& added) {
  const auto same = std::find_if(reasons.begin(), reasons.end(), [&](const KeepReason& reason) {
    return is_same_asker(reason, added);
  });
  if (same == reasons.end()) {
    reasons.push_back(added);
  } else {
    same->history = std::max(same->history, added.history);
  }
}

}  // namespace

LocalNames recorded_names(const rule::RuleSet& rules) {
  LocalNames names;
  for (const std::string& name : own_names()) names.insert(name);
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) {
      if (rule.kind == rule::RuleKind::Record) names.insert(rule.name);
    }
  }
  return names;
}

LocalNames local_names(const rule::RuleSet& rules) {
  LocalNames names = recorded_names(rules);
  for (const std::string_view name : api::metric_names()) names.emplace(name);
  return names;
}

std::vector<promql::Need> scraped_needs(const rule::RuleSet& rules, const Config& config) {
  const LocalNames own = recorded_names(rules);
  std::vector<promql::Need> needs;
  for (promql::Need& need : rule::required_needs(rules)) {
    need.history += config.rule_query_offset;  // Of groups that name none.
    const auto name = metric_name_of(need.matchers);
    if (!name || !own.contains(*name)) needs.push_back(std::move(need));
  }
  for (const Matchers& matchers : config.keep) needs.push_back({matchers, kLeastHistory});
  if (sees_through_another(config)) needs.push_back({witness_series(), kLeastHistory});
  return needs;
}

bool sees_through_another(const Config& config) {
  return config.prometheus || config.receives_writes ||
         std::any_of(config.scrape_configs.begin(), config.scrape_configs.end(),
                     [](const auto& job) { return job.metrics_path.ends_with("/federate"); });
}

AskedSeries::AskedSeries(const rule::RuleSet& rules, const Config& config)
    : reads_elsewhere_(config.prometheus.has_value()) {
  if (sees_through_another(config)) {
    KeepReason reason;
    reason.why = Why::Witness;
    reason.history = kLeastHistory;
    add(witness_series(), std::move(reason));
  }
  for (const rule::Group& group : rules.groups) {
    for (const rule::Rule& rule : group.rules) add_rule(group, rule);
  }
  for (const Matchers& matchers : config.keep) {
    KeepReason reason;
    reason.why = Why::Keep;
    reason.name = selector_text(matchers);
    reason.history = kLeastHistory;
    add(matchers, std::move(reason));
  }
}

void AskedSeries::add_rule(const rule::Group& group, const rule::Rule& rule) {
  KeepReason reason;
  reason.file = group.file;
  reason.line = rule.place.line;
  reason.group = group.name;
  reason.name = rule.name;
  for (const promql::Need& need : promql::needs_of(*rule.expr)) {
    reason.history = need.history + group.query_offset.value_or(Duration(0));
    add(need.matchers, reason);
  }
  if (rule.kind != rule::RuleKind::Record) return;
  reason.why = Why::Records;
  reason.history = kLeastHistory;
  merge(by_name_[rule.name], reason);
}

void AskedSeries::add(const Matchers& matchers, KeepReason reason) {
  if (const auto name = metric_name_of(matchers)) {
    return merge(by_name_[std::string(*name)], reason);
  }
  Matchers names;
  std::copy_if(matchers.begin(), matchers.end(), std::back_inserter(names),
               [](const Matcher& matcher) { return matcher.name() == kMetricName; });
  open_.push_back({std::move(names), std::move(reason)});
}

KeptMetric AskedSeries::metric(const std::string& name, std::size_t series) const {
  KeptMetric out;
  out.name = name;
  out.series = series;
  const auto named = by_name_.find(name);
  if (named != by_name_.end()) out.reasons = named->second;
  for (const OpenAsk& ask : open_) {
    const bool asks = std::all_of(ask.names.begin(), ask.names.end(), [&](const Matcher& matcher) {
      return matcher.matches(std::string_view(name));
    });
    if (asks) merge(out.reasons, ask.reason);
  }
  const auto own = own_names();
  if (std::find(own.begin(), own.end(), name) != own.end()) {
    KeepReason reason;
    reason.why = Why::Own;
    reason.history = kLeastHistory;
    out.reasons.push_back(std::move(reason));
  }
  std::stable_sort(out.reasons.begin(), out.reasons.end(),
                   [](const KeepReason& a, const KeepReason& b) { return a.history > b.history; });
  if (!out.reasons.empty()) out.history = std::max(kLeastHistory, out.reasons.front().history);
  return out;
}

std::vector<KeptMetric> AskedSeries::explain(
    const std::map<std::string, std::size_t>& series) const {
  std::vector<KeptMetric> out;
  for (const auto& [name, count] : series) out.push_back(metric(name, count));
  for (const auto& [name, reasons] : by_name_) {
    if (!reads_elsewhere_ && !series.contains(name)) out.push_back(metric(name, 0));
  }
  std::sort(out.begin(), out.end(), [](const KeptMetric& a, const KeptMetric& b) {
    return a.series != b.series ? a.series > b.series : a.name < b.name;
  });
  return out;
}

}  // namespace tocsin::daemon
