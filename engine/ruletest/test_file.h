// SPDX-License-Identifier: Apache-2.0
//
// A file of rule tests, as read: promtool's format, and what Tocsin adds to it. Values; any thread.
//
//   rule_files: [golden-signals.yaml]
//   evaluation_interval: 15s
//   tests:
//     - name: web fails, Tocsin restarts, web recovers
//       mesh: {fault: server_errors, workload: web, start: 10m, end: 20m}   # or input_series, or
//       input_pages: {files: [web-1.txt, web-2.txt]}                        # captured pages
//       restart_at: [15m]
//       failing: [{rule: SuccessRateLow, start: 16m, end: 17m}]
//       alert_rule_test:
//         - {eval_time: 11m, alertname: SuccessRateLow, exp_pending: [{exp_labels: {…}}]}
//         - {eval_time: 30m, alertname: SuccessRateLow, exp_inactive: true}
//       notification_test:
//         - {eval_time: 30m, exp_notifications: [{status: firing, exp_labels: {…}}, …]}
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/diagnostics.h"

namespace tocsin::ruletest {

using Texts = std::map<std::string, std::string>;

struct InputSeries {
  int line = 0;
  std::string series;
  std::string values;
};

// Captured pages of one target, scraped one after the other, `interval` apart. The last one is
// repeated until the end of the test.
struct InputPages {
  std::vector<std::string> files;
  Texts labels;  // The target's.
};

// A simulated mesh that is scraped every `interval`. The keys of its fault are those of a mesh
// file.
struct InputMesh {
  int line = 0;
  std::string file;  // Empty: the mesh of `tocsin demo`, without its faults.
  // Empty: healthy. Otherwise a word of a mesh file's `fault`.
  std::string fault;
  std::string workload;  // "web" or, where that is not unique, "emojivoto/web".
  std::string component;
  Duration start = std::chrono::minutes(10);
  Duration end = std::chrono::minutes(20);
  std::optional<double> ratio;
  std::optional<double> factor;
};

struct ExpectedAlert {
  Texts labels;
  // Absent: none, as promtool has it; any of a mesh condition, which brings its own.
  std::optional<Texts> annotations;
};

struct AlertExpectation {
  int line = 0;
  Duration eval_time{0};
  std::string alertname;
  // Those that fire. Absent: promtool takes that for none, unless another expectation is there.
  std::optional<std::vector<ExpectedAlert>> firing;
  std::optional<std::vector<ExpectedAlert>> pending;  // Absent: any.
  bool inactive = false;                              // Neither pending nor firing.
};

struct ExpectedSample {
  std::string labels;
  double value = 0;
  std::string histogram;  // Empty: it is the value.
};

struct ExprExpectation {
  int line = 0;
  Duration eval_time{0};
  std::string expr;
  std::vector<ExpectedSample> samples;
};

enum class NotificationStatus { Firing, Resolved };
struct ExpectedNotification {
  NotificationStatus status = NotificationStatus::Firing;
  Texts labels;
  std::optional<Texts> annotations;  // Absent: any.
};

// What receivers were told after the expectation before, up to `eval_time`. Repetitions of what
// they know do not count.
struct NotificationExpectation {
  int line = 0;
  Duration eval_time{0};
  std::vector<ExpectedNotification> notifications;
};

// The rule cannot be evaluated from `start` until before `end`.
struct Failing {
  int line = 0;
  std::string rule;
  Duration start{0};
  Duration end{0};
};

struct TestCase {
  int line = 0;
  std::string name;
  Duration interval{0};  // 0: the file's.
  Timestamp start{};
  std::vector<InputSeries> series;
  std::optional<InputPages> pages;
  std::optional<InputMesh> mesh;
  std::vector<Duration> restart_at;
  std::vector<Failing> failing;
  std::vector<AlertExpectation> alerts;
  std::vector<ExprExpectation> exprs;
  std::vector<NotificationExpectation> notifications;
  Texts external_labels;
  std::string external_url;
};

struct TestFile {
  std::string path;
  std::vector<std::string> rule_files;  // Patterns, relative to the file already resolved.
  int rule_files_line = 0;
  Duration evaluation_interval = std::chrono::minutes(1);
  std::vector<std::string> group_eval_order;
  bool fuzzy_compare = false;
  std::vector<TestCase> tests;
};

// Complaints go to `diagnostics`; what was read is incomplete if they have errors.
TestFile read_test_file(const std::string& path, std::string_view bytes, Diagnostics& diagnostics);

// What a file names and is not there: rule files, captured pages, the fault of a mesh and what it
// is to befall. Reads the meshes.
Diagnostics check_inputs(const TestFile& file);

}  // namespace tocsin::ruletest
