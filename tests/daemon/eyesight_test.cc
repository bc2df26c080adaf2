// SPDX-License-Identifier: Apache-2.0
#include "daemon/eyesight.h"

#include <doctest/doctest.h>

namespace tocsin::daemon {
namespace {

source::TargetStatus target(const Labels& labels, source::Health health) {
  source::TargetStatus status;
  status.target.labels = labels;
  status.target.url = "http://10.0.0.1:4191/metrics";
  status.health = health;
  status.last_error = "connection refused";
  return status;
}

TEST_CASE("an alert cannot be seen while a target that it may be about is down") {
  const Sources any{{}, true};
  const Labels alert{{"alertname", "A"}, {"namespace", "shop"}, {"deployment", "web"}};
  const auto blind = [&](const Labels& labels, source::Health health) {
    return Eyesight({target(labels, health)}).why_blind(any, alert).has_value();
  };
  const Labels same{{"job", "linkerd-proxy"}, {"namespace", "shop"}, {"deployment", "web"}};
  CHECK(blind(same, source::Health::Down));
  CHECK_FALSE(blind(same, source::Health::Up));
  CHECK_FALSE(blind(same.with("deployment", "api"), source::Health::Down));
  CHECK_FALSE(blind(same.with("namespace", "other"), source::Health::Down));
  CHECK(blind(Labels{{"job", "linkerd-proxy"}}, source::Health::Down));
  const auto obstacle = Eyesight({target(same, source::Health::Down)}).why_blind(any, alert);
  CHECK(obstacle->cause == "target http://10.0.0.1:4191/metrics");
  CHECK(obstacle->reason == "http://10.0.0.1:4191/metrics cannot be scraped: connection refused");
}

TEST_CASE("an alert about an edge cannot be seen while its client is down") {
  const Labels alert{{"alertname", "A"},
                     {"namespace", "shop"},
                     {"service", "web"},
                     {"client_namespace", "front"},
                     {"client_deployment", "gateway"}};
  const auto blind = [&](const char* ns, const char* deployment) {
    const Labels labels{{"namespace", ns}, {"deployment", deployment}};
    return Eyesight({target(labels, source::Health::Down)})
        .why_blind({{}, true}, alert)
        .has_value();
  };
  CHECK(blind("front", "gateway"));
  CHECK(blind("shop", "web"));
  CHECK_FALSE(blind("front", "other"));
  CHECK_FALSE(blind("elsewhere", "gateway"));
}

TEST_CASE("a federated Prometheus that is away may be about anything") {
  const Labels alert{{"alertname", "A"}, {"job", "linkerd-proxy"}, {"namespace", "shop"}};
  source::TargetStatus prometheus = target(Labels{{"job", "federate"}}, source::Health::Down);
  CHECK_FALSE(Eyesight({prometheus}).why_blind({{}, true}, alert).has_value());
  prometheus.speaks_for_others = true;
  CHECK(Eyesight({prometheus}).why_blind({{}, true}, alert).has_value());
}

TEST_CASE("a target that never had what the rule reads keeps no alert") {
  source::TargetStatus identity = target(Labels{{"component", "identity"}}, source::Health::Down);
  const Labels alert{{"alertname", "A"}, {"namespace", "shop"}};
  const Sources requests{{"response_total", "request_total"}, false};
  CHECK(Eyesight({identity}).why_blind(requests, alert).has_value());  // It was never seen.
  identity.metrics = std::make_shared<const source::MetricNames>(
      source::MetricNames{"process_start_time_seconds"});
  CHECK_FALSE(Eyesight({identity}).why_blind(requests, alert).has_value());
  CHECK(Eyesight({identity}).why_blind({{}, true}, alert).has_value());
  identity.metrics =
      std::make_shared<const source::MetricNames>(source::MetricNames{"request_total"});
  CHECK(Eyesight({identity}).why_blind(requests, alert).has_value());
}

TEST_CASE("what a job's targets told of cannot be seen when the job has lost them all") {
  source::TargetStatus gone =
      target(Labels{{"job", "web"}, {"namespace", "shop"}}, source::Health::Up);
  gone.target.job = "web";
  gone.last_error.clear();
  gone.metrics = std::make_shared<const source::MetricNames>(source::MetricNames{"request_total"});
  const Labels alert{{"alertname", "A"}, {"namespace", "shop"}};
  const Sources requests{{"request_total"}, false};
  CHECK_FALSE(Eyesight({gone}).why_blind(requests, alert).has_value());
  gone.is_gone = true;
  const auto obstacle = Eyesight({gone}).why_blind(requests, alert);
  REQUIRE(obstacle.has_value());
  CHECK(obstacle->cause == "job web");
  CHECK(obstacle->reason == "there is no target of the job 'web' any more");
  CHECK_FALSE(Eyesight({gone}).why_blind(requests, alert.with("namespace", "other")).has_value());
  CHECK_FALSE(Eyesight({gone}).why_blind({{"other"}, false}, alert).has_value());
  CHECK(Eyesight({gone}).why_blind({{"up"}, false}, alert).has_value());
  gone.last_error = "https://sd/: connection refused";
  CHECK(Eyesight({gone}).why_blind(requests, alert)->reason ==
        "targets of the job 'web' cannot be looked for: https://sd/: connection refused");
  gone.is_gone = false;
  gone.health = source::Health::Down;  // That is what `up` is for.
  CHECK_FALSE(Eyesight({gone}).why_blind({{"up"}, false}, alert).has_value());
}

TEST_CASE("a rule draws from what its recordings draw from") {
  const std::vector<rule::SourceFile> files{{"r.yaml", R"(
groups:
  - name: g
    rules:
      - {record: a, expr: 'sum(rate(x[5m]))'}
      - {record: b, expr: a + b}
      - {alert: High, expr: b > 1 and y}
      - {alert: Any, expr: '{job="z"} > 1'}
)"}};
  const auto loaded = rule::load(files);
  const RuleSources sources(loaded.rules);
  const auto& rules = loaded.rules.groups[0].rules;
  CHECK(sources.of(rules[2]).metrics == std::set<std::string, std::less<>>{"x", "y"});
  CHECK_FALSE(sources.of(rules[2]).any);
  CHECK(sources.of(rules[3]).any);
  CHECK(sources.of(rule::Rule{}).any);
}

}  // namespace
}  // namespace tocsin::daemon
