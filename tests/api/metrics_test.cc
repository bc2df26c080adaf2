// SPDX-License-Identifier: Apache-2.0
#include "api/metrics.h"

#include <doctest/doctest.h>

#include <set>

#include "support/fake_backend.h"
#include "tocsin/exposition.h"

namespace tocsin::api {
namespace {

using testing::FakeBackend;

std::string page_of(const FakeBackend& b, const ProcessUsage& process = {}) {
  return metrics_text(take_snapshot(b), process);
}

bool has_line(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

FakeBackend& busy(FakeBackend& b) {
  GroupStatus group;
  group.file = "rules/\"a\".yaml";
  group.name = "g";
  group.evaluation_seconds = 0.0125;
  group.iterations_missed = 2;
  group.failures = 3;
  RuleStatus rule;
  rule.rule = testing::alerting_rule("Down", "up == 0");
  rule.alerts.resize(3);
  rule.alerts[0].state = alert::State::Firing;
  rule.alerts[1].blind = alert::Blindness{FakeBackend::kNow, {"target t", "target down"}};
  group.rules = {rule};
  b.all_groups = {group};
  b.scraping.samples_appended = 12'345'678'901;
  b.scraping.samples_scraped = 23'456'789'012;
  b.all_kept = testing::kept_metrics();
  b.scraping.drops.out_of_order = 7;
  b.scraping.duration_seconds.observe(0.003);
  b.scraping.duration_seconds.observe(0.3);
  b.scraping.duration_seconds.observe(60);
  b.latency.observe(0.02);
  b.latency.observe(1000);
  b.all_receivers = {{"chat", {.sent = 2, .failed = 1, .given_up = 0, .waiting = 4}},
                     {"chat", {.sent = 3, .failed = 1, .given_up = 1, .waiting = 0}}};
  b.all_targets = {testing::target("api", "a:1", source::Health::Up),
                   testing::target("api", "b:1", source::Health::Down)};
  b.info.reload.successful = false;
  return b;
}

TEST_CASE("what Tocsin counts has the names that it promises") {
  FakeBackend b;
  const std::string page = page_of(busy(b));
  for (
      const char* line : {
          R"j(tocsin_rule_group_last_duration_seconds{rule_group="rules/\"a\".yaml;g"} 0.0125)j",
          R"j(tocsin_rule_group_iterations_missed_total{rule_group="rules/\"a\".yaml;g"} 2)j",
          R"j(tocsin_rule_evaluation_failures_total{rule_group="rules/\"a\".yaml;g"} 3)j",
          "tocsin_series 0",
          R"j(tocsin_notifications_suppressed_total{reason="inhibition"} 0)j",
          "tocsin_samples_appended_total 12345678901",
          "tocsin_samples_read_total 23456789012",
          R"j(tocsin_metric_series{metric="response_total"} 7200)j",
          R"j(tocsin_metric_series{metric="request_errors_total"} 0)j",
          R"j(tocsin_metric_history_seconds{metric="response_total"} 3900)j",
          R"j(tocsin_metric_asked_seconds{metric="response_total",by="reads",rule_group="rules/linkerd/golden-signals.yaml;golden-signals",rule="SuccessRateLow"} 600)j",
          R"j(tocsin_metric_asked_seconds{metric="tcp_open_connections",by="keep",selector="{__name__=~\"tcp_.+\"}"} 300)j",
          R"j(tocsin_metric_asked_seconds{metric="ALERTS",by="own"} 300)j",
          R"j(tocsin_samples_dropped_total{reason="out_of_order"} 7)j",
          R"j(tocsin_scrape_duration_seconds_bucket{le="0.005"} 1)j",
          R"j(tocsin_scrape_duration_seconds_bucket{le="10"} 2)j",
          R"j(tocsin_scrape_duration_seconds_bucket{le="+Inf"} 3)j",
          "tocsin_scrape_duration_seconds_count 3",
          R"j(tocsin_notification_latency_seconds_bucket{le="300"} 1)j",
          R"j(tocsin_notification_latency_seconds_bucket{le="+Inf"} 2)j",
          "tocsin_notification_latency_seconds_count 2",
          R"j(tocsin_notifications_sent_total{receiver="chat"} 5)j",
          R"j(tocsin_notifications_failed_total{receiver="chat"} 2)j",
          R"j(tocsin_outbox_length{receiver="chat"} 4)j",
          "tocsin_config_last_reload_successful 0",
          R"j(tocsin_alerts{state="pending"} 2)j",
          R"j(tocsin_alerts{state="firing"} 1)j",
          R"j(tocsin_alerts_blind{cause="target t"} 1)j",
          R"j(tocsin_targets{job="api",health="down"} 1)j",
          "# TYPE tocsin_scrape_duration_seconds histogram",
          "# TYPE tocsin_alerts gauge",
      }) {
    CAPTURE(line);
    CHECK(has_line(page, line));
  }
  CHECK(page.find("tocsin_build_info{version=\"") != std::string::npos);
}

// The series of a page; fails the test where one is there twice or cannot be read.
std::set<Labels> series_of(const std::string& page) {
  exposition::PageReader reader(page, exposition::Dialect::Prometheus);
  exposition::PageSample sample;
  std::set<Labels> seen;
  while (reader.next(sample)) {
    const auto labels = exposition::decode_labels(sample);
    REQUIRE(labels.has_value());
    CHECK_MESSAGE(seen.insert(*labels).second, labels->text());
  }
  CHECK(reader.ok());
  return seen;
}

TEST_CASE("Tocsin can read its own page, which has no series twice") {
  FakeBackend quiet;
  CHECK(series_of(page_of(quiet, process_usage())).size() > 30);
  FakeBackend b;
  const auto series = series_of(page_of(busy(b), process_usage()));
  CHECK(series.contains(Labels{{"__name__", "tocsin_rule_group_last_duration_seconds"},
                               {"rule_group", "rules/\"a\".yaml;g"}}));
}

TEST_CASE("the process knows itself") {
  const ProcessUsage usage = process_usage();
  CHECK(usage.resident_bytes.value_or(0) > 1e6);
  CHECK(usage.virtual_bytes.value_or(0) >= usage.resident_bytes.value_or(0));
  CHECK(usage.cpu_seconds.value_or(-1) >= 0);
  CHECK(usage.open_files.value_or(0) >= 3);
  CHECK(usage.max_files.value_or(0) >= usage.open_files.value_or(0));
  CHECK(usage.start_seconds.value_or(0) > 1.7e9);
  FakeBackend b;
  const std::string page = page_of(b, usage);
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
                           "process_open_fds ", "process_start_time_seconds "}) {
    CHECK(page.find(name) != std::string::npos);
  }
}

}  // namespace
}  // namespace tocsin::api
