// SPDX-License-Identifier: Apache-2.0
#include "rule/reference.h"

#include <algorithm>
#include <array>
#include <string>

#include "rule/rule_reader.h"

namespace tocsin::rule {
namespace {

constexpr std::array<KeyText, 42> kTexts = {{
    {"groups", "Rules that are evaluated together, one after the other, at the same moment.", ""},
    {"groups.name", "The group's name, once in the file.", "golden-signals"},
    {"groups.interval",
     "How often the group is evaluated. Absent: evaluation_interval of the configuration.", "30s"},
    {"groups.query_offset", "How far in the past the group looks, for series that come late.",
     "1m"},
    {"groups.limit",
     "The most alerts that a rule may have at once, or series that a recording may write. The "
     "first "
     "ones stay; one more alert says how many are held back.",
     "100"},
    {"groups.labels", "Labels for every rule of the group; those of a rule win.", "{team: shop}"},
    {"groups.partial_response_strategy", "Thanos'. Read past.", ""},
    {"groups.rules", "Alerts and recordings, in the order in which they are evaluated.", ""},
    {"groups.rules.alert", "The alert's name.", "CheckoutFails"},
    {"groups.rules.record", "The name of the series to write.", "job:up:count"},
    {"groups.rules.expr",
     "PromQL. Every series of the result is an alert. A rule has this or a mesh condition.",
     "up == 0"},
    {"groups.rules.unless",
     "Alerts with a mesh condition further up in the group: while one of them is about the same "
     "thing, this one does not fire. One fault, one page.",
     "SuccessRateLow"},
    {"groups.rules.for", "How long it must hold before it fires.", "2m"},
    {"groups.rules.keep_firing_for", "How long it goes on firing after it held last.", "5m"},
    {"groups.rules.resolve_when",
     "Hysteresis: an alert that fires is over only where this has series.",
     "rate(errors_total[5m]) < 2"},
    {"groups.rules.labels",
     "Labels of the alert, on which routes decide. Templates; they are the alert's identity, so no "
     "values.",
     "{severity: critical}"},
    {"groups.rules.annotations",
     "What people read. Templates. A mesh condition brings summary, description, value and "
     "threshold.",
     "{runbook_url: https://runbooks.example/checkout}"},

    {"groups.rules.success_rate",
     "Fires where too many requests fail, by Linkerd's classification: 5xx, and gRPC's failures.",
     "{below: 99%, over: 5m}"},
    {"groups.rules.latency", "Fires where answers take too long.",
     "{quantile: 0.99, above: 500ms}"},
    {"groups.rules.traffic",
     "Fires where there is more or less traffic than usual, or than a rate.",
     "{above: 3x baseline}"},
    {"groups.rules.control_plane", "Fires where a component of the control plane is down or gone.",
     "{down_for: 1m}"},
    {"groups.rules.certificate", "Fires where a certificate runs out, or is not renewed.",
     "{kind: issuer, expires_within: 30d}"},
    {"groups.rules.proxy_restarts",
     "Fires where Linkerd's containers restart again and again, or do not come up. Needs "
     "kube-state-metrics.",
     "{more_than: 3, over: 15m}"},

    {"*.by",
     "What an alert is about: workload (what it answered), service or route (what its clients "
     "saw), "
     "edge (one client of one service).",
     "service"},
    {"*.side",
     "Where requests are counted: server, at the workload that answers, or client, at those that "
     "ask, with what the mesh answered in its place.",
     "client"},
    {"*.over", "The window of the rates.", "5m"},
    {"*.where", "Only these: label to anchored RE2 expression.",
     "{namespace: shop, service: cart}"},
    {"*.min_requests",
     "The traffic floor: with fewer requests in the window nothing fires. 50 if not said.", "100"},
    {"*.min_rate", "Another floor, in requests per second.", "1/s"},
    {"*.resolve_when",
     "Hysteresis: an alert that fires is over only on the far side of this, which is written like "
     "the threshold.",
     "99.5%"},
    {"*.baseline_over",
     "How much of the recent past the baseline is the median of. An hour if not said.", "1h"},
    {"groups.rules.success_rate.below", "The least share of requests that must succeed.", "99%"},
    {"groups.rules.latency.above", "The most that the quantile may take; at most 50s.", "500ms"},
    {"groups.rules.latency.quantile", "0.99 if not said.", "0.95"},
    {"groups.rules.traffic.above", "A multiple of the baseline, or a rate.", "3x baseline"},
    {"groups.rules.traffic.below", "A multiple of the baseline, or a rate.", "0.2x baseline"},
    {"groups.rules.control_plane.component",
     "One or several of destination, identity, proxy-injector, policy. All if not said.",
     "[destination, identity]"},
    {"groups.rules.control_plane.down_for", "How long it must be down; as 'for'.", "1m"},
    {"groups.rules.certificate.kind",
     "leaf (every proxy's), issuer, trust-anchor or webhook; the last two from files that the "
     "configuration names under certificates.",
     "issuer"},
    {"groups.rules.certificate.expires_within",
     "How long before its end it fires. A healthy leaf has between 7h and 24h left.", "30d"},
    {"groups.rules.certificate.missed_refreshes",
     "Of a leaf: how many renewals it must have missed. 1 to 3; 1 if not said.", "2"},
    {"groups.rules.proxy_restarts.more_than", "How many restarts in the window are normal.", "3"},
}};

bool is_path_of(std::string_view pattern, const std::string& path) {
  if (!pattern.starts_with("*.")) return pattern == path;
  // Only inside of a condition.
  constexpr std::string_view kRule = "groups.rules.";
  const std::size_t dot = path.rfind('.');
  return path.starts_with(kRule) && dot >= kRule.size() &&
         std::string_view(path).substr(dot + 1) == pattern.substr(2);
}

}  // namespace

void describe_rule_file(yaml::Schema& schema) {
  Diagnostics ignored;
  const LoadOptions options;
  RuleReader(options, ignored).describe(schema);
}

std::span<const KeyText> key_texts() { return kTexts; }

const KeyText* text_of_key(std::span<const KeyText> texts, const yaml::Schema& key) {
  const std::string path = key.path();
  const auto found = std::find_if(texts.begin(), texts.end(),
                                  [&](const KeyText& one) { return is_path_of(one.path, path); });
  return found == texts.end() ? nullptr : &*found;
}

}  // namespace tocsin::rule
