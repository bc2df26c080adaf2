// SPDX-License-Identifier: Apache-2.0
//
// AlertTracker turns the results of one alerting rule, evaluation after evaluation, into the life
// of its alerts: pending, firing, resolved. It is a state machine and nothing else: it reads no
// clock, sends nothing, and knows neither the store nor the notifier. Its rules are Prometheus'
// (rules/alerting.go), with the differences that are marked here.
//
// Not thread-safe. The daemon keeps every tracker on the loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/labels.h"
#include "tocsin/promql.h"
#include "tocsin/rule_set.h"

namespace tocsin::alert {

enum class State { Inactive, Pending, Firing };
std::string_view name_of(State state);  // "inactive", "pending", "firing": the API's words.

// What keeps an alert from being seen: a name that stays the same while it lasts ("target
// http://10.0.0.1:4191/metrics", "rule golden-signals/SuccessRateLow", "restart"), and a sentence.
struct Obstacle {
  std::string cause;
  std::string reason;
};

// Why an alert cannot be seen at the moment; it is neither confirmed nor over.
struct Blindness {
  Timestamp since;
  Obstacle obstacle;
  // When it was last so. Windows need some time to fill again: until then absence proves nothing.
  Timestamp last{};
};

inline constexpr std::size_t kMostValues = 24;

struct Alert {
  Labels labels;  // Its identity.
  std::map<std::string, std::string> annotations;
  State state = State::Pending;  // Inactive once it is resolved.
  double value = 0;              // As last seen.
  std::vector<double> values;    // The last ones, the newest at the end; at most kMostValues.
  Timestamp active_at{};         // When it became pending.
  // A pending alert that fired before, a moment ago, has these of then.
  std::optional<Timestamp> fired_at;
  std::optional<Timestamp> resolved_at;
  std::optional<Timestamp> keep_firing_since;
  std::optional<Timestamp> last_sent_at;
  std::optional<Blindness> blind;
  // Since when it comes and goes faster than anybody can follow; while it does, it fires.
  std::optional<Timestamp> flapping_since;
  // Whether its series was there, the newest in bit 0: what flapping is told from. A look is taken
  // every `for` and `keep_firing_for`, since the alert cannot change faster.
  std::uint32_t looks = 0;
  Timestamp last_look{};
  bool is_news = false;  // Something happened to it that receivers have yet to hear of.
};

// One change of state, as the log, the history and the notifier see it.
struct Transition {
  State from = State::Inactive;
  State to = State::Inactive;
  Alert alert;
};

// What a rule's templates and evidence may ask of the world around it.
struct Surroundings {
  std::map<std::string, std::string> external_labels;
  std::string external_url;
  std::function<Result<promql::Vector>(std::string_view expr)> query;
  // Why the disappearance of an alert's series may not mean that it is over (its target cannot be
  // scraped); nothing when it does mean that. Null: always believe it.
  std::function<std::optional<Obstacle>(const Labels& labels)> why_blind;
};

class AlertTracker {
 public:
  // `limit` is the group's: with so many alerts active no more begin, 0 for any number.
  AlertTracker(const rule::Rule& rule, std::size_t limit);
  ~AlertTracker();
  AlertTracker(AlertTracker&&) noexcept;
  AlertTracker& operator=(AlertTracker&&) noexcept;

  // Applies the result of evaluating the rule at `at` and returns what changed. Fails with
  // Execution, and changes nothing, if two elements get the same labels from the rule. `at` must
  // not go back from one call to the next.
  //
  // Differs from Prometheus: of new elements beyond `limit`, the first are alerts, as many as there
  // is room for beside those that are active, and one more says how many are held back; Prometheus
  // drops them all. An element that disappears while its target cannot be seen leaves its alert as
  // it is.
  Result<std::vector<Transition>> observe(Timestamp at, const promql::Vector& result,
                                          const Surroundings& around);

  // The rule could not be evaluated. Differs from Prometheus: its active alerts stay, are sent on,
  // and say why nobody can tell.
  void observe_failure(Timestamp at, const Obstacle& obstacle);

  // The alerts to send at `at`, firing and resolved, marked as sent: new ones, changed ones, and
  // those that were sent longer than `resend_delay` ago.
  std::vector<Alert> take_due(Timestamp at, Duration resend_delay);

  // Takes over the alerts of the same rule as it was before a reload.
  void adopt(AlertTracker&& before);

  // Goes on with the alerts of the process before. Nothing was seen since: for as long as the rule
  // looks back, the absence of a series proves nothing.
  void restore(std::vector<Alert> alerts, Timestamp at);

  // The clock was set by `step`, to `at`, or nobody has looked for so long because the machine
  // slept. That counts towards no `for` and no `keep_firing_for`; and samples are so much older now
  // that, as after a restart, the absence of a series proves nothing for a while.
  void note_clock_step(Duration step, Timestamp at);

  // What became different since the last call, for whoever keeps it beyond the process.
  struct Unsaved {
    std::vector<Alert> changed;
    std::vector<Labels> gone;
  };
  Unsaved take_unsaved();
  // Nothing counts as saved any more.
  void forget_records() { saved_.clear(); }

  // Resolves everything that is active, because the rule is gone.
  std::vector<Transition> retire(Timestamp at);
  // Has no alerts any more: what was to be sent has been taken.
  void forget() { alerts_.clear(); }

  // Firing if any alert is, else pending if any is.
  State state() const;
  // Pending and firing ones, and those resolved within the last 15 minutes: a receiver that was
  // away must still learn that they ended. By labels.
  const std::map<Labels, Alert>& alerts() const { return alerts_; }
  // Elements beyond the limit at the last evaluation.
  std::size_t held_back() const { return held_back_; }

  // ALERTS and ALERTS_FOR_STATE as of `at`, for the store.
  promql::Vector series(Timestamp at) const;

 private:
  struct Templates;
  struct Candidate;

  Result<std::vector<Candidate>> candidates(Timestamp at, const promql::Vector& result,
                                            const Surroundings& around) const;
  void hold_back(Timestamp at, std::vector<Candidate>& candidates, const Surroundings& around);
  bool is_active(const Labels& labels) const;
  static std::set<Labels> labels_of(const std::vector<Candidate>& candidates);
  void apply_present(Timestamp at, std::vector<Candidate>& present,
                     std::vector<Transition>& changes);
  void apply_absent(Timestamp at, const std::set<Labels>& present, const Surroundings& around,
                    std::vector<Transition>& changes);
  static Transition end(Timestamp at, Alert& alert);
  void fire_when_due(Timestamp at, std::vector<Transition>& changes);
  void forget_old(Timestamp at);
  Labels limit_labels() const;
  Candidate limit_candidate() const;
  bool keeps_firing(Timestamp at, Alert& alert) const;
  bool stays_blind(Timestamp at, Alert& alert, const Surroundings& around) const;
  bool outlasts_absence(Timestamp at, Alert& alert, const Surroundings& around) const;
  void look_for_flapping(Timestamp at, const std::set<Labels>& present);

  rule::Rule rule_;
  std::size_t limit_;
  Duration window_;       // How far back the rule looks.
  bool ends_when_blind_;  // The annotation tocsin_when_blind: resolve, for a heartbeat.
  std::optional<Timestamp> sees_since_;  // A restart, or a step of the clock. Null: always.
  std::unique_ptr<const Templates> templates_;
  std::map<Labels, Alert> alerts_;
  std::map<Labels, Alert> saved_;  // As of the last take_unsaved().
  std::size_t held_back_ = 0;
};

// The moment until which a receiver may believe a firing alert without hearing of it again:
// Prometheus' four times the longer of evaluation interval and resend delay.
Timestamp valid_until(Timestamp at, Duration interval, Duration resend_delay);

}  // namespace tocsin::alert
