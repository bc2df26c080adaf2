// SPDX-License-Identifier: Apache-2.0
//
// What tests have put to the test, over all files of a run: which rules gave something, which
// alerts fired and ended, both sides of every `and`, `or` and `unless`, both ways of every
// condition of a template. Pure. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "alert/template.h"
#include "tocsin/alert.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"
#include "tocsin/store.h"

namespace tocsin::ruletest {

class Coverage {
 public:
  // What a test should see at least once.
  struct Point {
    std::string what;  // "fires", "`… and …`: an element is removed"
    bool seen = false;
  };
  struct OfRule {
    Place place;
    std::string name;
    std::vector<Point> points;
  };

  // The points of all rules that files have, in the order of the files. Rules that are known
  // already stay as they are.
  void add(const rule::RuleSet& rules);
  // Null for a rule that no file has.
  OfRule* of(const rule::Rule& rule);

  // A line for each rule, and one for each of its points that nothing has seen; then the totals.
  std::string text() const;

 private:
  using Key = std::tuple<std::string, int, std::string>;  // File, line, the rule's id.
  static Key key_of(const rule::Rule& rule);

  std::map<Key, OfRule> rules_;
};

// Looks on while one rule is evaluated in one test. The store, the rule and the coverage must
// outlive it.
class RuleWatch {
 public:
  RuleWatch(Coverage& coverage, const rule::Rule& rule);
  ~RuleWatch();
  RuleWatch(RuleWatch&&) noexcept;

  // The rule gave `result` at `at`, and its alerts changed.
  struct Evaluation {
    const store::Store& store;
    Timestamp at;
    const promql::Vector& result;
    const std::vector<alert::Transition>& changes;
    const alert::Surroundings& around;
  };
  void note(const Evaluation& evaluation);

 private:
  struct SetOperation;
  struct Text;

  void see(const std::string& what);
  void note_operations(const Evaluation& evaluation);
  void note_texts(const Evaluation& evaluation);

  Coverage::OfRule* record_;
  std::vector<SetOperation> operations_;
  std::vector<Text> texts_;
};

}  // namespace tocsin::ruletest
