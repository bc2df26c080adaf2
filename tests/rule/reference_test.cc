// SPDX-License-Identifier: Apache-2.0
#include "rule/reference.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tocsin/rule_set.h"

namespace tocsin::rule {
namespace {

template <class Visit>
void for_each_key(const yaml::Schema& schema, Visit visit) {
  for (const auto& property : schema.properties) {
    visit(*property);
    for_each_key(*property, visit);
  }
}

TEST_CASE("every key of a rule file is explained, and nothing else is") {
  yaml::Schema schema;
  describe_rule_file(schema);
  std::set<std::string_view> used;
  for_each_key(schema, [&](const yaml::Schema& key) {
    CAPTURE(key.path());
    const KeyText* text = text_of_key(key_texts(), key);
    REQUIRE(text != nullptr);
    used.insert(text->path);
  });
  for (const KeyText& text : key_texts()) {
    CAPTURE(std::string(text.path));
    CHECK(used.count(text.path) == 1);
  }
}

// What the reader answers to a key that it does not know: "known here: a, b or c".
std::set<std::string> known_keys(const std::string& rule) {
  const SourceFile file{"a.yaml", "groups: [{name: g, rules: [" + rule + "]}]"};
  const Loaded loaded = load(std::span(&file, 1));
  std::set<std::string> out;
  for (const Diagnostic& d : loaded.diagnostics.all()) {
    if (d.code != "rule/unknown-key") continue;
    std::string word;
    for (const char c : d.hint.substr(d.hint.find(": ") + 2) + ",") {
      if (c != ',' && c != ' ') {
        word += c;
      } else {
        if (!word.empty() && word != "or") out.insert(word);
        word.clear();
      }
    }
  }
  return out;
}

TEST_CASE("the schema knows the keys that the reader knows") {
  yaml::Schema schema;
  describe_rule_file(schema);
  const yaml::Schema* rule = schema.find("groups")->find("rules");
  const struct {
    const yaml::Schema* keys;
    const char* rule;
    std::set<std::string> refused;  // Known, to say what to write in their place.
  } cases[] = {
      {rule, "{alert: A, expr: up, qqqq: 1}", {}},
      {rule->find("success_rate"), "{alert: A, success_rate: {below: 99%, qqqq: 1}}", {"above"}},
      {rule->find("latency"), "{alert: A, latency: {above: 1s, qqqq: 1}}", {"below"}},
      {rule->find("traffic"), "{alert: A, traffic: {above: 3x baseline, qqqq: 1}}", {}},
      {rule->find("control_plane"), "{alert: A, control_plane: {qqqq: 1}}", {}},
      {rule->find("certificate"), "{alert: A, certificate: {kind: leaf, qqqq: 1}}", {}},
      {rule->find("proxy_restarts"), "{alert: A, proxy_restarts: {qqqq: 1}}", {}},
  };
  for (const auto& c : cases) {
    CAPTURE(std::string(c.rule));
    std::set<std::string> expected = c.refused;
    for (const auto& property : c.keys->properties) expected.insert(property->key);
    CHECK(known_keys(c.rule) == expected);
  }
}

TEST_CASE("what has to be there is required, and what is one of a few words names them") {
  yaml::Schema schema;
  describe_rule_file(schema);
  const yaml::Schema* rule = schema.find("groups")->find("rules");
  CHECK(schema.find("groups")->find("name")->required);
  CHECK(rule->find("success_rate")->find("below")->required);
  CHECK_FALSE(rule->find("success_rate")->find("over")->required);
  CHECK(rule->find("success_rate")->find("by")->words ==
        std::vector<std::string>{"workload", "service", "route", "edge"});
  CHECK(rule->find("success_rate")->find("over")->shape == yaml::Shape::Duration);
  CHECK(rule->find("success_rate")->path() == "groups.rules.success_rate");
}

}  // namespace
}  // namespace tocsin::rule
