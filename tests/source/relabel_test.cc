// SPDX-License-Identifier: Apache-2.0
#include "source/relabel.h"

#include <doctest/doctest.h>

namespace tocsin::source {
namespace {

using Action = RelabelAction;

std::optional<Labels> relabel(const Labels& labels, const std::vector<RelabelConfig>& configs) {
  const auto relabeler = Relabeler::compile(configs);
  REQUIRE_MESSAGE(relabeler, relabeler.error().message);
  return relabeler->apply(labels);
}

TEST_CASE("every action does what Prometheus' does") {
  struct Row {
    std::string name;
    Labels in;
    RelabelConfig config;
    std::optional<Labels> out;
  };
  const Labels abc{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
  const std::vector<Row> rows = {
      {"replace with groups",
       abc,
       {.source_labels = {"a"},
        .regex = "f(.*)",
        .target_label = "d",
        .replacement = "ch${1}-ch${1}"},
       abc.with("d", "choo-choo")},
      {"replace joins its sources",
       abc,
       {.source_labels = {"a", "b"},
        .regex = "(.*);(.*)",
        .target_label = "a",
        .replacement = "b${2}${1}m"},
       abc.with("a", "bbarfoom")},
      {"replace without a match changes nothing",
       abc,
       {.source_labels = {"a"}, .regex = "oo", .target_label = "d"},
       abc},
      {"replace with nothing removes",
       abc,
       {.source_labels = {"a"}, .regex = "f.*", .target_label = "b", .replacement = ""},
       abc.without("b")},
      {"replace computes its target",
       abc,
       {.source_labels = {"a"}, .regex = "(f).*", .target_label = "x_$1", .replacement = "$1"},
       abc.with("x_f", "f")},
      {"replace with no source sets a constant",
       abc,
       {.target_label = "d", .replacement = "x"},
       abc.with("d", "x")},
      {"replace of an unknown group is empty",
       abc,
       {.source_labels = {"a"}, .target_label = "b", .replacement = "$9"},
       abc.without("b")},
      {"keep", abc, {.source_labels = {"a"}, .regex = "foo", .action = Action::Keep}, abc},
      {"keep is anchored",
       abc,
       {.source_labels = {"a"}, .regex = "fo", .action = Action::Keep},
       std::nullopt},
      {"drop",
       abc,
       {.source_labels = {"a"}, .regex = ".*o.*", .action = Action::Drop},
       std::nullopt},
      {"drop of another", abc, {.source_labels = {"a"}, .regex = "x", .action = Action::Drop}, abc},
      {"keepequal",
       abc.with("d", "foo"),
       {.source_labels = {"a"}, .target_label = "d", .action = Action::KeepEqual},
       abc.with("d", "foo")},
      {"keepequal of unequals",
       abc,
       {.source_labels = {"a"}, .target_label = "b", .action = Action::KeepEqual},
       std::nullopt},
      {"dropequal",
       abc.with("d", "foo"),
       {.source_labels = {"a"}, .target_label = "d", .action = Action::DropEqual},
       std::nullopt},
      {"dropequal of unequals",
       abc,
       {.source_labels = {"a"}, .target_label = "b", .action = Action::DropEqual},
       abc},
      {"hashmod",
       abc,
       {.source_labels = {"c"}, .modulus = 1000, .target_label = "d", .action = Action::HashMod},
       abc.with("d", "976")},
      {"hashmod joins lines too",
       Labels{{"a", "foo\nbar"}},
       {.source_labels = {"a"}, .modulus = 1000, .target_label = "b", .action = Action::HashMod},
       Labels{{"a", "foo\nbar"}, {"b", "734"}}},
      {"labelmap",
       Labels{{"__meta_a", "1"}, {"__meta_b", "2"}, {"x", "3"}},
       {.regex = "__meta_(.+)", .action = Action::LabelMap},
       Labels{{"__meta_a", "1"}, {"__meta_b", "2"}, {"a", "1"}, {"b", "2"}, {"x", "3"}}},
      {"labeldrop", abc, {.regex = "a|b", .action = Action::LabelDrop}, Labels{{"c", "baz"}}},
      {"labelkeep", abc, {.regex = "a|b", .action = Action::LabelKeep}, abc.without("c")},
      {"lowercase",
       Labels{{"a", "FoO"}},
       {.source_labels = {"a"}, .target_label = "l", .action = Action::Lowercase},
       Labels{{"a", "FoO"}, {"l", "foo"}}},
      {"uppercase",
       Labels{{"a", "FoO"}},
       {.source_labels = {"a"}, .target_label = "u", .action = Action::Uppercase},
       Labels{{"a", "FoO"}, {"u", "FOO"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto out = relabel(row.in, {row.config});
    CHECK(out.has_value() == row.out.has_value());
    if (out && row.out) CHECK(out->text() == row.out->text());
  }
}

TEST_CASE("rules apply in order, until one drops") {
  const RelabelConfig set{.source_labels = {"a"}, .target_label = "b"};
  const RelabelConfig drop{.source_labels = {"b"}, .regex = "foo", .action = Action::Drop};
  CHECK_FALSE(relabel(Labels{{"a", "foo"}}, {set, drop}));
  CHECK(relabel(Labels{{"a", "foo"}}, {drop, set}));
}

TEST_CASE("what cannot work is named") {
  struct Row {
    RelabelConfig config;
    std::string problem;
  };
  const std::vector<Row> rows = {
      {{.target_label = "a", .action = Action::HashMod},
       "relabel configuration for hashmod requires non-zero modulus"},
      {{.action = Action::Replace},
       "relabel configuration for replace action requires 'target_label' value"},
      {{.action = Action::Lowercase},
       "relabel configuration for lowercase action requires 'target_label' value"},
      {{.target_label = "a", .replacement = "x", .action = Action::Uppercase},
       "'replacement' can not be set for uppercase action"},
      {{.regex = "x", .target_label = "a", .action = Action::KeepEqual},
       "keepequal action requires only 'source_labels' and 'target_label', and no other fields"},
      {{.source_labels = {"a"}, .regex = "x", .action = Action::LabelDrop},
       "labeldrop action requires only 'regex', and no other fields"},
      {{.replacement = "", .action = Action::LabelMap},
       "\"\" is invalid 'replacement' for labelmap action"},
  };
  for (const Row& row : rows) {
    CHECK(relabel_problem(row.config) == row.problem);
    CHECK_FALSE(Relabeler::compile({row.config}));
  }
  CHECK(relabel_problem({.regex = "(", .target_label = "a"}));
  CHECK_FALSE(relabel_problem({.source_labels = {"a"}, .target_label = "b"}));
}

TEST_CASE("all eleven actions have names") {
  const auto names = relabel_action_names();
  CHECK(names.size() == 11);
  for (const std::string& name : names) {
    const auto action = parse_relabel_action(name);
    REQUIRE(action);
    CHECK(relabel_action_name(*action) == name);
  }
  CHECK(parse_relabel_action("LabelMap") == Action::LabelMap);
  CHECK_FALSE(parse_relabel_action("rename"));
}

TEST_CASE("a rule that can rename a metric is known") {
  const auto may = [](const RelabelConfig& config) {
    return Relabeler::compile({config})->may_rename_metric();
  };
  CHECK(may({.target_label = "__name__", .replacement = "x"}));
  CHECK(may({.target_label = "$1"}));
  CHECK(may({.regex = "x_(.*)", .action = Action::LabelMap}));
  CHECK_FALSE(may({.target_label = "a"}));
  CHECK_FALSE(may({.source_labels = {"__name__"}, .regex = "x", .action = Action::Drop}));
}

}  // namespace
}  // namespace tocsin::source
