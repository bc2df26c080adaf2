// SPDX-License-Identifier: Apache-2.0
#include "rule/rule_diff.h"

#include <doctest/doctest.h>

namespace tocsin::rule {
namespace {

RuleSet rules_of(const std::string& rules, const std::string& group = "g",
                 const std::string& file = "a.yaml") {
  const SourceFile source{file, "groups:\n- name: " + group + "\n  rules:\n" + rules};
  Loaded loaded = load(std::span(&source, 1));
  INFO(loaded.diagnostics.text());
  REQUIRE(!loaded.diagnostics.has_errors());
  return std::move(loaded.rules);
}
using Fields = std::vector<FieldChange>;

const std::string kUp = "  - {alert: Down, expr: up == 0, for: 5m, labels: {severity: page}}\n";

TEST_CASE("what is the same in other words, another group or another file has not changed") {
  const RuleSet before = rules_of(kUp);
  CHECK(changes_between(before, before).empty());
  CHECK(changes_between(before, rules_of("  - alert: Down\n    expr: (up==0)\n    for: 300s\n"
                                         "    labels: {severity: page}\n"))
            .size() == 1);  // The parentheses are kept: they are part of what was written.
  CHECK(changes_between(before, rules_of(kUp, "other", "b.yaml")).empty());
}

TEST_CASE("a changed rule says which fields are others") {
  const auto changes =
      changes_between(rules_of(kUp), rules_of("  - {alert: Down, expr: up < 1, for: 2m, labels: "
                                              "{severity: page}, annotations: {a: b}}\n"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].kind == RuleChange::Kind::Changed);
  CHECK(changes[0].name == "Down");
  CHECK(changes[0].place.line == 4);
  CHECK(changes[0].fields ==
        Fields{{"annotation a", "", "b"}, {"expr", "up == 0", "up < 1"}, {"for", "5m", "2m"}});
}

TEST_CASE("a changed label is a change of the rule that has the name, not another rule") {
  const auto changes = changes_between(
      rules_of(kUp),
      rules_of("  - {alert: Down, expr: up == 0, for: 5m, labels: {severity: info}}\n"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].fields == Fields{{"label severity", "page", "info"}});
}

TEST_CASE("a mesh condition is compared by what it says") {
  const auto changes = changes_between(
      rules_of("  - {alert: A, success_rate: {below: 99%, where: {namespace: shop}}}\n"),
      rules_of("  - {alert: A, success_rate: {below: 98%, over: 10m}}\n"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].fields ==
        Fields{{"below", "99%", "98%"}, {"over", "5m", "10m"}, {"where namespace", "shop", ""}});
}

TEST_CASE("what came and what went is named, what was removed at the end") {
  const auto changes =
      changes_between(rules_of(kUp), rules_of("  - {alert: New, expr: down == 1}\n"));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].kind == RuleChange::Kind::Added);
  CHECK(changes[0].name == "New");
  CHECK(changes[1].kind == RuleChange::Kind::Removed);
  CHECK(changes[1].name == "Down");
}

}  // namespace
}  // namespace tocsin::rule
