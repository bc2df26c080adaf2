// SPDX-License-Identifier: Apache-2.0
//
// A RuleSet is what the rule files say, read, checked and compiled: groups of recording and
// alerting rules, each with one PromQL expression. It is immutable; the running one is shared as a
// `shared_ptr<const RuleSet>`. Everything here is pure: files come in as bytes.
//
// A file may be a Prometheus rule file, a PrometheusRule object of the Prometheus operator, or
// either of them with mesh conditions: an alert that says `success_rate: {below: 99%}` in place of
// `expr`. A condition compiles to PromQL over the series that Linkerd's proxies really export, in
// every generation of their names, and is kept beside it for summaries and for `tocsin explain`.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/diagnostics.h"
#include "tocsin/promql.h"

namespace tocsin::rule {

enum class ConditionKind {
  SuccessRate,
  Latency,
  Traffic,
  ControlPlane,
  Certificate,
  ProxyRestarts
};

// What an alert is about; decides its labels. A workload keeps the one label of its kind
// (deployment, statefulset, …), the one that Linkerd's injector writes: a Deployment's pods carry
// no `replicaset`.
enum class By { Workload, Service, Route, Edge };

// Where requests are counted: what the workload answered, or what its callers saw, with the
// fail-fasts and timeouts that the mesh answers in its place.
enum class Side { Server, Client };

enum class Comparison { Above, Below };

enum class Unit {
  Ratio,  // 0.98 is 98%.
  Seconds,
  RequestsPerSecond,
  TimesBaseline,  // 3 is three times the usual traffic.
  Count,
};

enum class CertificateKind { Leaf, Issuer, TrustAnchor, Webhook };

// A mesh condition with its defaults filled in. Which members mean something depends on `kind`.
//
// The value of an alert is, by kind: the success rate; the latency quantile in seconds; the traffic
// as a multiple of its baseline, or in requests per second where the threshold is a rate; 0 for a
// control-plane component that is down or gone; the seconds that the certificate nearest to its end
// has left (never one alert per proxy: the worst one of a workload speaks for it); the restarts of
// the worst pod.
struct Condition {
  ConditionKind kind = ConditionKind::SuccessRate;
  By by = By::Workload;
  Side side = Side::Server;
  Duration over = std::chrono::minutes(5);
  std::map<std::string, std::string> where;  // Label to anchored RE2 expression.

  Comparison comparison = Comparison::Below;
  double threshold = 0;
  Unit unit = Unit::Ratio;
  std::string threshold_text;  // As the file has it: "99%", "500ms", "3x baseline".

  // Of `resolve_when`: an alert that fires is over only beyond this. As `threshold`.
  std::optional<double> resolve_threshold;

  double quantile = 0.99;
  double min_requests = 50;  // In the window.
  double min_rate = 0;       // Requests per second; 0 is none.
  Duration baseline_over = std::chrono::hours(1);

  std::vector<std::string> components;  // Of the control plane.
  CertificateKind certificate = CertificateKind::Leaf;
  int missed_refreshes = 0;  // Of a leaf; 0 where expires_within decides.

  // Alerts further up in the group: where one of their conditions holds, whatever its `for`, this
  // one does not. So a fault that both see makes one page.
  std::vector<std::string> unless;

  // Written by the compiler. The labels that alerts can have beside the rule's own; any of them is
  // absent where it cannot be known.
  std::vector<std::string> labels;
  // The value of everything the condition looks at, before the threshold.
  promql::ExprPtr value;
  // Requests in the window, with the same labels; null where the condition counts none. Below
  // min_requests the alert's state is "insufficient traffic".
  promql::ExprPtr requests;
};

enum class RuleKind { Alert, Record };

struct Rule {
  RuleKind kind = RuleKind::Alert;
  std::string name;
  promql::ExprPtr expr;
  std::string expr_text;  // Canonical.
  Duration for_duration{0};
  Duration keep_firing_for{0};
  // The group's labels and the rule's own, which win. Values of an alert's are templates.
  std::map<std::string, std::string> labels;
  // Templates. A mesh condition brings its own summary, description, value and threshold where the
  // rule has none.
  std::map<std::string, std::string> annotations;
  std::optional<Condition> condition;
  // A recording that a condition needs; no file has it.
  bool generated = false;
  // Names the rule across reloads and restarts: the group's name, the rule's name and labels, and
  // which of several equal ones it is. Thresholds, `for`, annotations and the file may change.
  std::string id;
  // Names what the rule says, whatever its group is called: its name, labels and expression.
  std::string content_id;
  Place place;
};

struct Group {
  std::string file;  // "rules.yaml"; of an object among others, "rules.yaml#namespace/name".
  std::string name;
  std::optional<Duration> interval;      // Absent: global evaluation_interval.
  std::optional<Duration> query_offset;  // Absent: global rule_query_offset.
  std::size_t limit = 0;                 // 0: none.
  std::map<std::string, std::string> labels;
  std::vector<Rule> rules;  // In the order in which they are evaluated.
};

struct RuleSet {
  std::vector<Group> groups;
};

struct SourceFile {
  std::string path;
  std::string bytes;
};

// Where the series that a condition wants to remember (the traffic's recent past) are kept.
enum class Memory {
  Recorded,  // As recording rules in front of the alert that needs them.
  Subquery,  // Nowhere: rules run in a Prometheus that cannot be written to.
};

// What can be said of an annotation's or label's template before it is executed.
struct TemplateReport {
  std::optional<std::string> problem;  // Nothing when it is sound.
  std::set<std::string> labels;        // Of the alert, that it asks for.
};
using TemplateReader = TemplateReport (*)(std::string_view text);

// How often something is scraped that rules read, and where that is said.
struct ScrapedJob {
  std::string name;
  Duration interval{0};
  std::string said_by;  // "tocsin.yaml", "the data".
};

struct LoadOptions {
  Memory memory = Memory::Recorded;
  TemplateReader read_template = nullptr;  // Null: templates are not looked at.
  std::vector<ScrapedJob> jobs = {};       // For warnings. Empty: nobody knows.
};

// What could be read, and everything that is wrong. A broken rule or group is left out; the rest
// stands.
struct Loaded {
  RuleSet rules;
  Diagnostics diagnostics;
};
Loaded load(std::span<const SourceFile> files, const LoadOptions& options = {});

// What every rule means, for people: what it watches, what it leaves out and why, the PromQL, and
// what it would say. Prometheus' form is a rule file that promtool accepts.
enum class ExplainFormat { Text, Prometheus };
// An example of the message of an alert, lines; empty where there is none.
using ExampleMessage = std::string (*)(const Rule& rule);
std::string explain(const RuleSet& rules, ExplainFormat format, ExampleMessage example = nullptr);

// The series that all the rules together read, and how far back: what a store must keep, and what
// a scrape may leave out. Equal matchers are listed once, with the longest history.
std::vector<promql::Need> required_needs(const RuleSet& rules);

// "success_rate", "workload", …: the words of rule files.
std::string_view name_of(ConditionKind kind);
std::string_view name_of(By by);
std::string_view name_of(Side side);
std::string_view name_of(CertificateKind kind);

}  // namespace tocsin::rule
