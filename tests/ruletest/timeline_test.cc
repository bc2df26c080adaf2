// SPDX-License-Identifier: Apache-2.0
//
// What rule tests can say beyond promtool's format. Every case is also shown to fail where what it
// expects is not so.
#include "ruletest/timeline.h"

#include <doctest/doctest.h>

#include "alert/template.h"
#include "ruletest/rule_test.h"
#include "support/files.h"

namespace tocsin::ruletest {
namespace {

constexpr std::string_view kRules = R"(
groups:
  - name: g
    rules:
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page}
      - alert: Errors
        expr: rate(errors_total[2m]) > 0.5
        annotations:
          summary: '{{ if gt $value 5.0 }}many{{ else }}some{{ end }}'
      - record: job:up:count
        expr: count by (job) (up) unless count by (job) (up == 0)
)";

rule::RuleSet rules_of(std::string_view text) {
  const rule::SourceFile file{"rules.yaml", std::string(text)};
  auto loaded = rule::load(std::span(&file, 1), {rule::Memory::Recorded, alert::read_template});
  INFO(loaded.diagnostics.text());
  REQUIRE(!loaded.diagnostics.has_errors());
  return std::move(loaded.rules);
}

CaseResult run(const std::string& tests, std::string_view rules = kRules,
               Coverage* coverage = nullptr) {
  Diagnostics diagnostics;
  const TestFile file = read_test_file(TOCSIN_SOURCE_DIR "/tests/ruletest/a.test.yaml",
                                       "evaluation_interval: 1m\ntests:\n" + tests, diagnostics);
  INFO(diagnostics.text());
  REQUIRE(!diagnostics.has_errors());
  const rule::RuleSet set = rules_of(rules);
  if (coverage) coverage->add(set);
  return run_case(file, file.tests.front(), set, coverage);
}

std::string failures_of(const CaseResult& result) {
  std::string out;
  for (const Failure& failure : result.failures) out += failure.what + "\n" + failure.detail;
  return out;
}

const std::string kDown = R"(  - input_series: [{series: 'up{job="a"}', values: 1 0x20}]
)";

TEST_CASE("a test can expect that an alert is pending, and which one") {
  const auto held = run(kDown + R"(    alert_rule_test:
      - {eval_time: 2m, alertname: Down, exp_pending: [{exp_labels: {job: a, severity: page}}]}
      - {eval_time: 3m, alertname: Down, exp_pending: [], exp_alerts: [{exp_labels: {job: a, severity: page}}]}
)");
  CHECK(failures_of(held).empty());
  CHECK(held.passed == 2);
  const auto broken = run(kDown + R"(    alert_rule_test:
      - {eval_time: 3m, alertname: Down, exp_pending: [{exp_labels: {job: a, severity: page}}]}
)");
  CHECK(failures_of(broken) ==
        "alert Down at 3m\n"
        "missing     {alertname=\"Down\", job=\"a\", severity=\"page\"}\n"
        "value       up == 0\n"
        "                up{job=\"a\"} 0\n"
        "            up\n"
        "                up{job=\"a\"} 0\n"
        "state       {alertname=\"Down\", job=\"a\", severity=\"page\"} is firing, active since "
        "1m\n");
}

TEST_CASE("inactive is neither pending nor firing") {
  CHECK(failures_of(run(kDown + R"(    alert_rule_test:
      - {eval_time: 0m, alertname: Down, exp_inactive: true}
)"))
            .empty());
  for (const char* when : {"1m", "5m"}) {
    CAPTURE(std::string(when));
    const auto broken = run(kDown + "    alert_rule_test:\n      - {eval_time: " + when +
                            ", alertname: Down, exp_inactive: true}\n");
    CHECK(broken.failures.size() == 1);
  }
}

TEST_CASE("notifications are what became news, in the order of the expectations") {
  const std::string series = R"(  - input_series: [{series: 'up{job="a"}', values: 1 0x4 1x10}]
)";
  const auto held = run(series + R"(    notification_test:
      - {eval_time: 2m, exp_notifications: []}
      - eval_time: 4m
        exp_notifications: [{exp_labels: {alertname: Down, job: a, severity: page}}]
      - eval_time: 10m
        exp_notifications: [{status: resolved, exp_labels: {alertname: Down, job: a, severity: page}}]
)");
  CHECK(failures_of(held).empty());
  CHECK(held.passed == 3);
  const auto broken = run(series + R"(    notification_test:
      - eval_time: 10m
        exp_notifications: [{exp_labels: {alertname: Down, job: a, severity: page}}]
)");
  CHECK(failures_of(broken) ==
        "notifications until 10m\n"
        "unexpected  resolved {alertname=\"Down\", job=\"a\", severity=\"page\"}\n");
}

TEST_CASE("a restart forgets samples, but neither when an alert began nor that it was told") {
  const std::string test = kDown + R"(    restart_at: [RESTART]
    alert_rule_test:
      - {eval_time: 3m, alertname: Down, exp_alerts: [{exp_labels: {job: a, severity: page}}]}
    notification_test:
      - eval_time: 15m
        exp_notifications: [{exp_labels: {alertname: Down, job: a, severity: page}}]
    promql_expr_test:
      - {expr: 'count_over_time(up[10m])', eval_time: 7m, exp_samples: [{labels: '{job="a"}', value: COUNT}]}
)";
  const struct {
    std::string restart;
    std::string count;
  } cases[] = {{"2m", "6"}, {"6m", "2"}, {"20m", "8"}};
  for (const auto& c : cases) {
    std::string text = test;
    text.replace(text.find("RESTART"), 7, c.restart);
    text.replace(text.find("COUNT"), 5, c.count);
    CAPTURE(c.restart);
    CHECK(failures_of(run(text)).empty());
  }
}

TEST_CASE("an evaluation that fails resolves nothing") {
  const std::string series = R"(  - input_series: [{series: 'up{job="a"}', values: 1 0x5 1x20}]
)";
  const std::string expected = R"(    alert_rule_test:
      - {eval_time: 10m, alertname: Down, exp_alerts: [{exp_labels: {job: a, severity: page}}]}
)";
  CHECK(failures_of(run(series + "    failing: [{rule: Down, start: 5m, end: 12m}]\n" + expected))
            .empty());
  CHECK(!run(series + expected).failures.empty());
  const auto unknown =
      run(series + "    failing: [{rule: Dwon, start: 5m, end: 12m}]\n" + expected);
  CHECK(failures_of(unknown).find("no rule is called Dwon") != std::string::npos);
}

TEST_CASE("a simulated fault is seen by the rule that is about it, through scraped pages") {
  const std::string rules = R"(
groups:
  - name: g
    rules:
      - alert: Failing
        success_rate: {below: 95%, over: 2m}
)";
  const std::string test = R"(  - mesh: {fault: app-5xx, deployment: web, start: 5m, end: 10m}
    interval: 15s
    alert_rule_test:
      - {eval_time: 5m, alertname: Failing, exp_inactive: true}
      - {eval_time: 9m, alertname: Failing, exp_alerts: [{exp_labels: {deployment: DEPLOYMENT, namespace: emojivoto}}]}
      - {eval_time: 15m, alertname: Failing, exp_inactive: true}
)";
  for (const std::string deployment : {"web", "emoji"}) {
    std::string text = test;
    text.replace(text.find("DEPLOYMENT"), 10, deployment);
    const auto result = run(text, rules);
    CAPTURE(failures_of(result));
    CHECK(result.failures.empty() == (deployment == "web"));
  }
}

TEST_CASE("while a mesh cannot be scraped, its alerts stay as they are") {
  const std::string rules = R"(
groups:
  - name: g
    rules:
      - alert: ManyProxies
        expr: count(process_start_time_seconds{job="linkerd-proxy"}) > 10
)";
  const auto result = run(R"(  - mesh: {fault: scrape-gap, start: 5m, end: 10m}
    interval: 15s
    alert_rule_test:
      - {eval_time: 4m, alertname: ManyProxies, exp_alerts: [{}]}
      - {eval_time: 9m, alertname: ManyProxies, exp_alerts: [{}]}
    promql_expr_test:
      - {expr: 'count(up == 1)', eval_time: 9m, exp_samples: []}
)",
                          rules);
  CHECK(failures_of(result).empty());
}

TEST_CASE("an unknown fault or workload is answered with those that there are") {
  const struct {
    const char* mesh;
    const char* answer;
  } cases[] = {
      {"{fault: earthquake}",
       "there is no fault 'earthquake'; those that there are: server_errors"},
      {"{fault: slow, workload: wbe}", "there is no workload 'wbe' in the mesh; it has emojivoto/"},
      {"{file: nowhere.yaml}", "nowhere.yaml: No such file or directory"},
      {"{fault: server_errors}", "'workload' is missing"},
      {"{fault: component_down, workload: web}", "'component' must be destination"},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.mesh));
    const auto result = run(std::string("  - mesh: ") + c.mesh + "\n");
    CHECK(failures_of(result).find(c.answer) != std::string::npos);
  }
}

TEST_CASE("captured pages are scraped one after the other, with the labels of their target") {
  const auto result =
      run(R"(  - input_pages: {files: [pages/*.txt], labels: {job: linkerd-proxy, pod: web-1}}
    interval: 30s
    alert_rule_test:
      - {eval_time: 1m, alertname: Errors, exp_alerts: [{exp_labels: {job: linkerd-proxy, pod: web-1}, exp_annotations: {summary: some}}]}
    promql_expr_test:
      - {expr: errors_total, eval_time: 0s, exp_samples: [{labels: 'errors_total{job="linkerd-proxy",pod="web-1"}', value: 3}]}
      - {expr: errors_total, eval_time: 5m, exp_samples: [{labels: 'errors_total{job="linkerd-proxy",pod="web-1"}', value: 63}]}
)");
  CHECK(failures_of(result).empty());
  CHECK(result.passed == 3);
}

TEST_CASE("coverage names what no test has seen, and nothing else") {
  Coverage coverage;
  run(kDown + R"(    alert_rule_test: [{eval_time: 5m, alertname: Other}]
)",
      kRules, &coverage);
  CHECK(coverage.text() ==
        "rules.yaml:5: Down: 1 of 2\n"
        "    never: ends\n"
        "rules.yaml:9: Errors: 0 of 4\n"
        "    never: fires\n"
        "    never: ends\n"
        "    never: annotation 'summary': {{ if gt $value 5.0 }} holds\n"
        "    never: annotation 'summary': {{ if gt $value 5.0 }} does not hold\n"
        "rules.yaml:13: job:up:count: 3 of 3\n"
        "1 of 3 rules are tested whole; 4 of 9 points were seen\n");
}

TEST_CASE("a report for CI systems says what failed, in XML that can be read") {
  FileResult file;
  file.path = "a.test.yaml";
  file.cases = {{"fine", 3, 2, {}, 0.25}, {"<broken>", 9, 0, {{11, "alert \"A\"", "a & b"}}, 0}};
  CHECK(junit_xml({file}) ==
        R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a.test.yaml" tests="2" failures="1" time="0.250">
    <testcase name="fine" classname="a.test.yaml" file="a.test.yaml" line="3" time="0.250">
    </testcase>
    <testcase name="&lt;broken&gt;" classname="a.test.yaml" file="a.test.yaml" line="9" time="0.000">
      <failure message="line 11: alert &quot;A&quot;">a &amp; b</failure>
    </testcase>
  </testsuite>
</testsuites>
)");
}

}  // namespace
}  // namespace tocsin::ruletest
