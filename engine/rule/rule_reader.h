// SPDX-License-Identifier: Apache-2.0
//
// One rule file → groups. Prometheus' rules about rules are checked here, mesh conditions are
// compiled, and what is broken is reported and left out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rule/kubernetes.h"
#include "rule/lint.h"
#include "tocsin/rule_set.h"
#include "yaml/schema.h"

namespace tocsin::rule {

class RuleReader {
 public:
  RuleReader(const LoadOptions& options, Diagnostics& diagnostics)
      : options_(options), diagnostics_(diagnostics) {}

  // Files must come in the order in which they are to be evaluated and listed.
  void read(const SourceFile& file, std::vector<Group>& groups);

  // Notes what a rule file may contain.
  void describe(yaml::Schema& schema);

 private:
  // What `unless` can refer to.
  struct Named {
    Condition condition;
    std::string expr;  // Without its own `unless`.
  };

  enum class OtherKinds { Refuse, ReadPast };  // Kubernetes objects that are no PrometheusRule.
  void read_object(const Object& object, OtherKinds others, std::vector<Group>& groups);
  void describe_rule(yaml::Mapping& m);
  void read_group_settings(yaml::Mapping& m, Group& group);
  void read_groups(yaml::Mapping& spec, std::vector<Group>& groups);
  void read_group(const yaml::Node& node, std::vector<Group>& groups);
  void read_rules(yaml::Mapping& m, Group& group);
  void read_rule(const yaml::Node& node, Group& group);

  void read_kind(yaml::Mapping& m, Rule& rule);
  void read_times(yaml::Mapping& m, Rule& rule);
  void read_labels(yaml::Mapping& m, std::map<std::string, std::string>& labels);
  void read_annotations(yaml::Mapping& m, Rule& rule);
  void check_template(const yaml::Node& node, std::string_view what);
  void check_record(yaml::Mapping& m, const Rule& rule);

  void read_expression(yaml::Mapping& m, const Group& group, Rule& rule);
  void read_unless(yaml::Mapping& m, Rule& rule, std::string& expr);
  void read_resolve_when(yaml::Mapping& m, Rule& rule);
  void read_mesh_condition(yaml::Mapping& m, Rule& rule, std::vector<Rule>& recordings);
  promql::ExprPtr parse_compiled(yaml::Mapping& m, const std::string& text);
  void warn_of_short_window(yaml::Mapping& m, const Condition& condition);
  void warn_of_lint(yaml::Mapping& m, const std::vector<LintFinding>& findings);
  void add(Group& group, Rule rule);

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  yaml::Reporter* report_ = nullptr;                           // Of the file being read.
  std::string file_;                                           // As Group has it.
  std::set<std::pair<std::string, std::string>> group_names_;  // With their file.
  std::map<std::string, Named> alerts_;    // Of the group being read; those with a condition.
  std::set<std::string> recorded_;         // Names of the recordings that conditions have added.
  Recordings recordings_;                  // Of all files, as people wrote them.
  std::map<std::string, int> identities_;  // How often each has been given.
  std::map<std::string, int> contents_;    // The same for what rules say.
};

}  // namespace tocsin::rule
