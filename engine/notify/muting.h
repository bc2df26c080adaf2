// SPDX-License-Identifier: Apache-2.0
//
// Muting knows who is not to be told, and why: silences, inhibition and the time intervals of
// routes. It concerns the receivers that Tocsin serves itself; an Alertmanager is sent everything
// and decides with its own.
//
// Loop thread only.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "notify/inhibitor.h"
#include "notify/notification.h"
#include "notify/silence.h"

namespace tocsin::notify {

enum class MuteReason { Silence, Inhibition, TimeInterval };
inline constexpr std::size_t kMuteReasons = 3;
std::string_view name_of(MuteReason reason);  // "silence", "inhibition", "time_interval"

// Alerts that a group's flush has left out, by reason.
using MuteCounts = std::array<std::uint64_t, kMuteReasons>;

struct Mute {
  MuteReason reason = MuteReason::Silence;
  // Of a silence: who and why. Of inhibition: the alert that fires. Else: the interval.
  std::string text;
  std::optional<Timestamp> until;  // Of a silence.
  std::string silence_id;
};

class Muting {
 public:
  void use(const NotifyConfig& config);

  Inhibitor inhibitor;
  SilenceBook silences;

  // Whether anything could ever be muted.
  bool is_used(Timestamp now) const;

  // The interval that mutes the route now; nothing where it may speak.
  std::optional<std::string> muted_route(const RouteConfig& route, Timestamp now) const;
  // Why nobody is told of the alert now, leaving routes aside.
  std::optional<Mute> mute_of(const Labels& labels, Timestamp now) const;
  std::optional<MuteReason> reason_of(const Labels& labels, Timestamp now) const;

 private:
  bool holds(const std::string& name, Timestamp now) const;

  TimeIntervals intervals_;
};

}  // namespace tocsin::notify
