// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include "rule/explain_expr.h"
#include "rule/notation.h"
#include "rule/pretty.h"
#include "tocsin/duration.h"
#include "tocsin/labels.h"
#include "tocsin/rule_set.h"

namespace tocsin::rule {
namespace {

using Pairs = std::map<std::string, std::string>;

std::string limit_text(const Condition& c) {
  switch (c.kind) {
    case ConditionKind::ControlPlane: {
      std::string out;
      for (const std::string& component : c.components)
        out += (out.empty() ? "" : ", ") + component;
      return "without a ready " + out;
    }
    case ConditionKind::Certificate:
      return std::string(name_of(c.certificate)) +
             (c.missed_refreshes > 0 ? " with " : " that ends within ") + c.threshold_text;
    case ConditionKind::ProxyRestarts:
      return "more than " + c.threshold_text;
    case ConditionKind::Latency:
      return "p" + number_text(c.quantile * 100) + " above " + c.threshold_text;
    default:
      return (c.comparison == Comparison::Below ? "below " : "above ") + c.threshold_text;
  }
}

std::string condition_line(const Condition& c) {
  std::string out = std::string(name_of(c.kind)) + " " + limit_text(c);
  if (c.requests) {
    out += " over " + format_duration(c.over) + ", by " + std::string(name_of(c.by)) + ", " +
           std::string(name_of(c.side)) + " side";
  }
  for (const auto& [label, expression] : c.where) {
    out += ", where " + label + "=~" + quote(expression);
  }
  for (const std::string& alert : c.unless) out += ", unless " + alert;
  return out;
}

// What it looks at, in a sentence.
std::string watch_text(const Condition& c) {
  static constexpr std::string_view kWho[] = {
      "each workload", "each service", "each route of a service", "each client of a service"};
  const std::string who(kWho[static_cast<std::size_t>(c.by)]);
  const bool by_callers = c.side == Side::Client;
  const std::string where = by_callers ? ", as its callers' proxies saw them, with what the mesh "
                                         "answered in its place"
                                       : ", as its own proxies counted them";
  switch (c.kind) {
    case ConditionKind::SuccessRate:
      return "the share of requests of " + who + " that succeed" + where;
    case ConditionKind::Latency:
      return "how long the requests of " + who + " take" + where;
    case ConditionKind::Traffic:
      return "the requests per second of " + who + where +
             (c.unit == Unit::TimesBaseline
                  ? ", against the median of the " + format_duration(c.baseline_over) + " before"
                  : "");
    case ConditionKind::ControlPlane:
      return "whether a replica of each component of the control plane is up";
    case ConditionKind::Certificate:
      return c.certificate == CertificateKind::Leaf
                 ? "how long the certificates of each workload's proxies have left; the worst "
                   "speaks for the workload"
                 : "how long the " + std::string(name_of(c.certificate)) + " certificate has left";
    case ConditionKind::ProxyRestarts:
      return "how often Linkerd's containers of each workload restart, and whether they come up";
  }
  return {};
}

// What the compiled expression leaves out, by what stands in it.
struct Exclusion {
  std::string_view in_expr;
  std::string_view what;
};
constexpr std::array<Exclusion, 3> kExclusions = {{
    {"target_port!=\"4191\"",
     "the proxy's own port, 4191: scrapes and probes never fail, and would water down what does"},
    {"route_name!=\"probe\"", "kubelet's probes, for the same reason"},
    {"namespace!~\"linkerd|linkerd-viz\"",
     "Linkerd's own traffic, which fails in other ways and has rules of its own"},
}};

// What the condition reads, the recordings that remember for it included; not what the alerts read
// that it gives way to.
std::string text_read_by(const Rule& rule, const Group& group) {
  std::string out = promql::print(*rule.condition->value);
  for (const Rule& other : group.rules) {
    if (other.generated && out.find(other.name) != std::string::npos) out += other.expr_text;
  }
  return out;
}

std::vector<std::string> exclusions_of(const Rule& rule, const Group& group) {
  std::vector<std::string> out;
  const std::string read = text_read_by(rule, group);
  for (const Exclusion& exclusion : kExclusions) {
    const bool is_there = read.find(exclusion.in_expr) != std::string::npos;
    if (is_there) out.emplace_back(exclusion.what);
  }
  const Condition& c = *rule.condition;
  if (c.requests && c.min_requests > 0) {
    out.push_back("fewer than " + number_text(c.min_requests) + " requests in " +
                  format_duration(c.over) + ": a share of a few says nothing");
  }
  for (const std::string& alert : c.unless) out.push_back("what " + alert + " is about already");
  return out;
}

std::string labels_line(const Condition& c) {
  std::string out;
  for (const std::string& label : c.labels) out += (out.empty() ? "" : ", ") + label;
  return out;
}

void add_lines(std::string_view heading, const std::vector<std::string>& lines, std::string& out) {
  if (lines.empty()) return;
  out += "    " + std::string(heading) + ":\n";
  for (const std::string& line : lines) out += "      " + line + "\n";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

void explain_expression(const Rule& rule, std::string& out) {
  if (rule.kind == RuleKind::Record) {
    out += "    computes: " + in_words(*rule.expr) + "\n";
    return;
  }
  for (const auto& [heading, text] : expression_lines(*rule.expr)) {
    out += "    " + heading + (text.empty() ? "" : ": ") + text + "\n";
  }
}

void explain_rule(const Rule& rule, const Group& group, ExampleMessage example, std::string& out) {
  out +=
      std::string("  ") + (rule.kind == RuleKind::Alert ? "alert " : "record ") + rule.name + "\n";
  if (rule.generated) out += "    remembers: the baseline of the rules below\n";
  if (rule.condition) {
    out += "    watches: " + watch_text(*rule.condition) + "\n";
    out += "    fires on: " + condition_line(*rule.condition) + "\n";
    add_lines("leaves out", exclusions_of(rule, group), out);
    out += "    labels: " + labels_line(*rule.condition) + "\n";
  } else if (!rule.generated) {
    explain_expression(rule, out);
  }
  if (rule.for_duration.count() > 0) out += "    for: " + format_duration(rule.for_duration) + "\n";
  if (example) add_lines("would say, for example", lines_of(example(rule)), out);
  out += "    expr:\n" + pretty(*rule.expr, 6) + "\n";
}

std::string explain_text(const RuleSet& rules, ExampleMessage example) {
  std::string out;
  for (const Group& group : rules.groups) {
    if (!out.empty()) out += "\n";
    out += group.file + ": group " + group.name;
    if (group.interval) out += ", every " + format_duration(*group.interval);
    out += "\n";
    for (const Rule& rule : group.rules) explain_rule(rule, group, example, out);
  }
  return out;
}

// YAML's double-quoted style reads what quote() writes.
void print_pairs(std::string_view key, const Pairs& pairs, std::string& out) {
  if (pairs.empty()) return;
  out += "        " + std::string(key) + ":\n";
  for (const auto& [name, value] : pairs)
    out += "          " + quote(name) + ": " + quote(value) + "\n";
}

void print_duration(std::string_view key, Duration d, std::string& out) {
  if (d.count() > 0) out += "        " + std::string(key) + ": " + format_duration(d) + "\n";
}

void print_rule(const Rule& rule, std::string& out) {
  out += std::string("      - ") + (rule.kind == RuleKind::Alert ? "alert: " : "record: ") +
         quote(rule.name) + "\n";
  out += "        expr: |-\n" + pretty(*rule.expr, 10) + "\n";
  print_duration("for", rule.for_duration, out);
  print_duration("keep_firing_for", rule.keep_firing_for, out);
  print_pairs("labels", rule.labels, out);
  print_pairs("annotations", rule.annotations, out);
}

// Two files may each have a group of one name; one file may not.
std::string group_name(const RuleSet& rules, std::size_t index) {
  const std::string& name = rules.groups[index].name;
  int earlier = 0;
  for (std::size_t i = 0; i < index; ++i) earlier += rules.groups[i].name == name ? 1 : 0;
  return earlier == 0 ? name : name + " (" + std::to_string(earlier + 1) + ")";
}

// Group labels are merged into the rules: Prometheus knows them only since version 3.
std::string explain_prometheus(const RuleSet& rules) {
  std::string out = "groups:\n";
  for (std::size_t i = 0; i < rules.groups.size(); ++i) {
    const Group& group = rules.groups[i];
    out += "  - name: " + quote(group_name(rules, i)) + "\n";
    if (group.interval) out += "    interval: " + format_duration(*group.interval) + "\n";
    if (group.query_offset)
      out += "    query_offset: " + format_duration(*group.query_offset) + "\n";
    if (group.limit > 0) out += "    limit: " + std::to_string(group.limit) + "\n";
    out += group.rules.empty() ? "    rules: []\n" : "    rules:\n";
    for (const Rule& rule : group.rules) print_rule(rule, out);
  }
  return rules.groups.empty() ? "groups: []\n" : out;
}

}  // namespace

std::string explain(const RuleSet& rules, ExplainFormat format, ExampleMessage example) {
  return format == ExplainFormat::Text ? explain_text(rules, example) : explain_prometheus(rules);
}

}  // namespace tocsin::rule
