// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "rule/rule_files.h"
#include "support/files.h"

namespace tocsin::rule {
namespace {

constexpr const char* kFile = R"(groups:
- name: g
  interval: 30s
  query_offset: 10s
  limit: 5
  labels: {team: web, severity: info}
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
    labels: {kind: sum}
  - alert: Down
    expr: |
      up
        == 0
    for: 5m
    keep_firing_for: 1m
    labels: {severity: page}
    annotations: {summary: "{{ $labels.job }} is down"}
)";

TEST_CASE("a Prometheus rule file is read as Prometheus reads it") {
  const Loaded loaded = load_text(kFile);
  CHECK(loaded.diagnostics.text() == "");
  const Group& group = loaded.rules.groups.at(0);
  CHECK(group.file == "f.yaml");
  CHECK(group.interval == std::chrono::seconds(30));
  CHECK(group.query_offset == std::chrono::seconds(10));
  CHECK(group.limit == 5);
  const Rule& record = group.rules.at(0);
  CHECK(record.kind == RuleKind::Record);
  CHECK(record.expr_text == "sum by (job) (up)");
  CHECK(record.labels ==
        std::map<std::string, std::string>{{"kind", "sum"}, {"severity", "info"}, {"team", "web"}});
  const Rule& alert = group.rules.at(1);
  CHECK(alert.kind == RuleKind::Alert);
  CHECK(alert.expr_text == "up == 0");
  CHECK(alert.for_duration == std::chrono::minutes(5));
  CHECK(alert.keep_firing_for == std::chrono::minutes(1));
  CHECK(alert.labels.at("severity") == "page");
  CHECK(alert.annotations.at("summary") == "{{ $labels.job }} is down");
  CHECK(alert.place.text() == "f.yaml:11:12");
}

TEST_CASE("a PrometheusRule object is a rule file") {
  const Loaded loaded = load_text(
      "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\n"
      "spec:\n  groups:\n  - name: g\n    partial_response_strategy: warn\n"
      "    rules: [{alert: A, expr: vector(1)}]\n");
  CHECK(loaded.diagnostics.text() == "");
  CHECK(loaded.rules.groups.at(0).rules.at(0).name == "A");
}

// As `kubectl get prometheusrules,configmaps -o yaml` prints them.
const std::string kList = R"(apiVersion: v1
items:
- apiVersion: monitoring.coreos.com/v1
  kind: PrometheusRule
  metadata: {name: one, namespace: monitoring}
  spec:
    groups:
    - name: one
      rules:
      - {alert: A, expr: up == 0}
- apiVersion: v1
  kind: ConfigMap
  data: {a: b}
- apiVersion: monitoring.coreos.com/v1
  kind: PrometheusRule
  metadata: {name: two, namespace: monitoring}
  spec:
    groups:
    - name: two
      rules:
      # tocsin: disable=never-true
      - {alert: B, expr: up == 2}
      - {alert: C, expr: 'rat(up[5m]) > 0'}
kind: List
metadata: {resourceVersion: ""}
)";

TEST_CASE("the PrometheusRule objects of a List are read like documents of their own") {
  const Loaded loaded = load_text(kList);
  CHECK(loaded.diagnostics.text().find("f.yaml:23:27: error: unknown function") == 0);
  CHECK(loaded.diagnostics.all().size() == 1);
  REQUIRE(loaded.rules.groups.size() == 2);
  CHECK(loaded.rules.groups[0].name == "one");
  CHECK(loaded.rules.groups[1].rules.at(0).place.text() == "f.yaml:22:17");
}

TEST_CASE("two objects of a file may have groups of the same name") {
  const std::string object =
      "kind: PrometheusRule\nmetadata: {name: NAME, namespace: shop}\n"
      "spec: {groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]}\n";
  const auto named = [&](const std::string& name) {
    return std::string(object).replace(object.find("NAME"), 4, name);
  };
  const Loaded loaded = load_text(named("one") + "---\n" + named("two"));
  CHECK(loaded.diagnostics.text() == "");
  REQUIRE(loaded.rules.groups.size() == 2);
  CHECK(loaded.rules.groups[0].file == "f.yaml#shop/one");
  CHECK(loaded.rules.groups[1].file == "f.yaml#shop/two");
  CHECK(loaded.rules.groups[1].rules.at(0).place.file == "f.yaml");
  const Loaded twice = load_text(named("one") + "---\n" + named("one"));
  CHECK(twice.diagnostics.text().find("group 'g' is there twice") != std::string::npos);
}

TEST_CASE("the kind of what is in a PrometheusRuleList may be left out") {
  const Loaded loaded = load_text(
      "kind: PrometheusRuleList\nitems:\n- metadata: {name: x}\n"
      "  spec: {groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]}\n");
  CHECK(loaded.diagnostics.text() == "");
  CHECK(loaded.rules.groups.at(0).rules.at(0).place.text() == "f.yaml:4:45");
}

TEST_CASE("an empty file and an empty group are fine") {
  for (const char* text : {"", "# nothing\n", "groups:\n", "groups: []", "groups: [{name: g}]"}) {
    CAPTURE(text);
    CHECK(load_text(text).diagnostics.empty());
  }
}

TEST_CASE("what is wrong with a rule is said where it stands") {
  const struct {
    const char* body;
    const char* expected;
  } cases[] = {
      {"expr: sum(rate(x[5m])) > histogram_quantille(1, x)",
       "f.yaml:5:30: error: unknown function with name \"histogram_quantille\" "
       "[promql/unknown-function]\n"
       "    expr: sum(rate(x[5m])) > histogram_quantille(1, x)\n"
       "                             ^^^^^^^^^^^^^^^^^^^\n"
       "  in alert 'A', group 'g'\n"
       "  hint: did you mean 'histogram_quantile'?\n"},
      {"for: 1m",
       "f.yaml:4:5: error: field 'expr' must be set in rule [rule/invalid]\n"
       "    - alert: A\n"
       "      ^\n"
       "  in alert 'A', group 'g'\n"
       "  hint: or a mesh condition, like success_rate: {below: 99%}\n"},
      {"expr: x[5m]",
       "f.yaml:5:11: error: rule result is not a vector or scalar but a range vector "
       "[rule/invalid]\n"
       "    expr: x[5m]\n"
       "          ^^^^^\n"
       "  in alert 'A', group 'g'\n"},
      {"{expr: x, record: r}", nullptr},
      {"expr: x\n    labels: {__name__: y}",
       "f.yaml:6:13: error: invalid label name: '__name__' [rule/invalid]\n"
       "    labels: {__name__: y}\n"
       "            ^\n"
       "  in alert 'A', group 'g'\n"},
      {"expr: x\n    keep_firing_fro: 1m",
       "f.yaml:6:5: error: unknown key 'keep_firing_fro' [rule/unknown-key]\n"
       "    keep_firing_fro: 1m\n"
       "    ^^^^^^^^^^^^^^^\n"
       "  in alert 'A', group 'g'\n"
       "  hint: did you mean 'keep_firing_for'?\n"},
      {"expr: x\n    for: 5 min",
       "f.yaml:6:10: error: 'for' must be a duration, is '5 min' [rule/type]\n"
       "    for: 5 min\n"
       "         ^^^^^\n"
       "  in alert 'A', group 'g'\n"
       "  hint: write it like 30s, 5m or 1h30m: whole numbers with a unit\n"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.body);
    const Loaded loaded = load_alert(c.body);
    CHECK(loaded.diagnostics.has_errors());
    if (c.expected != nullptr) CHECK(loaded.diagnostics.text() == c.expected);
  }
}

TEST_CASE("an error inside a block scalar is underlined there") {
  const Loaded loaded = load_alert("expr: |\n      sum(up)\n        > oops(1)");
  REQUIRE(loaded.diagnostics.all().size() == 1);
  CHECK(loaded.diagnostics.all()[0].place.text() == "f.yaml:7:11");
  CHECK(loaded.diagnostics.all()[0].snippet == "        > oops(1)");
}

TEST_CASE("recording rules have no alert's fields") {
  const struct {
    const char* rule;
    const char* expected;
  } cases[] = {
      {"{record: r, expr: x, for: 1m}", "invalid field 'for' in recording rule"},
      {"{record: r, expr: x, keep_firing_for: 1m}",
       "invalid field 'keep_firing_for' in recording rule"},
      {"{record: r, expr: x, annotations: {a: b}}",
       "invalid field 'annotations' in recording rule"},
      {"{record: 'r{a=\"b\"}', expr: x}",
       "braces present in the recording rule name; should it be in expr?"},
      {"{record: r, success_rate: {below: 99%}}", "a mesh condition makes an alert"},
      {"{record: r, alert: a, expr: x}", "only one of 'record' and 'alert' must be set"},
      {"{expr: x}", "one of 'record' or 'alert' must be set"},
      {"{alert: '', expr: x}", "'alert' must not be empty"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.rule);
    const Loaded loaded = load_text(std::string("groups: [{name: g, rules: [") + c.rule + "]}]");
    CHECK(loaded.diagnostics.text().find(c.expected) != std::string::npos);
    CHECK(loaded.rules.groups.at(0).rules.empty());
  }
}

TEST_CASE("a broken rule or group is left out and the rest stands") {
  const Loaded loaded = load_text(
      "groups:\n"
      "- name: good\n  rules:\n  - {alert: A, expr: up}\n  - {alert: B, expr: up(}\n"
      "  - {alert: C, expr: up}\n"
      "- name: good\n  rules: [{alert: D, expr: up}]\n"
      "- name: bad\n  interval: never\n  rules: [{alert: E, expr: oops(1)}]\n");
  REQUIRE(loaded.rules.groups.size() == 1);
  CHECK(loaded.rules.groups[0].rules.size() == 2);
  const std::string text = loaded.diagnostics.text();
  CHECK(loaded.diagnostics.count(Severity::Error) == 4);
  CHECK(text.find("group 'good' is there twice in this file") != std::string::npos);
  CHECK(text.find("'interval' must be a duration") != std::string::npos);
  CHECK(text.find("in alert 'E', group 'bad'") != std::string::npos);
}

TEST_CASE("two files may have groups of the same name") {
  const SourceFile files[] = {{"a.yaml", "groups: [{name: g, rules: [{alert: A, expr: up}]}]"},
                              {"b.yaml", "groups: [{name: g, rules: [{alert: A, expr: up}]}]"}};
  const Loaded loaded = load(files);
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.rules.groups.size() == 2);
  CHECK(loaded.rules.groups[0].rules[0].id != loaded.rules.groups[1].rules[0].id);
}

TEST_CASE("a rule keeps its identity when its threshold or its file changes") {
  const auto id = [](const std::string& rule, const char* path = "f.yaml") {
    const SourceFile file{path, "groups: [{name: g, rules: [{alert: A, " + rule + "}]}]"};
    return load(std::span(&file, 1)).rules.groups.at(0).rules.at(0).id;
  };
  const std::string first = id("expr: up > 1, labels: {a: b}");
  CHECK(first == id("expr: up > 2, for: 5m, labels: {a: b}, annotations: {c: d}"));
  CHECK(first == id("expr: up > 1, labels: {a: b}", "moved.yaml"));
  CHECK(first != id("expr: up > 1, labels: {a: c}"));
}

TEST_CASE("a template that does not parse is an error at its place") {
  const TemplateReader reader = [](std::string_view) {
    return TemplateReport{"unclosed action", {}};
  };
  const Loaded loaded =
      load_alert("expr: x\n    annotations: {summary: '{{ oops'}", {.read_template = reader});
  CHECK(loaded.diagnostics.text() ==
        "f.yaml:6:28: error: the template of annotation 'summary': unclosed action "
        "[rule/template]\n"
        "    annotations: {summary: '{{ oops'}\n"
        "                           ^^^^^^^^^\n"
        "  in alert 'A', group 'g'\n");
}

TEST_CASE("what rules read is listed once, with the longest history") {
  const Loaded loaded = load_text(
      "groups:\n- name: g\n  query_offset: 1m\n  rules:\n"
      "  - {alert: A, expr: 'rate(x{a=\"b\"}[5m]) > 1'}\n"
      "  - {alert: B, expr: 'rate(x{a=\"b\"}[10m]) > 1 or y'}\n");
  const std::vector<promql::Need> needs = required_needs(loaded.rules);
  REQUIRE(needs.size() == 2);
  CHECK(needs[0].history == std::chrono::minutes(11));
  CHECK(needs[1].history == std::chrono::minutes(6));
}

TEST_CASE("promtool's own rule files get promtool's verdict") {
  const auto folder = shared("promtool");
  if (!folder) return;
  const struct {
    const char* file;
    bool good;
  } cases[] = {{"rules.yml", true},
               {"rules_duplicates.yml", true},
               {"prometheus-rules.lint.yml", true},
               {"bad-rules-error.yml", true},  // Wrong only once it is evaluated.
               {"bad-rules-syntax.yml", false}};
  for (const auto& c : cases) {
    CAPTURE(c.file);
    CHECK(load_text(bytes_of(*folder / c.file)).diagnostics.has_errors() != c.good);
  }
}

}  // namespace
}  // namespace tocsin::rule
