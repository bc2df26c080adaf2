// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the page have in common: the snapshot, counted and sorted once, and how moments
// and lengths of time read. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/snapshot.h"
#include "base/counted.h"

namespace tocsin::api {

// Alerts that fire and are shown whole.
inline constexpr std::size_t kMostCards = 20;

struct ActiveAlert {
  const GroupStatus* group;
  const RuleStatus* rule;
  const alert::Alert* alert;
};

// How a severity looks; unknown ones look like a warning.
enum class Tone { Critical, Warning, Info };
Tone tone_of(const alert::Alert& alert);

struct TargetCount {
  std::size_t up = 0;
  std::size_t down = 0;
  std::size_t unknown = 0;

  std::size_t all() const { return up + down + unknown; }
};

// Points into the snapshot, which must outlive it.
struct PageView {
  explicit PageView(const Snapshot& snapshot);

  const Snapshot& snapshot;
  std::vector<ActiveAlert> firing;   // The worst first, of equal ones the newest.
  std::vector<ActiveAlert> pending;  // The one that fires next first.
  std::size_t heartbeats = 0;        // Firing with the severity `none`: they wake nobody.
  std::vector<const source::TargetStatus*> down;
  std::map<std::string, TargetCount> jobs;
  TargetCount targets;
  std::size_t rules = 0;
  std::size_t failing_rules = 0;
  std::size_t blind = 0;
  std::size_t held_back = 0;
  std::optional<Timestamp> last_evaluation;

  // Whether something keeps Tocsin from seeing or telling, so that silence proves nothing.
  bool impaired() const;

 private:
  void add_group(const GroupStatus& group);
  void add_target(const source::TargetStatus& target);
};

// Since when an alert is what it is.
Timestamp since(const alert::Alert& alert);

// "12m 4s", "moments" for less than a second.
std::string length_text(Duration length);
// "12m 4s ago", "never".
std::string ago(const std::optional<Timestamp>& at, Timestamp now);
// "17:30:01 UTC", with the date on another day.
std::string clock_text(Timestamp at, Timestamp now);
// "0.8 ms", "1.25 s"
std::string took(double seconds);
// A commit as people write it: twelve digits of a hash, anything else whole.
std::string_view short_revision(std::string_view revision);

}  // namespace tocsin::api
