// SPDX-License-Identifier: Apache-2.0
#include "rule/rule_reader.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/hash.h"
#include "promql/ast.h"
#include "rule/annotations.h"
#include "rule/compile.h"
#include "rule/condition_reader.h"
#include "rule/kubernetes.h"
#include "rule/lint.h"
#include "rule/output_labels.h"
#include "rule/scrape_window.h"
#include "rule/suppressions.h"
#include "tocsin/duration.h"
#include "tocsin/labels.h"

namespace tocsin::rule {
namespace {

// The annotation is for rule files that a Prometheus loads too.
const std::string kResolveWhen = "tocsin_resolve_when";

using yaml::Mapping;
using yaml::Node;

// What stays the same about a rule when its thresholds change.
std::string name_and_labels(const Rule& rule) {
  std::string text = (rule.kind == RuleKind::Alert ? "alert" : "record") + ('\0' + rule.name);
  for (const auto& [name, value] : rule.labels) text += '\0' + name + '\0' + value;
  return text;
}

std::string content_text(const Rule& rule) { return name_and_labels(rule) + '\0' + rule.expr_text; }

std::string identity_text(const Group& group, const Rule& rule) {
  return group.name + '\0' + name_and_labels(rule);
}

std::string identity(const std::string& text, int ordinal) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%016llx-%d",
                static_cast<unsigned long long>(hash_bytes(text)), ordinal);
  return buffer.data();
}

std::string rule_context(const Rule& rule, std::size_t number) {
  if (rule.name.empty()) return "rule " + std::to_string(number);
  return std::string(rule.kind == RuleKind::Alert ? "alert" : "record") + " '" + rule.name + "'";
}

bool is_template(std::string_view text) { return text.find("{{") != std::string_view::npos; }

bool has_value_in_it(std::string_view text) {
  return is_template(text) && (text.find("$value") != std::string_view::npos ||
                               text.find(".Value") != std::string_view::npos);
}

}  // namespace

void RuleReader::read(const SourceFile& file, std::vector<Group>& groups) {
  Diagnostics found;
  yaml::Reporter report(found, "rule");
  report_ = &report;
  group_names_.clear();
  const auto documents = yaml::Document::parse_all(file.path, file.bytes, found);
  for (const yaml::Document& document : documents) {
    for (const Object& object : objects_of(document)) {
      // Among manifests, what is no rule is somebody else's.
      const bool is_alone = documents.size() == 1 && !object.is_listed;
      const std::string name = is_alone ? "" : object.name();
      file_ = name.empty() ? file.path : file.path + "#" + name;
      read_object(object, is_alone ? OtherKinds::Refuse : OtherKinds::ReadPast, groups);
    }
  }
  const Suppressions suppressions(file);
  for (const Diagnostic& d : found.all()) {
    if (!suppressions.covers(d)) diagnostics_.add(d);
  }
  diagnostics_.append(suppressions.problems());
}

void RuleReader::read_object(const Object& object, OtherKinds others, std::vector<Group>& groups) {
  if (object.node.is_null()) return;
  Mapping root(object.node, *report_, "a rule file");
  if (!root.ok()) return;
  if (object.kind.empty()) {
    read_groups(root, groups);
    root.finish();
    return;
  }
  // A PrometheusRule object; what Kubernetes adds to it is not ours to check.
  if (!object.is_prometheus_rule()) {
    if (others == OtherKinds::ReadPast) return;
    root.error("kind",
               "a rule file is a list of groups or a PrometheusRule, not a '" + object.kind + "'");
    return;
  }
  Mapping spec(root.find("spec"), *report_, "'spec'");
  if (!spec.ok()) return;
  read_groups(spec, groups);
  spec.finish();
}

void RuleReader::describe(yaml::Schema& schema) {
  yaml::Reporter report(diagnostics_, "schema");
  report_ = &report;
  Mapping file(schema, report);
  file.declare_objects("groups", [this](Mapping& m) {
    Group group;
    m.require("name", group.name);
    read_group_settings(m, group);
    m.declare_objects("rules", [this](Mapping& rule) { describe_rule(rule); });
  });
}

void RuleReader::describe_rule(Mapping& m) {
  Rule rule;
  for (const char* key : {"alert", "record", "expr"}) m.declare(key, yaml::Shape::Text);
  describe_conditions(m);
  m.declare_one_of({"alert", "record"});
  std::vector<std::string> what = condition_keys();
  what.emplace_back("expr");
  m.declare_one_of(std::move(what));
  m.declare("unless", yaml::Shape::TextOrTexts);
  read_times(m, rule);
  m.declare("resolve_when", yaml::Shape::Text);
  read_labels(m, rule.labels);
  read_annotations(m, rule);
}

void RuleReader::read_groups(Mapping& spec, std::vector<Group>& groups) {
  const Node list = spec.find("groups");
  if (list.is_null()) return;
  if (!list.is_sequence()) {
    spec.error("groups", "'groups' must be a list, is " + std::string(list.kind_text()));
    return;
  }
  for (const Node& node : list.items()) read_group(node, groups);
}

void RuleReader::read_group(const Node& node, std::vector<Group>& groups) {
  const std::size_t errors = report_->error_count();
  Mapping m(node, *report_, "a group");
  if (!m.ok()) return;
  Group group;
  group.file = file_;
  alerts_.clear();
  m.require("name", group.name);
  const yaml::Reporter::Context context(*report_, "group '" + group.name + "'");
  if (group.name.empty() && m.has("name")) m.error("name", "a group's name must not be empty");
  if (!group.name.empty() && !group_names_.insert({group.file, group.name}).second) {
    m.error("name", "group '" + group.name + "' is there twice in this file");
  }
  read_group_settings(m, group);
  const bool sound = report_->error_count() == errors;
  read_rules(m, group);
  m.finish();
  if (sound) groups.push_back(std::move(group));
}

void RuleReader::read_group_settings(Mapping& m, Group& group) {
  m.read("interval", group.interval);
  m.read("query_offset", group.query_offset);
  std::int64_t limit = 0;
  m.read("limit", limit);
  if (limit < 0) m.error("limit", "'limit' must not be negative");
  group.limit = static_cast<std::size_t>(std::max<std::int64_t>(limit, 0));
  read_labels(m, group.labels);
  m.find("partial_response_strategy");  // Thanos', in PrometheusRule objects.
}

void RuleReader::read_rules(Mapping& m, Group& group) {
  const Node rules = m.find("rules");
  if (rules.is_null()) return;
  if (!rules.is_sequence()) {
    m.error("rules", "'rules' must be a list, is " + std::string(rules.kind_text()));
    return;
  }
  for (const Node& node : rules.items()) read_rule(node, group);
}

void RuleReader::read_rule(const Node& node, Group& group) {
  const std::size_t errors = report_->error_count();
  Mapping m(node, *report_, "a rule");
  if (!m.ok()) return;
  Rule rule;
  rule.place = node.place();
  read_kind(m, rule);
  const yaml::Reporter::Context context(*report_, rule_context(rule, group.rules.size() + 1));
  read_times(m, rule);
  rule.labels = group.labels;
  read_labels(m, rule.labels);
  read_annotations(m, rule);
  std::vector<Rule> recordings;
  if (has_condition(m)) {
    read_mesh_condition(m, rule, recordings);
  } else {
    read_expression(m, group, rule);
  }
  if (rule.kind == RuleKind::Record) check_record(m, rule);
  m.finish();
  if (report_->error_count() > errors) return;
  for (Rule& recording : recordings) {
    if (recorded_.insert(recording.name).second) add(group, std::move(recording));
  }
  const int earlier = identities_[identity_text(group, rule)];
  if (earlier > 0 && rule.kind == RuleKind::Record) {
    report_->warning(node, "duplicate", "this series is recorded twice, with the same labels");
  }
  const bool is_there = std::any_of(group.rules.begin(), group.rules.end(), [&](const Rule& other) {
    return content_text(other) == content_text(rule);
  });
  if (is_there && rule.kind == RuleKind::Alert) {
    report_->warning(node, "duplicate", "this alert is there already: every fault is told twice",
                     "leave one of them out");
  }
  add(group, std::move(rule));
}

void RuleReader::add(Group& group, Rule rule) {
  const std::string text = identity_text(group, rule);
  rule.id = identity(text, identities_[text]++);
  const std::string content = content_text(rule);
  rule.content_id = identity(content, contents_[content]++);
  group.rules.push_back(std::move(rule));
}

void RuleReader::read_kind(Mapping& m, Rule& rule) {
  const bool alert = m.has("alert");
  const bool record = m.has("record");
  if (alert && record) m.error("record", "only one of 'record' and 'alert' must be set");
  if (!alert && !record) m.error_here("one of 'record' or 'alert' must be set");
  rule.kind = alert ? RuleKind::Alert : RuleKind::Record;
  const std::string_view key = alert ? "alert" : "record";
  if (!m.read(key, rule.name)) return;
  rule.place = m.find(key).place();
  if (rule.name.empty()) m.error(key, "'" + std::string(key) + "' must not be empty");
  if (!is_valid_utf8(rule.name)) m.error(key, "the name is not UTF-8");
}

void RuleReader::read_times(Mapping& m, Rule& rule) {
  m.read("for", rule.for_duration);
  m.read("keep_firing_for", rule.keep_firing_for);
}

void RuleReader::read_labels(Mapping& m, std::map<std::string, std::string>& labels) {
  std::map<std::string, std::string> own;
  m.read("labels", own);
  for (const auto& [name, value] : own) {
    if (name.empty() || name == kMetricName || !is_valid_utf8(name)) {
      m.error("labels", "invalid label name: '" + name + "'");
    }
    if (!is_valid_utf8(value)) m.error("labels", "the value of '" + name + "' is not UTF-8");
    const Node node = m.find("labels").get(name);
    check_template(node, "label '" + name + "'");
    if (has_value_in_it(value)) {
      report_->warning(node, "value-in-label",
                       "the value in label '" + name +
                           "' makes a new alert whenever it changes: labels are the identity",
                       "put it into an annotation");
    }
    labels[name] = value;
  }
}

void RuleReader::read_annotations(Mapping& m, Rule& rule) {
  m.read("annotations", rule.annotations);
  for (const auto& [name, value] : rule.annotations) {
    if (name.empty() || !is_valid_utf8(name)) {
      m.error("annotations", "invalid annotation name: '" + name + "'");
    }
    check_template(m.find("annotations").get(name), "annotation '" + name + "'");
  }
}

void RuleReader::check_template(const Node& node, std::string_view what) {
  if (options_.read_template == nullptr || !is_template(node.text())) return;
  if (const auto wrong = options_.read_template(node.text()).problem) {
    report_->error(node, "template", "the template of " + std::string(what) + ": " + *wrong);
  }
}

void RuleReader::check_record(Mapping& m, const Rule& rule) {
  for (const std::string_view key : {"for", "keep_firing_for", "annotations"}) {
    if (m.has(key)) {
      m.error(key, "invalid field '" + std::string(key) + "' in recording rule");
    }
  }
  if (rule.name.find_first_of("{}") != std::string::npos) {
    m.error("record", "braces present in the recording rule name; should it be in expr?");
  }
  if (has_condition(m)) {
    m.error_here("a mesh condition makes an alert, not a recording", "write 'alert' for 'record'");
  }
}

void RuleReader::read_expression(Mapping& m, const Group& group, Rule& rule) {
  std::string text;
  if (m.has("unless")) {
    m.error("unless", "'unless' goes with a mesh condition", "write it into 'expr'");
  }
  if (!m.read("expr", text) || text.find_first_not_of(" \t\r\n") == std::string::npos) {
    if (m.find("expr").is_null() || m.find("expr").is_scalar()) {
      m.error("expr", "field 'expr' must be set in rule",
              rule.kind == RuleKind::Alert ? "or a mesh condition, like success_rate: {below: 99%}"
                                           : "");
    }
    return;
  }
  const Node node = m.find("expr");
  const auto parsed = promql::parse(text);
  if (!parsed) {
    const promql::Problem& problem = parsed.error();
    Diagnostic d = node.diagnostic_at(node.place_of(
        problem.begin, problem.end > problem.begin ? problem.end - problem.begin : 1));
    d.code = problem.code;
    d.message = problem.message;
    d.hint = problem.hint;
    report_->add(std::move(d));
    return;
  }
  const promql::ValueType type = promql::type_of(**parsed);
  if (type != promql::ValueType::Vector && type != promql::ValueType::Scalar) {
    m.error("expr",
            "rule result is not a vector or scalar but a " + std::string(promql::type_name(type)));
    return;
  }
  rule.expr = *parsed;
  warn_of_lint(m, lint(**parsed, options_.jobs));
  warn_of_lint(m, lint(rule, group, **parsed, recordings_));
  if (rule.kind == RuleKind::Record) recordings_[rule.name] = promql::print(**parsed);
  if (options_.read_template != nullptr && rule.kind == RuleKind::Alert) {
    warn_of_lint(m, lint_templates(rule, output_labels(**parsed), options_.read_template));
  }
  read_resolve_when(m, rule);
  rule.expr_text = promql::print(*rule.expr);
}

// `resolve_when: EXPR`, or the annotation tocsin_resolve_when, which a Prometheus reads past.
void RuleReader::read_resolve_when(Mapping& m, Rule& rule) {
  std::string text;
  const auto annotation = rule.annotations.find(kResolveWhen);
  if (annotation != rule.annotations.end()) {
    text = annotation->second;
    rule.annotations.erase(annotation);
  }
  std::string_view key = "annotations";
  if (m.read("resolve_when", text)) key = "resolve_when";
  if (text.empty()) return;
  const auto* comparison = promql::as<promql::Binary>(*rule.expr);
  const bool compares = comparison && promql::info_of(comparison->op).is_comparison &&
                        !comparison->return_bool &&
                        promql::type_of(*comparison->left) == promql::ValueType::Vector;
  if (rule.kind == RuleKind::Record || !compares) {
    m.error(key, "'resolve_when' goes with an alert whose expression ends in a comparison",
            "like 'rate(errors[5m]) > 5'; or write 'keep_firing_for'");
    return;
  }
  const auto resolved = promql::parse(text);
  if (!resolved) {
    m.error(key, "'resolve_when': " + resolved.error().message);
    return;
  }
  if (promql::type_of(**resolved) != promql::ValueType::Vector) {
    m.error(key, "'resolve_when' must have series: those that are well again",
            "like 'rate(errors[5m]) < 2'");
    return;
  }
  rule.expr = parse_compiled(
      m, "(" + promql::print(*rule.expr) + ")" +
             or_not_resolved(rule, promql::print(*comparison->left), promql::print(**resolved)));
}

void RuleReader::warn_of_lint(Mapping& m, const std::vector<LintFinding>& findings) {
  for (const LintFinding& finding : findings) {
    const Node expr = m.find("expr");
    Diagnostic d = expr.diagnostic_at(expr.place_of(finding.begin, finding.end - finding.begin));
    if (!finding.annotation.empty()) {
      d = m.find("annotations").get(finding.annotation).diagnostic();
    } else if (!finding.label.empty()) {
      const Node own = m.find("labels").get(finding.label);
      d = (own.is_null() ? m.node() : own).diagnostic();
    }
    d.severity = Severity::Warning;
    d.code = finding.code;
    d.message = finding.message;
    d.hint = finding.hint;
    report_->add(std::move(d));
  }
}

// As of an expression that says the same: lint_names.cc.
void RuleReader::warn_of_short_window(Mapping& m, const Condition& condition) {
  if (condition.kind == ConditionKind::ControlPlane ||
      condition.kind == ConditionKind::Certificate) {
    return;  // They look at no window.
  }
  // Restarts are counted by kube-state-metrics.
  const bool is_of_pods = condition.kind == ConditionKind::ProxyRestarts;
  const auto shortest =
      shortest_window(options_.jobs, is_of_pods ? "kube_pod_info" : "response_total");
  if (condition.over >= shortest.length) return;
  const Node whole = m.find(name_of(condition.kind));
  const Node over = whole.get("over");
  Diagnostic d = (over.is_null() ? whole : over).diagnostic();
  d.severity = Severity::Warning;
  d.code = "lint/short-window";
  d.message = "'over: " + format_duration(condition.over) +
              "' needs four scrapes in it to stand a scrape that is missed: " + shortest.why;
  d.hint = "write " + format_duration(shortest.length) + " or more";
  report_->add(std::move(d));
}

promql::ExprPtr RuleReader::parse_compiled(Mapping& m, const std::string& text) {
  if (text.empty()) return nullptr;
  const auto parsed = promql::parse(text);
  if (parsed) return *parsed;
  m.error_here("the condition does not compile: " + parsed.error().message + " in " + text);
  return nullptr;
}

// Makes `expr` give way to the conditions of the alerts that the rule names.
void RuleReader::read_unless(Mapping& m, Rule& rule, std::string& expr) {
  const Node node = m.find("unless");
  if (node.is_null()) return;
  Condition& condition = *rule.condition;
  std::string one;
  if (node.is_sequence()) {
    m.read("unless", condition.unless);
  } else if (m.read("unless", one)) {
    condition.unless = {one};
  }
  expr = "(" + expr + ")";
  for (const std::string& name : condition.unless) {
    const auto other = alerts_.find(name);
    if (other == alerts_.end()) {
      m.error("unless", "no alert '" + name + "' with a mesh condition stands above in the group");
      continue;
    }
    const auto dropped = unless_holds(condition, other->second.condition, other->second.expr);
    if (!dropped) {
      m.error("unless", "'" + name + "' and this alert never speak of the same thing");
      continue;
    }
    expr += *dropped;
  }
}

void RuleReader::read_mesh_condition(Mapping& m, Rule& rule, std::vector<Rule>& recordings) {
  if (m.has("expr")) {
    m.error("expr", "a rule has an 'expr' or a mesh condition, not both", "write two rules");
  }
  std::optional<ReadCondition> read = read_condition(m);
  if (!read) return;
  if (!can_know(read->condition)) {
    m.error_here("no series of Linkerd's can tell what 'where' asks for",
                 "narrow by the labels that the alert itself will have");
    return;
  }
  warn_of_short_window(m, read->condition);
  Compiled compiled = compile(read->condition, options_.memory);
  Condition& condition = rule.condition.emplace(std::move(read->condition));
  condition.labels = compiled.labels;
  if (options_.read_template != nullptr) {
    const OutputLabels labels{false, {condition.labels.begin(), condition.labels.end()}};
    warn_of_lint(m, lint_templates(rule, labels, options_.read_template));
  }
  const std::string expr = compiled.expr;
  read_unless(m, rule, compiled.expr);
  alerts_.insert_or_assign(rule.name, Named{condition, expr});
  if (const std::string held = or_still_firing(rule, condition, options_.memory); !held.empty()) {
    compiled.expr = "(" + compiled.expr + ")" + held;
  }
  condition.value = parse_compiled(m, compiled.value);
  condition.requests = parse_compiled(m, compiled.requests);
  rule.expr = parse_compiled(m, compiled.expr);
  if (rule.expr) rule.expr_text = promql::print(*rule.expr);
  rule.for_duration = std::max(rule.for_duration, read->down_for);
  for (const auto& [name, text] : default_annotations(condition)) {
    rule.annotations.try_emplace(name, text);
  }
  for (const Recording& recording : compiled.recordings) {
    Rule& record = recordings.emplace_back();
    record.kind = RuleKind::Record;
    record.name = recording.name;
    record.expr = parse_compiled(m, recording.expr);
    if (record.expr) record.expr_text = promql::print(*record.expr);
    record.generated = true;
    record.place = rule.place;
  }
}

}  // namespace tocsin::rule
