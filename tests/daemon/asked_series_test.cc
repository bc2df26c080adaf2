// SPDX-License-Identifier: Apache-2.0
#include "daemon/asked_series.h"

#include <doctest/doctest.h>

#include "support/samples_of.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr const char* kRules = R"(groups:
  - name: mesh
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: Errors
        expr: job:errors:rate5m > 1 and rate(errors_total[1m]) > rate(errors_total[30m] offset 1h)
      - alert: Down
        expr: up == 0
  - name: late
    query_offset: 1m
    rules:
      - alert: Tcp
        expr: '{__name__=~"tcp_.+"} > 0'
      - alert: Old
        expr: absent(gone_total)
)";

rule::RuleSet rules() {
  const rule::SourceFile file{"mesh.yaml", kRules};
  rule::Loaded loaded = rule::load({&file, 1});
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  return std::move(loaded.rules);
}

// One line for each asker: its metric, why, where it stands, and how far back it looks.
Texts lines_of(const std::vector<api::KeptMetric>& metrics) {
  Texts out;
  for (const api::KeptMetric& metric : metrics) {
    const std::string head = metric.name + " " + std::to_string(metric.series) + ": ";
    if (metric.reasons.empty()) out.push_back(head + "nobody");
    for (const api::KeepReason& reason : metric.reasons) {
      std::string line = head + std::string(name_of(reason.why));
      if (!reason.group.empty()) {
        line += " " + reason.group + "/" + reason.name + " " + reason.file + ":" +
                std::to_string(reason.line);
      } else if (!reason.name.empty()) {
        line += " " + reason.name;
      }
      out.push_back(line + " " + format_duration(reason.history));
    }
  }
  return out;
}

TEST_CASE("every metric names those who ask for it, the furthest look back first") {
  Config config;
  config.keep = {testing::matchers_of("tcp_open{pod=\"p\"}")};
  const AskedSeries asked(rules(), config);
  const Texts expected = {
      "errors_total 40: reads mesh/Errors mesh.yaml:6 1h30m",
      "errors_total 40: reads mesh/job:errors:rate5m mesh.yaml:4 5m",
      "tcp_open 7: reads late/Tcp mesh.yaml:13 6m",
      "tcp_open 7: keep tcp_open{pod=\"p\"} 5m",
      "job:errors:rate5m 3: records mesh/job:errors:rate5m mesh.yaml:4 5m",
      "job:errors:rate5m 3: reads mesh/Errors mesh.yaml:6 5m",
      "ALERTS 1: own 5m",
      "left_over 1: nobody",
      "gone_total 0: reads late/Old mesh.yaml:15 6m",
      "up 0: reads mesh/Down mesh.yaml:8 5m",
  };
  const Texts found = lines_of(asked.explain({{"ALERTS", 1},
                                              {"errors_total", 40},
                                              {"job:errors:rate5m", 3},
                                              {"left_over", 1},
                                              {"tcp_open", 7}}));
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == expected[i]);
}

TEST_CASE(
    "a metric is asked for as far back as the one who looks the furthest, five minutes at least") {
  const AskedSeries asked(rules(), {});
  for (const api::KeptMetric& metric : asked.explain({{"errors_total", 1}, {"up", 1}})) {
    if (metric.name == "errors_total") CHECK(metric.history == 90min);
    if (metric.name == "up") CHECK(metric.history == 5min);
  }
}

TEST_CASE("what rules read in another Prometheus is not missed here") {
  Config config;
  config.prometheus.emplace();
  const AskedSeries asked(rules(), config);
  CHECK(asked.explain({}).empty());
  CHECK(asked.explain({{"job:errors:rate5m", 2}}).size() == 1);
}

TEST_CASE("what is recorded here is not scraped, what the configuration wants kept is") {
  Config config;
  config.keep = {testing::matchers_of("extra")};
  Texts names;
  for (const promql::Need& need : scraped_needs(rules(), config)) {
    names.emplace_back(metric_name_of(need.matchers).value_or("open"));
  }
  std::sort(names.begin(), names.end());
  CHECK(names == Texts{"errors_total", "extra", "gone_total", "open", "up"});
}

TEST_CASE("rules that are evaluated late need as much more of the past") {
  Config late;
  late.rule_query_offset = 2min;
  const auto now = scraped_needs(rules(), {});
  const auto later = scraped_needs(rules(), late);
  REQUIRE(now.size() == later.size());
  for (std::size_t i = 0; i < now.size(); ++i) CHECK(later[i].history == now[i].history + 2min);
}

}  // namespace
}  // namespace tocsin::daemon
