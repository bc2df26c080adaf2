// SPDX-License-Identifier: Apache-2.0
#include "alert/example_message.h"

#include <doctest/doctest.h>

#include "rule/rule_files.h"

namespace tocsin::alert {
namespace {

std::string summary_of(const std::string& rule) {
  const std::string text = example_message(rule::last_rule(rule::load_alert(rule)));
  const std::size_t begin = text.find('\n') + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST_CASE("an example is beyond the threshold, wherever the expression has it") {
  const std::string value = "\n    annotations: {summary: '{{ $value }}'}";
  CHECK(summary_of("expr: up < 7" + value) == "5");
  CHECK(summary_of("expr: 5 < rate(a[5m])" + value) == "7");
  CHECK(summary_of("expr: (rate(a[5m]) > 5) and b > 1 unless c" + value) == "7");
  CHECK(summary_of("expr: a > 0" + value) == "1");
  CHECK(summary_of("expr: a == 3" + value) == "3");
}

TEST_CASE("an example has the labels that the expression is known to keep") {
  const auto first_line = [](const std::string& rule) {
    const std::string text = example_message(rule::last_rule(rule::load_alert(rule)));
    return text.substr(0, text.find('\n'));
  };
  CHECK(first_line("expr: sum by (namespace, deployment) (a) > 1") ==
        R"(A{deployment="checkout", namespace="shop"})");
  CHECK(first_line("expr: up == 0") == "A{}");

  // With values that the expression takes.
  CHECK(first_line("expr: sum by (job) (up) < 1") == R"(A{job="linkerd-proxy"})");
  CHECK(first_line("expr: sum by (job) (up{job='web'}) < 1") == R"(A{job="web"})");
  CHECK(first_line("expr: sum by (job) (up{job=~'(.*/)?linkerd-controller'}) < 1") ==
        R"(A{job="linkerd-controller"})");
  CHECK(first_line("expr: sum by (job, instance) (tocsin_alerts_blind) > 0") ==
        R"(A{instance="127.0.0.1:9467", job="tocsin"})");
}

TEST_CASE("a condition's example is a sentence about somebody") {
  CHECK(summary_of("success_rate: {below: 99%}") ==
        "checkout in shop: only 96% of requests succeed");
  CHECK(example_message(rule::Rule{.kind = rule::RuleKind::Record}).empty());
}

}  // namespace
}  // namespace tocsin::alert
