// SPDX-License-Identifier: Apache-2.0
//
// What Tocsin cannot see at the moment, and which alerts that concerns. An alert whose series has
// disappeared is over only if the targets that the series could come from have been seen since.
// Pure.
#pragma once

#include <optional>
#include <vector>

#include "daemon/rule_sources.h"
#include "source/target.h"
#include "tocsin/alert.h"
#include "tocsin/labels.h"

namespace tocsin::daemon {

// Whether the alert may be about a target with these labels: unless both name the namespace, the
// workload, the component or the job, and name another. An alert about an edge is about its client,
// too, whose proxies tell of it.
bool may_be_about(const Labels& target, const Labels& alert);

class Eyesight {
 public:
  explicit Eyesight(std::vector<source::TargetStatus> targets);

  // Why the disappearance of an alert with these labels proves nothing: a target is down that the
  // alert may be about, and that has metrics the rule draws from. One that speaks for others, as a
  // federated Prometheus does, may be about anything. Of a target that was never seen everything
  // must be expected. The same goes for the targets of a job that has lost them all; what is
  // written of a target that is down (`up`) is no more of one that is gone.
  std::optional<alert::Obstacle> why_blind(const Sources& sources, const Labels& alert) const;

 private:
  std::vector<source::TargetStatus> unseen_;
};

}  // namespace tocsin::daemon
