// SPDX-License-Identifier: Apache-2.0
#include "daemon/rule_test.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "alert/rule_life.h"
#include "alert/template_value.h"
#include "base/file.h"
#include "daemon/rule_files.h"
#include "promql/histogram_notation.h"
#include "promql/series_notation.h"
#include "tocsin/duration.h"
#include "tocsin/store.h"
#include "yaml/mapping.h"

namespace tocsin::daemon {
namespace {

using yaml::Mapping;
using Texts = std::map<std::string, std::string>;

constexpr Duration kForever = std::chrono::hours(24 * 365 * 200);

// ---- The file.

struct InputSeries {
  std::string series;
  std::string values;
};

struct ExpectedAlert {
  Texts labels;
  Texts annotations;
};

struct AlertExpectation {
  Duration eval_time{0};
  std::string alertname;
  std::vector<ExpectedAlert> alerts;
};

struct ExpectedSample {
  std::string labels;
  double value = 0;
  std::string histogram;  // Empty: it is the value.
};

struct ExprExpectation {
  Duration eval_time{0};
  std::string expr;
  std::vector<ExpectedSample> samples;
};

struct TestGroup {
  std::string name;
  Duration interval{0};  // 0: the file's.
  std::string start_timestamp;
  std::vector<InputSeries> input;
  std::vector<AlertExpectation> alerts;
  std::vector<ExprExpectation> exprs;
  Texts external_labels;
  std::string external_url;
};

struct TestFile {
  std::vector<std::string> rule_files;
  Duration evaluation_interval = std::chrono::minutes(1);
  std::vector<std::string> group_eval_order;
  bool fuzzy_compare = false;
  std::vector<TestGroup> tests;
};

void read_input(Mapping& m, InputSeries& input) {
  m.require("series", input.series);
  m.require("values", input.values);
}

void read_expected_alert(Mapping& m, ExpectedAlert& alert) {
  m.read("exp_labels", alert.labels);
  m.read("exp_annotations", alert.annotations);
}

void read_alert_expectation(Mapping& m, AlertExpectation& expectation) {
  m.read("eval_time", expectation.eval_time);
  m.require("alertname", expectation.alertname);
  m.read("exp_alerts", expectation.alerts, read_expected_alert);
}

void read_expected_sample(Mapping& m, ExpectedSample& sample) {
  m.read("labels", sample.labels);
  m.read("value", sample.value);
  m.read("histogram", sample.histogram);
}

void read_expr_expectation(Mapping& m, ExprExpectation& expectation) {
  m.require("expr", expectation.expr);
  m.read("eval_time", expectation.eval_time);
  m.read("exp_samples", expectation.samples, read_expected_sample);
}

void read_test(Mapping& m, TestGroup& test) {
  m.read("name", test.name);
  m.read("interval", test.interval);
  m.read("start_timestamp", test.start_timestamp);
  m.read("input_series", test.input, read_input);
  m.read("alert_rule_test", test.alerts, read_alert_expectation);
  m.read("promql_expr_test", test.exprs, read_expr_expectation);
  m.read("external_labels", test.external_labels);
  m.read("external_url", test.external_url);
}

void read_file(Mapping& m, TestFile& file) {
  m.read("rule_files", file.rule_files);
  m.read("evaluation_interval", file.evaluation_interval);
  m.read("group_eval_order", file.group_eval_order);
  m.read("fuzzy_compare", file.fuzzy_compare);
  m.read("tests", file.tests, read_test);
}

// ---- One test.

std::string text_of(const Texts& labels) {
  return Labels(std::vector<std::pair<std::string, std::string>>(labels.begin(), labels.end()))
      .text();
}

std::string text_of(const Texts& labels, const Texts& annotations) {
  return "      labels: " + text_of(labels) + "  annotations: " + text_of(annotations) + "\n";
}

class TestRun {
 public:
  TestRun(const TestFile& file, const TestGroup& test, const rule::RuleSet& rules)
      : file_(file), test_(test), block_(store_.add_block({.history = kForever})) {
    start_ = parse_time(test.start_timestamp).value_or(Timestamp{});
    around_.external_labels = test.external_labels;
    around_.external_url = test.external_url;
    for (const rule::Group* group : ordered(rules)) {
      for (const rule::Rule& rule : group->rules) {
        auto shared = std::make_shared<const rule::Rule>(rule);
        rules_.push_back({alert::RuleLife(shared, group->limit),
                          promql::Query::prepare(rule.expr),
                          group->query_offset.value_or(Duration(0)),
                          {}});
      }
    }
  }

  // What does not hold, as text; counts what does in `passed`.
  std::vector<std::string> run(int& passed) {
    if (auto error = load_input()) return {*error};
    check_unknown_alerts();
    Duration last{0};
    for (const auto& e : test_.alerts) last = std::max(last, e.eval_time);
    for (const auto& e : test_.exprs) last = std::max(last, e.eval_time);
    const Duration interval = file_.evaluation_interval;
    for (Duration now{0}; now <= last; now += interval) {
      evaluate_rules(start_ + now);
      for (const auto& e : test_.alerts) {
        if (e.eval_time >= now && e.eval_time < now + interval) check(e, passed);
      }
    }
    for (const auto& e : test_.exprs) check(e, passed);
    return std::move(failures_);
  }

 private:
  struct RuleUnderTest {
    alert::RuleLife life;
    promql::Query query;
    Duration offset;
    std::set<Labels> written;  // At the last evaluation.
  };

  std::vector<const rule::Group*> ordered(const rule::RuleSet& rules) const {
    std::vector<const rule::Group*> out;
    for (const rule::Group& group : rules.groups) out.push_back(&group);
    const auto& order = file_.group_eval_order;
    const auto place = [&](const rule::Group* group) {
      return std::find(order.begin(), order.end(), group->name) - order.begin();
    };
    std::stable_sort(out.begin(), out.end(),
                     [&](const auto* a, const auto* b) { return place(a) < place(b); });
    return out;
  }

  std::optional<std::string> load_input() {
    const Duration interval =
        test_.interval.count() > 0 ? test_.interval : file_.evaluation_interval;
    for (const InputSeries& input : test_.input) {
      std::string_view text = input.series;
      const auto labels = promql::take_series_labels(text);
      const auto values = promql::parse_value_notation(input.values);
      if (!labels) return "input series " + input.series + ": " + labels.error().message;
      if (!values) return "input series " + input.series + ": " + values.error().message;
      const store::SeriesId id = store_.add_series(block_, *labels, false);
      Timestamp at = start_;
      for (const auto& value : *values) {
        if (value && value->histogram) store_.append_histogram(id, at, value->histogram);
        if (value && !value->histogram) store_.append_sample(id, at, value->number);
        at += interval;
      }
    }
    return std::nullopt;
  }

  void check_unknown_alerts() {
    for (const auto& e : test_.alerts) {
      const bool known = std::any_of(rules_.begin(), rules_.end(), [&](const RuleUnderTest& r) {
        return r.life.rule()->name == e.alertname;
      });
      // promtool takes a name that no rule has for an alert that never fires; so do we.
      if (!known && !e.alerts.empty()) {
        failures_.push_back("no alerting rule is called " + e.alertname);
      }
    }
  }

  void evaluate_rules(Timestamp at) {
    around_.query = [this, at](std::string_view expr) -> Result<promql::Vector> {
      const auto parsed = promql::parse(expr);
      if (!parsed) return fail(ErrorCode::Parse, parsed.error().message);
      const auto answer = promql::Query::prepare(*parsed).evaluate(store_, at);
      if (!answer) return fail(answer.error());
      return alert::as_vector(answer->value);
    };
    for (RuleUnderTest& rule : rules_) {
      const auto answer = rule.query.evaluate(store_, at - rule.offset);
      const auto outcome = rule.life.take(at, answer, around_);
      if (!outcome) {
        failures_.push_back("rule " + rule.life.rule()->name + " at " +
                            format_duration(at - start_) + ": " + outcome.error().message);
        continue;
      }
      write(rule, at - rule.offset, outcome->series);
    }
  }

  void write(RuleUnderTest& rule, Timestamp at, const promql::Vector& series) {
    std::set<Labels> now;
    for (const promql::Element& element : series) {
      now.insert(element.labels);
      const store::SeriesId id = store_.add_series(block_, element.labels, false);
      if (element.histogram) {
        store_.append_histogram(id, at, element.histogram);
      } else {
        store_.append_sample(id, at, element.sample.value);
      }
    }
    for (const Labels& labels : rule.written) {
      if (now.count(labels) > 0) continue;
      store_.append_sample(store_.add_series(block_, labels, false), at, stale_nan());
    }
    rule.written = std::move(now);
  }

  void check(const AlertExpectation& expectation, int& passed) {
    std::vector<std::string> expected;
    std::vector<std::string> actual;
    for (const ExpectedAlert& alert : expectation.alerts) {
      Texts labels = alert.labels;
      labels["alertname"] = expectation.alertname;
      expected.push_back(text_of(labels, alert.annotations));
    }
    for (const RuleUnderTest& rule : rules_) {
      if (!rule.life.tracker() || rule.life.rule()->name != expectation.alertname) continue;
      for (const auto& [labels, one] : rule.life.tracker()->alerts()) {
        if (one.state != alert::State::Firing) continue;
        actual.push_back(text_of(alert::to_map(labels), one.annotations));
      }
    }
    compare(
        "alertname: " + expectation.alertname + ", time: " + format_duration(expectation.eval_time),
        expected, actual, passed);
  }

  void check(const ExprExpectation& expectation, int& passed) {
    const std::string what =
        "expr: " + expectation.expr + ", time: " + format_duration(expectation.eval_time);
    const auto parsed = promql::parse(expectation.expr);
    if (!parsed) return failures_.push_back(what + ": " + parsed.error().message);
    const auto answer =
        promql::Query::prepare(*parsed).evaluate(store_, start_ + expectation.eval_time);
    const auto vector = answer ? alert::as_vector(answer->value) : fail(answer.error());
    if (!vector) return failures_.push_back(what + ": " + vector.error().message);
    std::vector<std::string> expected;
    std::vector<std::string> actual;
    for (const ExpectedSample& sample : expectation.samples) {
      std::string_view text = sample.labels;
      const auto labels = promql::take_series_labels(text);
      if (!labels) return failures_.push_back(what + ": " + labels.error().message);
      const auto value = value_text(sample);
      if (!value) return failures_.push_back(what + ": " + value.error().message);
      expected.push_back("      " + labels->text() + " " + *value + "\n");
    }
    for (const promql::Element& element : *vector) {
      const std::string value = element.histogram ? promql::histogram_notation(*element.histogram)
                                                  : number_text(element.sample.value);
      actual.push_back("      " + element.labels.text() + " " + value + "\n");
    }
    compare(what, expected, actual, passed);
  }

  Result<std::string> value_text(const ExpectedSample& sample) const {
    if (sample.histogram.empty()) return number_text(sample.value);
    std::string_view text = sample.histogram;
    auto histogram = promql::take_histogram(text);
    if (!histogram) return fail(histogram.error());
    if (!text.empty()) return fail(ErrorCode::Parse, "more than one histogram");
    return promql::histogram_notation(*histogram);
  }

  // fuzzy_compare forgives the last bit or two.
  std::string number_text(double value) const {
    if (!file_.fuzzy_compare || value == 0 || !std::isfinite(value)) return format_number(value);
    const double scale = std::pow(2.0, 50 - std::ilogb(value));
    return format_number(std::round(value * scale) / scale);
  }

  void compare(const std::string& what, std::vector<std::string> expected,
               std::vector<std::string> actual, int& passed) {
    std::sort(expected.begin(), expected.end());
    std::sort(actual.begin(), actual.end());
    if (expected == actual) {
      ++passed;
      return;
    }
    const auto list = [](const std::vector<std::string>& lines) {
      std::string out;
      for (const std::string& line : lines) out += line;
      return out.empty() ? std::string("      nothing\n") : out;
    };
    failures_.push_back(what + "\n    expected:\n" + list(expected) + "    got:\n" + list(actual));
  }

  const TestFile& file_;
  const TestGroup& test_;
  store::Store store_;
  store::BlockId block_;
  Timestamp start_{};
  alert::Surroundings around_;
  std::vector<RuleUnderTest> rules_;
  std::vector<std::string> failures_;
};

RuleTestReport broken(std::string text) {
  if (!text.ends_with('\n')) text += '\n';
  return {0, 1, std::move(text)};
}

}  // namespace

RuleTestReport run_rule_tests(const std::string& path) {
  const auto bytes = tocsin::read_file(path);
  if (!bytes) return broken(bytes.error().message);
  Diagnostics diagnostics;
  const auto document = yaml::Document::parse(path, *bytes, diagnostics);
  yaml::Reporter report(diagnostics, "test");
  TestFile file;
  yaml::read_object(document.root(), report, file, read_file, "the test file");
  if (diagnostics.has_errors()) return broken(diagnostics.text());
  for (std::string& pattern : file.rule_files) pattern = resolve_beside(path, pattern);
  const auto loaded = load_rules(file.rule_files, rule::Memory::Recorded);
  if (loaded.diagnostics.has_errors()) return broken(loaded.diagnostics.text());
  RuleTestReport out;
  for (std::size_t i = 0; i < file.tests.size(); ++i) {
    const TestGroup& test = file.tests[i];
    const std::string name = test.name.empty() ? "test " + std::to_string(i + 1) : test.name;
    for (const std::string& failure : TestRun(file, test, loaded.rules).run(out.passed)) {
      ++out.failed;
      out.text += path + ": " + name + ": " + failure + (failure.ends_with('\n') ? "" : "\n");
    }
  }
  return out;
}

}  // namespace tocsin::daemon
