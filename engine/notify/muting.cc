// SPDX-License-Identifier: Apache-2.0
#include "notify/muting.h"

#include <algorithm>

namespace tocsin::notify {

std::string_view name_of(MuteReason reason) {
  static constexpr std::string_view kNames[] = {"silence", "inhibition", "time_interval"};
  return kNames[static_cast<std::size_t>(reason)];
}

void Muting::use(const NotifyConfig& config) {
  inhibitor.use(config.inhibit_rules);
  intervals_ = config.time_intervals;
}

bool Muting::is_used(Timestamp now) const {
  return inhibitor.has_rules() || !intervals_.empty() || silences.any_active(now);
}

bool Muting::holds(const std::string& name, Timestamp now) const {
  const auto it = intervals_.find(name);
  return it != intervals_.end() &&
         std::any_of(it->second.begin(), it->second.end(),
                     [now](const TimeInterval& interval) { return interval.contains(now); });
}

std::optional<std::string> Muting::muted_route(const RouteConfig& route, Timestamp now) const {
  for (const std::string& name : route.mute_time_intervals) {
    if (holds(name, now)) return "in " + name;
  }
  const auto& active = route.active_time_intervals;
  const auto is_active = [&](const std::string& name) { return holds(name, now); };
  if (active.empty() || std::any_of(active.begin(), active.end(), is_active)) return std::nullopt;
  return "outside " + active.front();
}

std::optional<Mute> Muting::mute_of(const Labels& labels, Timestamp now) const {
  if (const Silence* silence = silences.silence_for(labels, now)) {
    return Mute{MuteReason::Silence, "by " + silence->created_by + ": " + silence->comment,
                silence->ends_at, silence->id};
  }
  if (const auto source = inhibitor.source_for(labels, now)) {
    return Mute{MuteReason::Inhibition, "while " + source->text() + " fires", {}, {}};
  }
  return std::nullopt;
}

std::optional<MuteReason> Muting::reason_of(const Labels& labels, Timestamp now) const {
  if (silences.silence_for(labels, now)) return MuteReason::Silence;
  if (inhibitor.source_for(labels, now)) return MuteReason::Inhibition;
  return std::nullopt;
}

}  // namespace tocsin::notify
