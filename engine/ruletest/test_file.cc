// SPDX-License-Identifier: Apache-2.0
#include "ruletest/test_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/file.h"
#include "promql/series_notation.h"
#include "tocsin/duration.h"
#include "tocsin/promql.h"
#include "tocsin/sample.h"
#include "yaml/mapping.h"

namespace tocsin::ruletest {
namespace {

using yaml::Mapping;

const Duration kUsualInterval = TestFile{}.evaluation_interval;

// Where an item stands, for messages about what came of it.
template <class T>
void note_line(Mapping& m, T& out) {
  out.line = m.node().place().line;
}

// A list that may be absent, which is not the same as empty.
template <class T, class Reader>
void read_optional(Mapping& m, std::string_view key, std::optional<std::vector<T>>& out,
                   Reader reader) {
  if (m.has(key)) m.read(key, out.emplace(), reader);
}

void read_series(Mapping& m, InputSeries& input) {
  note_line(m, input);
  if (m.require("series", input.series)) {
    std::string_view text = input.series;
    if (const auto labels = promql::take_series_labels(text); !labels) {
      m.error("series", "'" + input.series + "' is no series: " + labels.error().message);
    }
  }
  if (m.require("values", input.values)) {
    if (const auto values = promql::parse_value_notation(input.values); !values) {
      m.error("values", values.error().message, "write them like 0+10x5 _ 3 stale");
    }
  }
}

// Of a series that is given twice the second counts; promtool says nothing of it.
void check_repeated(Mapping& m, const std::vector<InputSeries>& all) {
  std::vector<Labels> seen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::string_view text = all[i].series;
    auto labels = promql::take_series_labels(text);
    if (!labels) continue;
    if (std::find(seen.begin(), seen.end(), *labels) != seen.end()) {
      m.report().warning(m.find("input_series").items()[i].get("series"), "duplicate",
                         "'" + all[i].series + "' is given twice: only these values count",
                         "write one list of values");
    }
    seen.push_back(std::move(*labels));
  }
}

void read_pages(Mapping& m, InputPages& pages) {
  m.require("files", pages.files);
  m.read("labels", pages.labels);
}

void read_mesh(Mapping& m, InputMesh& mesh) {
  note_line(m, mesh);
  m.read("file", mesh.file);
  m.read("fault", mesh.fault);
  m.read("workload", mesh.workload);
  m.read("deployment", mesh.workload);
  m.read("component", mesh.component);
  m.read("start", mesh.start);
  m.read("end", mesh.end);
  m.read("ratio", mesh.ratio);
  m.read("factor", mesh.factor);
  if (mesh.end <= mesh.start) m.error("end", "'end' is not after 'start'");
}

void read_failing(Mapping& m, Failing& failing) {
  note_line(m, failing);
  m.require("rule", failing.rule);
  m.require("start", failing.start);
  m.require("end", failing.end);
}

void read_expected_alert(Mapping& m, ExpectedAlert& alert) {
  m.read("exp_labels", alert.labels);
  m.read("exp_annotations", alert.annotations);
}

void read_alert_expectation(Mapping& m, AlertExpectation& expectation) {
  note_line(m, expectation);
  m.read("eval_time", expectation.eval_time);
  m.require("alertname", expectation.alertname);
  read_optional(m, "exp_alerts", expectation.firing, read_expected_alert);
  read_optional(m, "exp_pending", expectation.pending, read_expected_alert);
  m.read("exp_inactive", expectation.inactive);
  if (expectation.inactive && (expectation.firing || expectation.pending)) {
    m.error("exp_inactive", "an inactive alert neither fires nor is it pending",
            "remove 'exp_alerts' and 'exp_pending', or 'exp_inactive'");
  }
}

// A whole number as Go reads it: 0x1f, 0b11, 0o17 and 017 are some.
std::optional<double> whole_number_of(std::string_view digits) {
  static constexpr std::array<std::pair<std::string_view, int>, 7> kBases = {
      {{"0x", 16}, {"0X", 16}, {"0b", 2}, {"0B", 2}, {"0o", 8}, {"0O", 8}, {"0", 8}}};
  int base = 10;
  for (const auto& [prefix, of_prefix] : kBases) {
    if (!digits.starts_with(prefix) || digits == "0") continue;
    digits.remove_prefix(prefix.size());
    base = of_prefix;
    break;
  }
  std::uint64_t whole = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, whole, base);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return static_cast<double>(whole);
}

// A number as YAML writes it, which is how promtool reads it: .inf, .NaN, 0x1f, 1_000, 1.5e3.
std::optional<double> yaml_number(std::string text) {
  for (const std::string_view nan : {".nan", ".NaN", ".NAN"}) {
    if (text == nan) return std::numeric_limits<double>::quiet_NaN();
  }
  const bool is_signed = text.starts_with('-') || text.starts_with('+');
  const double sign = text.starts_with('-') ? -1 : 1;
  std::string digits = text.substr(is_signed ? 1 : 0);
  for (const std::string_view infinite : {".inf", ".Inf", ".INF"}) {
    if (digits == infinite) return sign * std::numeric_limits<double>::infinity();
  }
  if (digits.find_first_of(".0123456789") != 0) return std::nullopt;
  std::erase(digits, '_');
  if (const auto whole = whole_number_of(digits)) return sign * *whole;
  if (digits.find_first_not_of("0123456789.eE+-") != std::string::npos) return std::nullopt;
  const auto number = parse_number(digits);
  return number ? std::optional(sign * *number) : std::nullopt;
}

void read_number(Mapping& m, std::string_view key, double& out) {
  m.declare(key, yaml::Shape::Number);
  const yaml::Node node = m.find(key);
  if (node.is_null()) return;
  const auto number =
      node.is_scalar() && !node.was_quoted() ? yaml_number(node.text()) : std::nullopt;
  if (number) {
    out = *number;
    return;
  }
  const std::string is = node.is_scalar() ? "'" + node.text() + "'" : std::string(node.kind_text());
  m.report().error(node, "type", "'" + std::string(key) + "' must be a number, is " + is,
                   "write it without quotes; YAML writes infinity as .inf, and NaN as .nan");
}

// Says what is wrong with `expr`, at its place.
void check_expr(Mapping& m, const std::string& expr) {
  if (!m.has("expr")) return;
  const auto parsed = promql::parse(expr);
  if (parsed) return;
  const promql::Problem& problem = parsed.error();
  const yaml::Node node = m.find("expr");
  Diagnostic d = node.diagnostic_at(
      node.place_of(problem.begin, std::max<std::size_t>(problem.end - problem.begin, 1)));
  d.code = problem.code;
  d.message = problem.message;
  d.hint = problem.hint;
  m.report().add(std::move(d));
}

void read_expected_sample(Mapping& m, ExpectedSample& sample) {
  m.read("labels", sample.labels);
  read_number(m, "value", sample.value);
  m.read("histogram", sample.histogram);
}

void read_expr_expectation(Mapping& m, ExprExpectation& expectation) {
  note_line(m, expectation);
  m.require("expr", expectation.expr);
  check_expr(m, expectation.expr);
  m.read("eval_time", expectation.eval_time);
  m.read("exp_samples", expectation.samples, read_expected_sample);
}

void read_expected_notification(Mapping& m, ExpectedNotification& notification) {
  m.choice("status", notification.status,
           {{"firing", NotificationStatus::Firing}, {"resolved", NotificationStatus::Resolved}});
  m.read("exp_labels", notification.labels);
  m.read("exp_annotations", notification.annotations);
}

void read_notification_expectation(Mapping& m, NotificationExpectation& expectation) {
  note_line(m, expectation);
  m.require("eval_time", expectation.eval_time);
  m.read("exp_notifications", expectation.notifications, read_expected_notification);
}

void read_restarts(Mapping& m, std::vector<Duration>& out) {
  std::vector<std::string> texts;
  m.read("restart_at", texts);
  for (const std::string& text : texts) {
    const auto at = parse_duration(text);
    if (at) {
      out.push_back(*at);
    } else {
      m.error("restart_at", "'" + text + "' is not a duration", "write for example 7m30s");
    }
  }
}

void read_start(Mapping& m, Timestamp& out) {
  std::string text;
  if (!m.read("start_timestamp", text)) return;
  const auto at = parse_time(text);
  if (at) {
    out = *at;
  } else {
    m.error("start_timestamp", "'" + text + "' is not a time",
            "write 2026-01-31T12:00:00Z, or seconds since 1970");
  }
}

void read_test(Mapping& m, TestCase& test) {
  note_line(m, test);
  m.read("name", test.name);
  m.read("interval", test.interval);
  read_start(m, test.start);
  m.read("input_series", test.series, read_series);
  check_repeated(m, test.series);
  if (m.has("input_pages")) m.read("input_pages", test.pages.emplace(), read_pages);
  if (m.has("mesh")) m.read("mesh", test.mesh.emplace(), read_mesh);
  read_restarts(m, test.restart_at);
  m.read("failing", test.failing, read_failing);
  m.read("alert_rule_test", test.alerts, read_alert_expectation);
  m.read("promql_expr_test", test.exprs, read_expr_expectation);
  m.read("notification_test", test.notifications, read_notification_expectation);
  m.read("external_labels", test.external_labels);
  m.read("external_url", test.external_url);
}

void read_tests(Mapping& m, TestFile& file) {
  if (m.read("rule_files", file.rule_files))
    file.rule_files_line = m.find("rule_files").place().line;
  m.read("evaluation_interval", file.evaluation_interval);
  m.read("group_eval_order", file.group_eval_order);
  m.read("fuzzy_compare", file.fuzzy_compare);
  m.read("tests", file.tests, read_test);
  // As promtool has it, 0 is the same as nothing.
  if (file.evaluation_interval == Duration(0)) file.evaluation_interval = kUsualInterval;
}

// A test that is not called anything is called by its number.
void name_tests(TestFile& file) {
  for (std::size_t i = 0; i < file.tests.size(); ++i) {
    std::string& name = file.tests[i].name;
    if (name.empty()) name = "test " + std::to_string(i + 1);
  }
}

void resolve_paths(TestFile& file) {
  for (std::string& pattern : file.rule_files) pattern = resolve_beside(file.path, pattern);
  for (TestCase& test : file.tests) {
    if (test.mesh && !test.mesh->file.empty()) {
      test.mesh->file = resolve_beside(file.path, test.mesh->file);
    }
    if (!test.pages) continue;
    for (std::string& page : test.pages->files) page = resolve_beside(file.path, page);
  }
}

}  // namespace

TestFile read_test_file(const std::string& path, std::string_view bytes, Diagnostics& diagnostics) {
  TestFile file;
  file.path = path;
  const auto document = yaml::Document::parse(path, bytes, diagnostics);
  yaml::Reporter report(diagnostics, "test");
  yaml::read_object(document.root(), report, file, read_tests, "the test file");
  name_tests(file);
  resolve_paths(file);
  return file;
}

}  // namespace tocsin::ruletest
