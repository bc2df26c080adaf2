// SPDX-License-Identifier: Apache-2.0
//
// Outlook is what a rule's alerts may know of the world around them: what templates ask for, and
// what cannot be seen at the moment, of Tocsin's own targets and of those of a Prometheus behind
// it.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/group_runner.h"
#include "daemon/query_desk.h"
#include "daemon/rule_sources.h"
#include "daemon/witness.h"
#include "source/target.h"
#include "tocsin/alert.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

class Outlook {
 public:
  using Targets = std::function<std::vector<source::TargetStatus>()>;
  // `queries` must outlive the object.
  Outlook(QueryDesk& queries, Targets targets);

  // From now on.
  void use(const Config& config, const rule::RuleSet& rules);

  // As Witness has it.
  source::JobsSeen jobs_seen(Timestamp now) const { return witness_.jobs_seen(now); }
  void remember(const source::JobsSeen& jobs, Timestamp now) { witness_.remember(jobs, now); }
  void note_clock_step(Duration step) { witness_.note_clock_step(step); }

  // As GroupParts has it.
  void look_around(const GroupParts::Rules& rules, Timestamp at, std::function<void()> then);
  // For the rule, at that evaluation; `external_url` is this Tocsin's. To be used at once.
  alert::Surroundings surroundings(const rule::Rule& rule, Timestamp at, std::string external_url);

 private:
  QueryDesk& queries_;
  const Targets targets_;
  RuleSources sources_;
  std::map<std::string, std::string> external_labels_;
  bool sees_through_another_ = false;
  Witness witness_;
};

}  // namespace tocsin::daemon
