// SPDX-License-Identifier: Apache-2.0
//
// RuleEngine keeps a GroupRunner for every group of the running RuleSet. A reload leaves unchanged
// groups alone, hands the alerts of changed ones on by rule id (a renamed file or a changed
// threshold loses nothing) or by what the rule says (neither does a renamed group), and resolves
// those of rules that are gone. At a start at which not every rule could be loaded, nobody knows
// which rules are gone: then alerts that no rule claims stay, as those of rules that cannot be
// evaluated, until rules are applied that could all be loaded.
//
// Loop thread only.
#pragma once

#include <memory>
#include <vector>

#include "daemon/group_runner.h"
#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

struct EngineDefaults {
  Duration evaluation_interval = std::chrono::minutes(1);
  Duration query_offset{0};
  Duration resend_delay = std::chrono::minutes(1);

  bool operator==(const EngineDefaults&) const = default;
};

class RuleEngine {
 public:
  explicit RuleEngine(GroupParts parts) : parts_(std::move(parts)) {}
  ~RuleEngine();
  RuleEngine(const RuleEngine&) = delete;
  RuleEngine& operator=(const RuleEngine&) = delete;

  void apply(const rule::RuleSet& rules, const EngineDefaults& defaults);

  // Takes over the alerts of an engine whose place this one takes; call before apply().
  void take_over(RuleEngine& before);

  // Goes on with the alerts of the process before; those of rules that are gone are resolved, or,
  // with errors among the `problems` of loading the rules, kept. Call once, after the first
  // apply().
  void restore(std::vector<state::SavedAlert> saved, const Diagnostics& problems);
  void restore(const std::vector<state::RecordedSample>& samples);

  // See AlertTracker.
  void note_clock_step(Duration step);

  // Groups wait until this is called: at start there is nothing to evaluate over yet.
  void start();

  std::vector<api::GroupStatus> groups() const;

  // Whether any group was evaluated lately, or there is none.
  bool is_evaluating(Timestamp now) const;

 private:
  void keep(std::vector<state::SavedAlert> orphans, const Diagnostics& problems);
  void retire(std::vector<state::SavedAlert> orphans);
  GroupTiming timing_of(const rule::Group& group, const EngineDefaults& defaults) const;

  const GroupParts parts_;
  EngineDefaults defaults_;
  std::unique_ptr<Evaluator> no_evaluator_;  // Of rules that could not be loaded.
  std::vector<std::shared_ptr<GroupRunner>> runners_;
  std::vector<std::shared_ptr<GroupRunner>> inherited_;  // Until the next apply().
  bool started_ = false;
};

}  // namespace tocsin::daemon
