// SPDX-License-Identifier: Apache-2.0
#include "replay/stages.h"

#include <doctest/doctest.h>

#include "rule/rule_files.h"

namespace tocsin::replay {
namespace {

// "a b | c*": the rules of each stage by name; * marks those that are evaluated slot by slot.
std::string text_of(const rule::RuleSet& rules, const Stages& stages) {
  std::string out;
  for (const std::vector<Unit>& stage : stages.units) {
    if (!out.empty()) out += "| ";
    for (const Unit& unit : stage) {
      for (const std::size_t r : unit.rules) {
        out += rules.groups[unit.group].rules[r].name + (unit.slot_by_slot ? "* " : " ");
      }
    }
  }
  return out.substr(0, out.size() - 1);
}

std::string staged(const std::string& groups, bool* is_cut = nullptr) {
  const rule::Loaded loaded = rule::load_text("groups:\n" + groups);
  CHECK(loaded.diagnostics.text() == "");
  const Stages stages = stages_of(loaded.rules);
  if (is_cut) *is_cut = stages.is_cut;
  return text_of(loaded.rules, stages);
}

TEST_CASE("rules that need nothing of one another are of one stage") {
  CHECK(staged("- name: g\n  rules:\n"
               "  - {alert: A, expr: x > 1}\n"
               "  - {alert: B, expr: y > 1}\n") == "A B");
}

TEST_CASE("whoever reads a recording comes after it, in another group, too") {
  CHECK(staged("- name: g\n  rules:\n"
               "  - {record: 'r', expr: sum(x)}\n"
               "  - {alert: A, expr: r > 1}\n"
               "- name: h\n  rules:\n"
               "  - {alert: B, expr: r > 2}\n"
               "  - {alert: C, expr: x > 2}\n") == "r C | A B");
}

TEST_CASE("an alert that reads ALERTS comes after the others, and might read its own") {
  CHECK(staged("- name: g\n  rules:\n"
               "  - {alert: A, expr: x > 1}\n"
               "- name: h\n  rules:\n"
               "  - {alert: B, expr: 'ALERTS{alertname=\"A\"} == 1'}\n") == "A | B*");
}

TEST_CASE("a group in which a rule reads its own past is evaluated slot by slot") {
  CHECK(staged("- name: g\n  rules:\n"
               "  - {alert: A, expr: 'x > 1 or (x > 0.5 and ALERTS{alertname=\"A\"})'}\n"
               "  - {alert: B, expr: y > 1}\n") == "A* B*");
}

TEST_CASE("so is one in which a rule reads what a later one writes") {
  CHECK(staged("- name: g\n  rules:\n"
               "  - {alert: A, expr: r > 1}\n"
               "  - {record: r, expr: sum(x)}\n") == "A* r*");
}

TEST_CASE("groups that read one another in a circle are put into some order, and it is said") {
  bool is_cut = false;
  CHECK(staged("- name: g\n  rules:\n"
               "  - {record: a, expr: sum(b)}\n"
               "- name: h\n  rules:\n"
               "  - {record: b, expr: sum(a)}\n",
               &is_cut) == "a | b");
  CHECK(is_cut);
  staged("- name: g\n  rules:\n  - {record: a, expr: sum(x)}\n", &is_cut);
  CHECK_FALSE(is_cut);
}

}  // namespace
}  // namespace tocsin::replay
