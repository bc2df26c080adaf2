// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "promql/ast.h"
#include "rule/pretty.h"
#include "rule/rule_files.h"

namespace tocsin::rule {
namespace {

namespace fs = std::filesystem;

// Every condition in every grouping.
std::string every_condition() {
  std::string text =
      "# tocsin: disable=no-floor\ngroups:\n- name: all\n  interval: 15s\n  rules:\n";
  int number = 0;
  const auto add = [&](const std::string& condition) {
    text += "  - alert: A" + std::to_string(++number) + "\n    " + condition + "\n    for: 1m\n";
  };
  for (const std::string scope : {"by: workload", "by: workload, side: client", "by: service",
                                  "by: route", "by: route, side: server", "by: edge",
                                  "by: edge, where: {namespace: shop, service: web}"}) {
    add("success_rate: {below: 99%, " + scope + "}");
    add("latency: {above: 500ms, " + scope + "}");
    add("latency: {above: 200ms, quantile: 0.5, min_requests: 0, " + scope + "}");
    add("traffic: {above: 3x baseline, " + scope + "}");
    add("traffic: {below: 0.5x baseline, min_rate: 1/s, " + scope + "}");
    add("traffic: {above: 100/s, " + scope + "}");
    add("traffic: {below: 10/m, " + scope + "}");
  }
  add("control_plane: {}");
  add("control_plane: {component: [identity, policy], down_for: 2m}");
  add("certificate: {kind: leaf, where: {namespace: shop}}");
  add("certificate: {kind: leaf, expires_within: 2h}");
  for (const std::string kind : {"issuer", "trust-anchor", "webhook"}) {
    add("certificate: {kind: " + kind + ", expires_within: 30d}");
  }
  add("proxy_restarts: {}");
  add("proxy_restarts: {more_than: 5, over: 30m, where: {namespace: 'shop|web'}}");
  return text;
}

TEST_CASE("every condition compiles, in both memories") {
  for (const Memory memory : {Memory::Recorded, Memory::Subquery}) {
    const Loaded loaded = load_text(every_condition(), {.memory = memory});
    CHECK(loaded.diagnostics.text() == "");
    const auto& rules = loaded.rules.groups.at(0).rules;
    const auto generated = [&] {
      std::size_t count = 0;
      for (const Rule& rule : rules) count += rule.generated ? 1 : 0;
      return count;
    }();
    CHECK(rules.size() - generated == 7 * 7 + 9);
    CHECK(generated == (memory == Memory::Recorded ? 7 : 0));
  }
}

TEST_CASE("the pretty form is the same expression") {
  const Loaded loaded = load_text(every_condition());
  for (const Rule& rule : loaded.rules.groups.at(0).rules) {
    const std::string text = pretty(*rule.expr, 4);
    const auto again = promql::parse(text);
    CAPTURE(text);
    REQUIRE(again.has_value());
    CHECK(promql::print(**again) == rule.expr_text);
  }
}

TEST_CASE("a rule file is explained as text") {
  const Loaded loaded = load_alert(
      "traffic: {above: 3x baseline, over: 5m, by: service, where: {namespace: shop}}\n    for: "
      "1m");
  CHECK(explain(loaded.rules, ExplainFormat::Text) ==
        R"(f.yaml: group g
  record tocsin:traffic_rate5m:by_service_client:f20b58e4
    remembers: the baseline of the rules below
    expr:
      sum by (namespace, service) (
        label_join(
          label_join(
            sum by (dst_namespace, dst_service) (
              rate(request_total{direction="outbound",dst_namespace=~"shop",dst_service!="",target_port!="4191"}[5m])
            ),
            "namespace", "", "dst_namespace"
          ),
          "service", "", "dst_service"
        )
      )
  alert A
    watches: the requests per second of each service, as its callers' proxies saw them, with what the mesh answered in its place, against the median of the 1h before
    fires on: traffic above 3x baseline over 5m, by service, client side, where namespace=~"shop"
    leaves out:
      the proxy's own port, 4191: scrapes and probes never fail, and would water down what does
      fewer than 50 requests in 5m: a share of a few says nothing
    labels: namespace, service
    for: 1m
    expr:
      (
        tocsin:traffic_rate5m:by_service_client:f20b58e4
        /
        (
          quantile_over_time(0.5, tocsin:traffic_rate5m:by_service_client:f20b58e4[1h] offset 5m) > 0
        )
      ) > 3
      and
      tocsin:traffic_rate5m:by_service_client:f20b58e4 * 300 >= 50
      and
      present_over_time(tocsin:traffic_rate5m:by_service_client:f20b58e4[45m] offset 20m)
)");
}

TEST_CASE("the Prometheus form is a rule file that says the same") {
  const Loaded loaded = load_text(every_condition());
  const Loaded again = load_text(explain(loaded.rules, ExplainFormat::Prometheus));
  CHECK_FALSE(again.diagnostics.has_errors());
  const auto& before = loaded.rules.groups.at(0).rules;
  const auto& after = again.rules.groups.at(0).rules;
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(before[i].expr_text == after[i].expr_text);
    CHECK(before[i].annotations == after[i].annotations);
    CHECK(before[i].for_duration == after[i].for_duration);
  }
}

TEST_CASE("promtool accepts the Prometheus form") {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    std::cout << "skipped: promtool is not at hand\n";
    return;
  }
  const fs::path path =
      fs::temp_directory_path() /
      ("tocsin-explain-" + std::to_string(std::hash<std::string>{}(fs::current_path())) + ".yaml");
  for (const Memory memory : {Memory::Recorded, Memory::Subquery}) {
    const Loaded loaded = load_text(every_condition(), {.memory = memory});
    std::ofstream(path) << explain(loaded.rules, ExplainFormat::Prometheus);
    CHECK(std::system(("promtool check rules '" + path.string() + "' >/dev/null").c_str()) == 0);
  }
  fs::remove(path);
}

}  // namespace
}  // namespace tocsin::rule
