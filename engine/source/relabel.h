// SPDX-License-Identifier: Apache-2.0
//
// relabel_configs: rules that rewrite or drop a label set, exactly as in Prometheus, all eleven
// actions. Pure; a Relabeler may be used by several threads at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/result.h"

namespace tocsin::source {

enum class RelabelAction {
  Replace,
  Keep,
  Drop,
  KeepEqual,
  DropEqual,
  HashMod,
  LabelMap,
  LabelDrop,
  LabelKeep,
  Lowercase,
  Uppercase,
};

// "labelmap" and the like, in any case; nothing on another word.
std::optional<RelabelAction> parse_relabel_action(std::string_view word);
std::string_view relabel_action_name(RelabelAction action);
// All of them, for "did you mean".
std::vector<std::string> relabel_action_names();

struct RelabelConfig {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  std::uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";
  RelabelAction action = RelabelAction::Replace;

  bool operator==(const RelabelConfig&) const = default;
};

// What is wrong with the rule, in Prometheus' words; nothing when it is right.
std::optional<std::string> relabel_problem(const RelabelConfig& config);

class Relabeler {
 public:
  Relabeler() = default;
  // Fails with InvalidArgument on the first rule that relabel_problem() complains of.
  static Result<Relabeler> compile(const std::vector<RelabelConfig>& configs);

  // The labels after all rules; nothing when one of them drops the set.
  std::optional<Labels> apply(const Labels& labels) const;

  bool empty() const { return steps_.empty(); }
  // Whether a rule can give a series another metric name.
  bool may_rename_metric() const;

 private:
  struct Step {
    RelabelConfig config;
    Regex regex;
  };
  static bool apply_step(const Step& step, LabelsBuilder& labels);

  std::vector<Step> steps_;
};

}  // namespace tocsin::source
