// SPDX-License-Identifier: Apache-2.0
//
// RuleReplay is one rule as a replay goes on: its answers over a stretch of slots, and its life
// (alert/rule_life.h, the very one of the daemon) fed with them one by one.
//
// answer() on any one thread, many rules at a time; everything else on one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "alert/rule_life.h"
#include "replay/recording.h"
#include "tocsin/store.h"

namespace tocsin::replay {

struct RuleTiming {
  Duration query_offset{0};
  Duration interval{0};
  Duration resend_delay{0};
};

// What came of one slot.
struct SlotOutcome {
  Timestamp at;
  std::vector<alert::Transition> changes;
  std::vector<alert::Alert> due;  // To be sent.
};

class RuleReplay {
 public:
  // `shared` is where rules that are answered at the same slots have what they have in common.
  RuleReplay(const rule::Rule& rule, std::size_t limit, RuleTiming timing, store::Store& store,
             Duration history, std::shared_ptr<promql::SharedSteps> shared);

  const rule::Rule& rule() const { return *life_.rule(); }
  const RuleTiming& timing() const { return timing_; }
  const alert::AlertTracker* tracker() const { return life_.tracker(); }
  bool has_alerts() const { return life_.tracker() && !life_.tracker()->alerts().empty(); }

  // Evaluates the rule at all of the slots, which are an interval apart; the answers wait for
  // take(). Reads the store.
  void answer(std::span<const Timestamp> slots);
  // How long the last answer() took.
  std::chrono::nanoseconds answering_took() const { return answering_took_; }
  // Whether it found anything, or may find something.
  bool has_answers() const { return !answers_.empty() || each_alone_; }
  // take() evaluates each slot when it comes.
  void answer_slot_by_slot();

  // Passes the answer for the slot on to the rule's life and writes what the rule writes. Slots
  // come in order. Nothing where nothing is and nothing was.
  using Surroundings = std::function<alert::Surroundings(const rule::Rule&, Timestamp)>;
  std::optional<SlotOutcome> take(Timestamp slot, const Surroundings& surroundings);

  // The process was replaced by another: alerts live on.
  void restart(Timestamp at);

  std::size_t failures() const { return failures_; }
  const std::string& last_failure() const { return last_failure_; }

 private:
  void answer_all(std::span<const Timestamp> slots);
  Result<promql::Answer> answer_at(Timestamp slot);
  // Calls `use(series, sample)` with what the answers have at that instant. Instants come in order.
  template <class Use>
  void answers_at(Timestamp at, Use use);
  bool has_nothing() const {
    return answers_.empty() && !each_alone_ && !is_written_ && !has_alerts();
  }
  Recording* recording() { return recording_ && !each_alone_ ? &*recording_ : nullptr; }
  void record(Timestamp at);
  void write(Timestamp at, const promql::Vector& series);

  const std::size_t limit_;
  const RuleTiming timing_;
  store::Store& store_;
  const store::BlockId block_;
  alert::RuleLife life_;
  promql::Query query_;
  promql::Matrix answers_;
  // Of each series of answers_, the sample that has not been taken.
  std::vector<std::size_t> next_;
  std::optional<Recording> recording_;  // Of answers_, where they need no life.
  bool each_alone_ = false;             // take() has to ask for each slot.
  bool is_written_ = false;             // The last slot wrote something.
  std::vector<store::SeriesId> ids_;
  std::vector<double> values_;
  std::size_t failures_ = 0;
  std::string last_failure_;
  std::chrono::nanoseconds answering_took_{0};
};

}  // namespace tocsin::replay
