// SPDX-License-Identifier: Apache-2.0
#include "rule/condition_reader.h"

#include <algorithm>
#include <array>

#include "base/listed.h"
#include "base/whole_number.h"
#include "rule/linkerd_catalog.h"
#include "rule/notation.h"
#include "rule/series_family.h"
#include "tocsin/duration.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"

namespace tocsin::rule {
namespace {

using yaml::Mapping;

constexpr Duration kSmallestWindow = std::chrono::seconds(10);
// A healthy leaf is renewed when 30% of its 24 hours are left.
constexpr Duration kLeafRenewal = std::chrono::hours(7);
const std::vector<std::string> kComponents = {"destination", "identity", "proxy-injector",
                                              "policy"};

// As of an expression that says the same: lint.h.
void warn(Mapping& m, const yaml::Node& node, std::string_view code, std::string message,
          std::string hint) {
  Diagnostic d = node.diagnostic();
  d.severity = Severity::Warning;
  d.code = "lint/" + std::string(code);
  d.message = std::move(message);
  d.hint = std::move(hint);
  m.report().add(std::move(d));
}

void check_where(Mapping& m, const std::string& label, const Regex& expression) {
  const yaml::Node node = m.find("where").get(label);
  if (const std::string near = nearest_label(label); !near.empty()) {
    warn(m, node, "never-matches",
         "Linkerd's series have no label '" + label + "': nothing matches, unless a scrape adds it",
         "did you mean '" + near + "'?");
  }
  for (const LabelValues& known : label_values()) {
    if (!known.metric_prefix.empty() || known.label != label || expression.matches("")) continue;
    if (matches_any(expression, known)) continue;
    std::vector<std::string> values(known.values.begin(), known.values.end());
    warn(m, node, "never-matches",
         "'" + label + "' is never '" + expression.pattern() + "': nothing matches",
         "it is one of " + listed(values));
  }
}

void read_where(Mapping& m, Condition& c) {
  m.read("where", c.where);
  for (const auto& [label, expression] : c.where) {
    if (!is_legacy_label_name(label) || label == kMetricName) {
      m.error("where", "'" + label + "' is not a label name");
    }
    if (const auto compiled = Regex::compile(expression); !compiled) {
      m.error("where",
              "'" + expression + "' is not an RE2 expression: " + compiled.error().message);
    } else {
      check_where(m, label, *compiled);
    }
  }
}

void read_window(Mapping& m, Condition& c) {
  m.read("over", c.over);
  if (c.over < kSmallestWindow) {
    m.error("over", "'over' is too short for a rate: at least four scrape intervals are needed",
            "write 1m or more");
  }
}

// Which sides can know what the condition is about.
void check_side(Mapping& m, const Condition& c) {
  if (c.side == Side::Client || c.by == By::Workload || c.by == By::Route) return;
  m.error("side",
          "'side: server' does not go with 'by: " + std::string(name_of(c.by)) +
              "': an inbound proxy does not know which service was called",
          "leave 'side' out, or use 'by: workload'");
}

void read_scope(Mapping& m, Condition& c) {
  m.choice("by", c.by,
           {{"workload", By::Workload},
            {"service", By::Service},
            {"route", By::Route},
            {"edge", By::Edge}});
  c.side = c.by == By::Workload ? Side::Server : Side::Client;
  m.choice("side", c.side, {{"server", Side::Server}, {"client", Side::Client}});
  check_side(m, c);
  read_window(m, c);
  read_where(m, c);
}

void read_min_requests(Mapping& m, Condition& c) {
  m.read("min_requests", c.min_requests);
  if (c.min_requests < 0) m.error("min_requests", "'min_requests' must not be negative");
}

void read_min_rate(Mapping& m, Condition& c) {
  std::string text;
  if (!m.read("min_rate", text)) return;
  const std::optional<double> rate = parse_rate(text);
  if (!rate) {
    m.error("min_rate", "'min_rate' must be a rate, is '" + text + "'", "write it like 10/s");
    return;
  }
  c.min_rate = *rate;
}

void read_floor(Mapping& m, Condition& c) {
  read_min_requests(m, c);
  read_min_rate(m, c);
  if (c.min_requests != 0 || c.min_rate != 0) return;
  warn(m, m.find("min_requests"), "no-floor",
       "without a floor one slow or failed request at night decides for all",
       "leave 'min_requests' out, which is 50, or write 'min_rate'");
}

std::optional<double> parse_seconds(std::string_view text) {
  const auto duration = parse_duration(text);
  return duration ? std::optional(to_seconds(*duration)) : std::nullopt;
}

std::optional<double> parse_count(std::string_view text) {
  const auto count = whole_number<std::uint32_t>(text);
  return count ? std::optional<double>(*count) : std::nullopt;
}

// `resolve_when`, which must lie on the good side of the threshold. `read` makes a number of the
// text.
template <class Read>
void read_resolve_when(Mapping& m, Condition& c, Read read) {
  std::string text;
  if (!m.read("resolve_when", text)) return;
  c.resolve_threshold = read(text);
  if (!c.resolve_threshold) {
    m.error("resolve_when",
            "'resolve_when' must be like '" + c.threshold_text + "', is '" + text + "'");
    return;
  }
  const bool below = c.comparison == Comparison::Below;
  if (below ? *c.resolve_threshold <= c.threshold : *c.resolve_threshold >= c.threshold) {
    m.error("resolve_when",
            std::string("'resolve_when' must be ") + (below ? "above" : "below") +
                " the threshold, '" + c.threshold_text + "'",
            "otherwise the alert is over before it begins");
  }
}

void read_success_rate(Mapping& m, ReadCondition& out) {
  Condition& c = out.condition;
  c.comparison = Comparison::Below;
  c.unit = Unit::Ratio;
  read_scope(m, c);
  read_floor(m, c);
  if (m.has("above")) m.error("above", "a success rate is alerted on 'below', not 'above'");
  if (!m.require("below", c.threshold_text)) return;
  const std::optional<double> ratio = parse_percentage(c.threshold_text);
  if (!ratio) {
    m.error("below", "'below' needs a percentage, is '" + c.threshold_text + "'",
            "write it with its sign: 99%");
  } else if (*ratio <= 0 || *ratio > 1) {
    m.error("below", "'below' must be more than 0% and at most 100%");
  }
  c.threshold = ratio.value_or(1);
  read_resolve_when(m, c, parse_percentage);
}

void read_latency(Mapping& m, ReadCondition& out) {
  Condition& c = out.condition;
  c.comparison = Comparison::Above;
  c.unit = Unit::Seconds;
  read_scope(m, c);
  read_floor(m, c);
  m.read("quantile", c.quantile);
  if (!(c.quantile > 0 && c.quantile < 1)) {
    m.error("quantile", "'quantile' must be between 0 and 1", "the 99th percentile is 0.99");
  }
  if (m.has("below")) m.error("below", "a latency is alerted on 'above', not 'below'");
  Duration limit{0};
  if (!m.require("above", limit)) return;
  c.threshold_text = format_duration(limit);
  c.threshold = to_seconds(limit);
  if (limit.count() <= 0) m.error("above", "'above' must be more than nothing");
  if (limit > std::chrono::seconds(50)) {
    m.error("above", "'above' can be at most 50s: the proxy's histograms end there");
  }
  read_resolve_when(m, c, parse_seconds);
}

void read_traffic_threshold(Mapping& m, Condition& c, std::string_view key) {
  if (!m.read(key, c.threshold_text)) return;
  const std::optional<double> multiple = parse_multiple(c.threshold_text);
  const std::optional<double> rate = parse_rate(c.threshold_text);
  c.unit = multiple ? Unit::TimesBaseline : Unit::RequestsPerSecond;
  c.threshold = multiple ? *multiple : rate.value_or(0);
  if (!multiple && !rate) {
    m.error(key,
            "'" + std::string(key) + "' must be a multiple of the baseline or a rate, is '" +
                c.threshold_text + "'",
            "write it like 3x baseline or 500/s");
  } else if (c.threshold <= 0) {
    m.error(key, "'" + std::string(key) + "' must be more than 0");
  } else if (multiple && key == "above" && *multiple <= 1) {
    m.error(key, "'above: " + c.threshold_text + "' is always true: traffic is at its baseline");
  } else if (multiple && key == "below" && *multiple >= 1) {
    m.error(key, "'below: " + c.threshold_text + "' is always true: traffic is at its baseline");
  }
}

void read_traffic(Mapping& m, ReadCondition& out) {
  Condition& c = out.condition;
  read_scope(m, c);
  read_min_requests(m, c);
  read_min_rate(m, c);
  m.read("baseline_over", c.baseline_over);
  for (const char* key : {"above", "below", "resolve_when"}) m.declare(key, yaml::Shape::Text);
  m.declare_one_of({"above", "below"});
  if (m.has("above") == m.has("below")) {
    m.error_here("'traffic' needs either 'above' or 'below'", "write two rules to watch both");
    return;
  }
  c.comparison = m.has("above") ? Comparison::Above : Comparison::Below;
  read_traffic_threshold(m, c, c.comparison == Comparison::Above ? "above" : "below");
  read_resolve_when(m, c, c.unit == Unit::TimesBaseline ? parse_multiple : parse_rate);
  if (c.unit == Unit::TimesBaseline && c.baseline_over < 3 * c.over) {
    m.error("baseline_over", "'baseline_over' must be at least three times 'over'",
            "with 'over: " + format_duration(c.over) + "' write " + format_duration(3 * c.over) +
                " or more");
  }
}

void read_components(Mapping& m, Condition& c) {
  const yaml::Node node = m.find("component");
  m.declare("component", yaml::Shape::TextOrTexts, kComponents);
  if (node.is_null()) {
    c.components = kComponents;
    return;
  }
  std::string one;
  if (node.is_sequence()) {
    m.read("component", c.components);
  } else if (m.read("component", one)) {
    c.components = {one};
  }
  for (const std::string& component : c.components) {
    if (std::find(kComponents.begin(), kComponents.end(), component) != kComponents.end()) continue;
    const std::string near = nearest(component, kComponents);
    m.error("component", "unknown component '" + component + "'",
            near.empty() ? "it is one of destination, identity, proxy-injector, policy"
                         : "did you mean '" + near + "'?");
  }
}

void read_control_plane(Mapping& m, ReadCondition& out) {
  Condition& c = out.condition;
  c.unit = Unit::Count;
  c.comparison = Comparison::Below;
  c.threshold = 1;
  c.threshold_text = "1 ready";
  read_components(m, c);
  m.read("down_for", out.down_for);
}

void read_missed_refreshes(Mapping& m, Condition& c) {
  std::int64_t missed = c.threshold_text.empty() ? 1 : 0;
  if (m.read("missed_refreshes", missed)) {
    if (missed < 1 || missed > 3) {
      m.error("missed_refreshes", "'missed_refreshes' must be 1, 2 or 3",
              "after three a certificate has minutes to live");
    }
    if (c.certificate != CertificateKind::Leaf) {
      m.error("missed_refreshes", "only a leaf certificate is refreshed by itself",
              "use 'expires_within'");
    }
    if (!c.threshold_text.empty()) {
      m.error("missed_refreshes", "'missed_refreshes' and 'expires_within' do not go together",
              "write two rules to watch both");
    }
  }
  c.missed_refreshes = static_cast<int>(missed);
  if (c.missed_refreshes > 0) {
    c.threshold_text =
        std::to_string(missed) + (missed == 1 ? " missed refresh" : " missed refreshes");
  }
}

void read_certificate(Mapping& m, ReadCondition& out) {
  Condition& c = out.condition;
  c.unit = Unit::Seconds;
  c.comparison = Comparison::Below;
  const bool known = m.require("kind", c.threshold_text);
  c.threshold_text.clear();
  if (!known || !m.choice("kind", c.certificate,
                          {{"leaf", CertificateKind::Leaf},
                           {"issuer", CertificateKind::Issuer},
                           {"trust-anchor", CertificateKind::TrustAnchor},
                           {"webhook", CertificateKind::Webhook}})) {
    m.find("expires_within");
    m.find("missed_refreshes");
    m.find("resolve_when");
    return;
  }
  Duration within{0};
  if (m.read("expires_within", within)) {
    c.threshold = to_seconds(within);
    c.threshold_text = m.find("expires_within").text();
  }
  if (c.certificate == CertificateKind::Leaf) {
    read_where(m, c);
    if (within > kLeafRenewal) {
      m.report().warning(m.find("expires_within"), "always-true",
                         "a healthy leaf certificate has between 7h 12m and 24h left: this fires "
                         "while nothing is wrong",
                         "use 'missed_refreshes: 1', or less than 7h");
    }
  } else if (within.count() <= 0) {
    m.error("expires_within", "a certificate of this kind needs 'expires_within'",
            "write expires_within: 30d");
  }
  read_missed_refreshes(m, c);
  if (c.certificate != CertificateKind::Leaf) c.missed_refreshes = 0;
  m.declare("resolve_when", yaml::Shape::Text);
  if (c.missed_refreshes == 0) {
    read_resolve_when(m, c, parse_seconds);
  } else if (m.has("resolve_when")) {
    m.error("resolve_when", "'resolve_when' goes with 'expires_within'",
            "a missed refresh is over when the certificate is refreshed");
  }
}

void read_proxy_restarts(Mapping& m, ReadCondition& out) {
  Condition& c = out.condition;
  c.unit = Unit::Count;
  c.comparison = Comparison::Above;
  c.over = std::chrono::minutes(15);
  read_window(m, c);
  read_where(m, c);
  for (const auto& [label, expression] : c.where) {
    if (label != "namespace") {
      m.error("where", "'proxy_restarts' can be narrowed by 'namespace' only, not by '" + label +
                           "': kube-state-metrics knows no other label of a proxy");
    }
  }
  m.choice("by", c.by, {{"workload", By::Workload}});
  std::int64_t count = 3;
  m.read("more_than", count);
  if (count < 0) m.error("more_than", "'more_than' must not be negative");
  c.threshold = static_cast<double>(count);
  c.threshold_text = std::to_string(count);
  read_resolve_when(m, c, parse_count);
  c.threshold_text += " in " + format_duration(c.over);
}

struct Kind {
  std::string_view key;
  ConditionKind kind;
  void (*read)(Mapping&, ReadCondition&);
};

constexpr std::array<Kind, 6> kKinds = {{
    {"success_rate", ConditionKind::SuccessRate, read_success_rate},
    {"latency", ConditionKind::Latency, read_latency},
    {"traffic", ConditionKind::Traffic, read_traffic},
    {"control_plane", ConditionKind::ControlPlane, read_control_plane},
    {"certificate", ConditionKind::Certificate, read_certificate},
    {"proxy_restarts", ConditionKind::ProxyRestarts, read_proxy_restarts},
}};

}  // namespace

bool has_condition(Mapping& rule) {
  bool found = false;
  for (const Kind& kind : kKinds) {
    if (!rule.find(kind.key).is_null()) found = true;
  }
  return found;
}

std::vector<std::string> condition_keys() {
  std::vector<std::string> out;
  for (const Kind& kind : kKinds) out.emplace_back(kind.key);
  return out;
}

void describe_conditions(Mapping& rule) {
  for (const Kind& kind : kKinds) {
    ReadCondition out;
    out.condition.kind = kind.kind;
    rule.read(kind.key, out, kind.read);
  }
}

std::optional<ReadCondition> read_condition(Mapping& rule) {
  std::optional<ReadCondition> out;
  const std::size_t errors = rule.report().error_count();
  for (const Kind& kind : kKinds) {
    if (!rule.has(kind.key)) continue;
    if (out) {
      rule.error(kind.key,
                 "a rule has one condition; '" + std::string(name_of(out->condition.kind)) +
                     "' stands there too",
                 "write two rules");
      continue;
    }
    out.emplace().condition.kind = kind.kind;
    rule.read(kind.key, *out, kind.read);
  }
  if (rule.report().error_count() > errors) return std::nullopt;
  return out;
}

}  // namespace tocsin::rule
