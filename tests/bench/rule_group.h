// SPDX-License-Identifier: Apache-2.0
//
// The rules of side_by_side.rules.yaml, evaluated one after another over a store as the daemon does
// it, without its threads.
#pragma once

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "promql/shared_values.h"
#include "tocsin/rule_set.h"
#include "tocsin/store.h"

namespace tocsin::bench {

inline rule::Group read_group() {
  std::ifstream file(TOCSIN_BENCH_RULES);
  const rule::SourceFile source{"side_by_side.rules.yaml",
                                {std::istreambuf_iterator<char>(file), {}}};
  return rule::load(std::span(&source, 1)).rules.groups.at(0);
}

class RuleGroup {
 public:
  RuleGroup(const rule::Group& group, store::Store& store) : store_(store) {
    std::vector<std::string> written{"ALERTS", "ALERTS_FOR_STATE"};
    for (const rule::Rule& rule : group.rules) {
      if (rule.kind == rule::RuleKind::Record) written.push_back(rule.name);
    }
    const auto shared = std::make_shared<promql::SharedValues>(written);
    for (const rule::Rule& rule : group.rules) {
      rules_.push_back(
          {rule, promql::Query::prepare(rule.expr, {.shared = shared}),
           store.add_block({.history = std::chrono::hours(1), .origin = store::Origin::Rules})});
    }
  }

  enum class Writes { Recordings, Nothing };
  // How many elements all of them have.
  std::size_t evaluate(Timestamp at, Writes writes) {
    std::size_t elements = 0;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      const promql::Vector vector = evaluate_rule(i, at);
      elements += vector.size();
      const bool is_recording = rules_[i].rule.kind == rule::RuleKind::Record;
      if (is_recording && writes == Writes::Recordings) write(rules_[i], at, vector);
    }
    return elements;
  }

  void look_ahead(Timestamp at) {
    for (Rule& rule : rules_) rule.query.look_ahead(store_, at);
  }

  std::size_t size() const { return rules_.size(); }
  const std::string& name(std::size_t rule) const { return rules_[rule].rule.name; }
  promql::Vector evaluate_rule(std::size_t rule, Timestamp at) {
    auto answer = rules_[rule].query.evaluate(store_, at);
    if (answer) return std::get<promql::Vector>(std::move(answer->value));
    std::cerr << name(rule) << ": " << answer.error().message << '\n';
    std::exit(1);
  }

 private:
  struct Rule {
    rule::Rule rule;
    promql::Query query;
    store::BlockId block;
  };

  void write(Rule& rule, Timestamp at, const promql::Vector& vector) {
    std::vector<store::SeriesId> ids;
    std::vector<double> values;
    for (const promql::Element& element : vector) {
      const Labels labels = element.labels.with(kMetricName, rule.rule.name);
      ids.push_back(store_.add_series(rule.block, labels, false));
      values.push_back(element.sample.value);
    }
    store_.append_column(rule.block, at, ids, values);
  }

  store::Store& store_;
  std::vector<Rule> rules_;
};

}  // namespace tocsin::bench
