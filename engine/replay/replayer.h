// SPDX-License-Identifier: Apache-2.0
//
// Replayer lets rules live through the past: samples come in as they came in then, every group is
// evaluated at its slots, alerts become pending, fire and end as in the daemon, and receivers are
// told what the daemon would have told them. Time is what the history says.
//
// Where nothing hinders, a rule is evaluated over many slots at once, several rules in parallel
// (stages.h says what hinders); its life then goes through the slots one by one. The result is that
// of an evaluation slot by slot.
#pragma once

#include <functional>
#include <optional>

#include "daemon/rule_engine.h"
#include "notify/notification.h"
#include "replay/history.h"
#include "replay/outcome.h"

namespace tocsin::replay {

struct ReplayOptions {
  std::optional<Timestamp> from;  // Default: as far back as the history goes.
  std::optional<Timestamp> to;
  daemon::EngineDefaults defaults;
  std::map<std::string, std::string> external_labels;
  std::string external_url;
  notify::NotifyConfig notify;
  std::size_t threads = 2;
  // Told now and then how far it is, from 0 to 1. May be null.
  std::function<void(double done)> on_progress;
};

// Fails with InvalidArgument when there is nothing between `from` and `to`, and with what the
// history fails with.
Result<Outcome> replay(const rule::RuleSet& rules, History& history, const ReplayOptions& options);

}  // namespace tocsin::replay
