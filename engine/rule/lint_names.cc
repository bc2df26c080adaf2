// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "promql/functions.h"
#include "rule/linkerd_catalog.h"
#include "rule/linkerd_versions.h"
#include "rule/lint_parts.h"
#include "rule/scrape_window.h"
#include "tocsin/duration.h"
#include "tocsin/matcher.h"
#include "tocsin/sample.h"

namespace tocsin::rule {
namespace {

using promql::Expr;
using promql::VectorSelector;

constexpr std::string_view kOldCertificate = "identity_cert_expiration_timestamp_seconds";
constexpr std::array<std::string_view, 3> kRates = {"rate", "irate", "increase"};

bool contains(const auto& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

class NameLinter {
 public:
  NameLinter(const Expr& root, std::span<const ScrapedJob> jobs, Findings& findings)
      : selectors_(selectors_of(root)), jobs_(jobs), findings_(findings) {}

  // `by_direction`: an aggregation around it keeps what the two directions count apart.
  void walk(const Expr& expr, bool by_direction = false) {
    if (const VectorSelector* selector = selector_of(expr)) {
      check(*selector, expr);
      if (!by_direction) check_direction(*selector, expr);
    }
    by_direction = by_direction || keeps_direction(expr);
    if (const auto* call = promql::as<promql::Call>(expr)) check(*call, expr);
    if (const auto* aggregate = promql::as<promql::Aggregate>(expr)) check(*aggregate, expr);
    for (const promql::ExprPtr& child : promql::children_of(expr)) {
      if (sums_up(expr)) check_counter(promql::unwrap(*child));
      walk(*child, by_direction);
    }
  }

 private:
  static bool keeps_direction(const Expr& expr) {
    const auto* aggregate = promql::as<promql::Aggregate>(expr);
    return aggregate && aggregate->without != contains(aggregate->grouping, "direction");
  }

  // Whether the matcher leaves one of the two out; outbound series alone say where requests go.
  static bool tells_direction(const Matcher& m) {
    if (m.name() == "direction") return !(m.matches("inbound") && m.matches("outbound"));
    return m.name().starts_with("dst_") && !m.matches_empty();
  }

  void check_direction(const VectorSelector& selector, const Expr& where) {
    const LinkerdMetric* metric = find_linkerd_metric(selector.name);
    const bool is_told =
        std::any_of(selector.matchers.begin(), selector.matchers.end(), tells_direction);
    if (metric == nullptr || !metric->counted_twice || is_told) return;
    findings_.add("no-direction",
                  "'" + selector.name +
                      "' without a direction counts everything between two meshed "
                      "workloads twice",
                  "add direction=\"inbound\" for what a workload did, \"outbound\" for what it saw",
                  where);
  }

  void check(const VectorSelector& selector, const Expr& where) {
    const LinkerdMetric* metric = find_linkerd_metric(selector.name);
    check_name(selector, where);
    check_contradiction(selector, where);
    check_versions(selector, where);
    for (const Matcher& m : selector.matchers) {
      check_value(selector, m, where);
      check_regex(m, where);
      if (metric && m.name() == "le") check_bucket(*metric, m, where);
    }
  }

  // Two matchers that no value of a label satisfies together.
  void check_contradiction(const VectorSelector& selector, const Expr& where) {
    for (const Matcher& m : selector.matchers) {
      const auto other =
          std::find_if(selector.matchers.begin(), selector.matchers.end(), [&](const Matcher& one) {
            return m.op() == Matcher::Op::Equal && one.name() == m.name() &&
                   !one.matches(m.value());
          });
      if (other == selector.matchers.end()) continue;
      return findings_.add(
          "never-matches",
          m.text() + " and " + other->text() + " contradict each other: this never matches",
          m.name() + "=~\"a|b\" is for either of two", where);
    }
  }

  // Of a metric that newer versions have under another name.
  void check_versions(const VectorSelector& selector, const Expr& where) {
    const MetricVersions* versions = versions_of(selector.name);
    if (!versions || versions->until == 0 || find_invented_metric(selector.name)) return;
    const bool reads_both = std::any_of(selectors_.begin(), selectors_.end(),
                                        [&](const auto* s) { return s->name == versions->now; });
    if (reads_both) return;
    const bool is_expiration = selector.name == kOldCertificate;
    findings_.add("renamed-metric",
                  "'" + selector.name + "' is called " + std::string(versions->now) +
                      " since Linkerd 2." + std::to_string(versions->until + 1),
                  is_expiration ? "use the condition 'certificate', or both names joined with 'or'"
                                : "join both names with 'or'",
                  where);
  }

  void check_name(const VectorSelector& selector, const Expr& where) {
    const InventedMetric* invented = find_invented_metric(selector.name);
    if (invented == nullptr && !is_unknown_to_linkerd(selector.name)) return;
    const std::string near = invented ? "" : nearest_linkerd_metric(selector.name);
    findings_.add("no-such-metric",
                  "Linkerd exports no '" + selector.name + "': this never matches",
                  invented       ? "use " + std::string(invented->instead)
                  : near.empty() ? ""
                                 : "did you mean '" + near + "'?",
                  where);
  }

  // Null where such series may have such a label.
  static const ImpossibleLabel* why_impossible(const VectorSelector& selector,
                                               std::string_view label) {
    if (!is_traffic_metric(selector.name)) return nullptr;
    for (const ImpossibleLabel& one : impossible_labels()) {
      const bool is_there =
          one.direction.empty() || one.direction == demanded(selector, "direction");
      if (one.label == label && selector.name.starts_with(one.metric_prefix) && is_there) {
        return &one;
      }
    }
    return nullptr;
  }

  void check_value(const VectorSelector& selector, const Matcher& m, const Expr& where) {
    if (m.matches_empty()) return;
    const ImpossibleLabel* why = why_impossible(selector, m.name());
    const bool is_value =
        why && (why->value.empty() || (m.op() == Matcher::Op::Equal && m.value() == why->value));
    const LabelValues* all = values_of(selector, m.name());
    if (is_value) {
      findings_.add("never-matches", std::string(why->reason) + ": this never matches",
                    std::string(why->hint), where);
    } else if (all && !matches_any(m, *all)) {
      findings_.add(
          "never-matches",
          "'" + m.name() + "' is " + alternatives(all->values) + ": " + m.text() + " never matches",
          hint_of(m, *all), where);
    }
  }

  static const LabelValues* values_of(const VectorSelector& selector, std::string_view label) {
    if (!is_traffic_metric(selector.name)) return nullptr;
    for (const LabelValues& one : label_values()) {
      if (one.label == label && selector.name.starts_with(one.metric_prefix)) return &one;
    }
    return nullptr;
  }

  // Of a value that is one elsewhere.
  static std::string hint_of(const Matcher& m, const LabelValues& all) {
    const auto other = std::find(all.elsewhere.begin(), all.elsewhere.end(), m.value());
    if (other == all.elsewhere.end()) return "";
    const auto index = static_cast<std::size_t>(other - all.elsewhere.begin());
    return m.name() + "=\"" + std::string(all.values[index]) + "\" is what this metric has for it";
  }

  // "a", "b" or "c"
  static std::string alternatives(std::span<const std::string_view> values) {
    std::string out;
    for (std::size_t i = 0; i < values.size(); ++i) {
      out += i == 0 ? "" : i + 1 < values.size() ? ", " : " or ";
      out += '"' + std::string(values[i]) + '"';
    }
    return out;
  }

  void check_regex(const Matcher& m, const Expr& where) {
    if (m.op() != Matcher::Op::Regex && m.op() != Matcher::Op::NotRegex) return;
    const std::string& text = m.value();
    if (text.starts_with('^') || (text.ends_with('$') && !text.ends_with("\\$"))) {
      findings_.add("anchored-regex",
                    "'" + text + "' need not say ^ and $: a matcher is for the whole value",
                    "leave them out", where);
    } else if (!text.empty() && text.find_first_of("\\.+*?()|[]{}^$") == std::string::npos) {
      const bool is_not = m.op() == Matcher::Op::NotRegex;
      findings_.add("plain-regex", "'" + text + "' is a plain text, not an expression",
                    m.name() + (is_not ? "!=\"" : "=\"") + text + "\" says the same", where);
    }
  }

  void check_bucket(const LinkerdMetric& metric, const Matcher& m, const Expr& where) {
    if (metric.bounds.empty() || m.op() != Matcher::Op::Equal) return;
    const std::optional<double> bound = parse_number(m.value());
    const bool is_there =
        !bound || m.value() == "+Inf" ||
        std::find(metric.bounds.begin(), metric.bounds.end(), *bound) != metric.bounds.end();
    if (is_there) return;
    std::string bounds;
    for (const double one : metric.bounds)
      bounds += (bounds.empty() ? "" : ", ") + format_number(one);
    findings_.add("no-such-bucket",
                  "'" + std::string(metric.name) + "' has no bucket le=\"" + m.value() +
                      "\": this never matches",
                  "its bounds are " + bounds, where);
  }

  void check_replacement(const promql::Call& call) {
    if (call.function->name != "label_replace") return;
    const Expr& argument = promql::unwrap(*call.args.back());
    const auto* text = promql::as<promql::String>(argument);
    if (text == nullptr) return;
    const auto compiled = Regex::compile(text->value);
    if (compiled) return;
    findings_.add("bad-regex",
                  "'" + text->value + "' is not an RE2 expression: " + compiled.error().message +
                      ": every evaluation fails",
                  "", argument);
  }

  void check(const promql::Call& call, const Expr& where) {
    check_replacement(call);
    if (!contains(kRates, call.function->name) || call.args.empty()) return;
    const Expr& argument = promql::unwrap(*call.args.front());
    const auto* matrix = promql::as<promql::MatrixSelector>(argument);
    if (matrix == nullptr) return;
    const LinkerdMetric* metric = find_linkerd_metric(matrix->vector.name);
    const bool is_gauge =
        (metric && metric->type == MetricType::Gauge) || matrix->vector.name == "up";
    const std::string name(call.function->name);
    if (is_gauge) {
      findings_.add("rate-of-gauge",
                    "'" + matrix->vector.name + "' is a gauge: its " + name + "() is meaningless",
                    "use delta(), deriv() or the value itself", where);
    }
    const auto shortest = shortest_window(jobs_, matrix->vector.name, matrix->vector.matchers);
    if (matrix->range < shortest.length) {
      findings_.add(
          "short-window",
          name + "() over " + format_duration(matrix->range) +
              " needs four scrapes in it to stand a scrape that is missed: " + shortest.why,
          "write [" + format_duration(shortest.length) + "] or more", where);
    }
  }

  // A label by which everything falls into one group.
  void check(const promql::Aggregate& aggregate, const Expr& where) {
    if (aggregate.without) return;
    for (const std::string& label : aggregate.grouping) {
      const ImpossibleLabel* why = nullptr;
      for (const VectorSelector* selector : selectors_of(*aggregate.expr)) {
        const ImpossibleLabel* one = why_impossible(*selector, label);
        why = one && one->value.empty() ? one : nullptr;
        if (!why) break;
      }
      if (!why) continue;
      findings_.add("no-such-label",
                    std::string(why->reason) + ": by (" + label + ") puts everything together",
                    std::string(why->hint), where);
    }
  }

  // Whether the node makes of a counter's value a number that means something.
  static bool sums_up(const Expr& expr) {
    if (const auto* binary = promql::as<promql::Binary>(expr)) {
      return !promql::info_of(binary->op).is_set;
    }
    const auto* aggregate = promql::as<promql::Aggregate>(expr);
    return aggregate &&
           (aggregate->op == promql::AggregateOp::Sum || aggregate->op == promql::AggregateOp::Avg);
  }

  void check_counter(const Expr& expr) {
    const auto* selector = promql::as<VectorSelector>(expr);
    const LinkerdMetric* metric = selector ? find_linkerd_metric(selector->name) : nullptr;
    if (metric == nullptr || metric->type == MetricType::Gauge) return;
    findings_.add("no-rate",
                  "'" + selector->name +
                      "' has counted since its process started: its value says nothing of now",
                  "write rate(" + selector->name + "[5m]), or increase()", expr);
  }

  const std::vector<const VectorSelector*> selectors_;
  const std::span<const ScrapedJob> jobs_;
  Findings& findings_;
};

}  // namespace

void lint_names(const Expr& expr, std::span<const ScrapedJob> jobs, Findings& findings) {
  NameLinter(expr, jobs, findings).walk(expr);
}

}  // namespace tocsin::rule
