// SPDX-License-Identifier: Apache-2.0
//
// GroupRunner evaluates one rule group, again and again, at its slots: the moments that lie the
// group's own offset after the multiples of its interval, so that groups spread over time and a
// restart keeps the phase. Rules run in order, each seeing what the ones before wrote. An
// evaluation is stamped with its slot, however late it runs; slots that pass while one is still
// running are missed, counted, and said in the log. Quick rules that read no alerts of one another
// are evaluated in one go, for a few milliseconds at most; so the groups take turns with the
// workers, and none waits for all the rules of another.
//
// Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alert/rule_life.h"
#include "api/backend.h"
#include "daemon/evaluator.h"
#include "daemon/foresight.h"
#include "daemon/series_writer.h"
#include "state/change.h"
#include "tocsin/alert.h"
#include "tocsin/clock.h"
#include "tocsin/rule_set.h"

namespace tocsin::daemon {

// What every group works with. All must outlive the runner.
struct GroupParts {
  const Clock& clock;
  Scheduler& scheduler;
  Evaluator& evaluator;
  SeriesWriter& writer;
  // Asked anew for each rule: targets come and go.
  std::function<alert::Surroundings(const rule::Rule& rule, Timestamp at)> surroundings;
  // Told of every rule's changes and of the alerts that are due.
  std::function<void(const rule::Rule& rule, const std::vector<alert::Transition>& changes)>
      on_transitions;
  std::function<void(const rule::Rule& rule, Timestamp at, Duration interval,
                     const std::vector<alert::Alert>& due)>
      on_due;
  // Told, after on_due, of what must outlive the process. May be null.
  std::function<void(const rule::Rule& rule, const alert::AlertTracker::Unsaved& unsaved)>
      on_unsaved;
  // Told of what a recording rule wrote, if other rules look at its past. May be null.
  std::function<void(Timestamp at, const promql::Vector& series)> on_recorded;
  // Called with the rules that have alerts, after they were evaluated at `at` and before that
  // counts: finds out what could not be seen, then calls `then`. May be null.
  using Rules = std::vector<std::shared_ptr<const rule::Rule>>;
  std::function<void(const Rules& rules, Timestamp at, std::function<void()> then)> look_around;
  Foresight* foresight = nullptr;  // May be null.
};

struct GroupTiming {
  Duration interval;
  Duration query_offset;
  Duration resend_delay;

  bool operator==(const GroupTiming&) const = default;
};

class GroupRunner : public std::enable_shared_from_this<GroupRunner> {
 public:
  GroupRunner(GroupParts parts, rule::Group group, GroupTiming timing);
  ~GroupRunner();
  GroupRunner(const GroupRunner&) = delete;
  GroupRunner& operator=(const GroupRunner&) = delete;

  // The first evaluation is at the next slot, but no later than an interval after the last one of
  // the runner that was adopted: reloads, however many, hold up no rule.
  void start();
  // No evaluation after this; one that runs finds nobody to tell.
  void stop();

  // Takes over the alerts of the rules that `same` says are the same, as far as they have none.
  using SameRule = bool (*)(const rule::Rule& mine, const rule::Rule& theirs);
  void adopt(GroupRunner& before, SameRule same);
  // Takes the alerts of this group's rules out of `saved`, those of rules that `is_of` names. What
  // is due is sent at once: a process that never lives to its first evaluation must not let
  // receivers believe that an alert has ended.
  using IsOf = bool (*)(const state::SavedAlert& saved, const rule::Rule& rule);
  void restore(std::vector<state::SavedAlert>& saved, IsOf is_of, Timestamp at);
  // Writes the recordings of this group's rules into the store, as they were written before.
  void restore(const std::vector<state::RecordedSample>& samples);
  // See AlertTracker; what changes is saved at once.
  void note_clock_step(Duration step, Timestamp at);
  // Resolves what is still active, because the rules are gone, and hands it to on_due.
  void retire(Timestamp at);

  const rule::Group& group() const { return group_; }
  const GroupTiming& timing() const { return timing_; }
  // Whether it was, lately.
  bool is_evaluated(Timestamp now) const;
  api::GroupStatus status() const;

 private:
  using Outcome = Result<alert::RuleLife::Outcome>;
  struct RuleState {
    std::shared_ptr<alert::RuleLife> life;
    std::unique_ptr<PreparedExpr> expr;
    SeriesWriter::Handle series;  // What it writes: a recording, or ALERTS.
    // What came of a recording's evaluation; the worker's until that ends. Null: an alerting rule.
    std::shared_ptr<Outcome> recorded;
    bool is_looked_back_at = false;  // Other rules need more of it than the present.
    // The rules from this one to there, without it, read no alerts of any of them.
    std::size_t together_until = 0;
    api::RuleHealth health = api::RuleHealth::Unknown;
    std::string last_error;
    double seconds = 0;
    std::optional<Timestamp> last_evaluation;
    std::size_t elements = 0;
  };

  void schedule(Timestamp slot);
  void run(Timestamp slot);
  void run_rules(std::size_t first, Timestamp slot, std::function<void()> before);
  Evaluator::Step step_of(const RuleState& state, Timestamp slot) const;
  void look_around(std::size_t first, Timestamp slot, Evaluator::Answers answers);
  void take_answers(std::size_t first, Timestamp slot, Evaluator::Answers answers);
  std::optional<promql::Vector> take_answer(RuleState& state, Timestamp slot,
                                            const Evaluator::Timed& timed);
  void note_failure(RuleState& state, const std::string& error);
  void send_due(RuleState& state, Timestamp at);
  void send_unseen(RuleState& state, Timestamp at);
  void send(RuleState& state, Timestamp at, const std::vector<alert::Alert>& due);
  void save(RuleState& state);
  void move_records(RuleState& state, const std::string& old_id);
  void finish(Timestamp slot);
  void note_pace(bool is_behind);

  const GroupParts parts_;
  const rule::Group group_;
  const GroupTiming timing_;
  std::vector<RuleState> rules_;
  std::shared_ptr<Foresight::Group> foresight_;  // Null: nobody has any.
  bool stopped_ = false;
  Scheduler::TaskId task_ = 0;  // The next run; 0: it is evaluating, or was never started.
  std::chrono::nanoseconds began_{0};
  double last_seconds_ = 0;
  std::optional<Timestamp> last_evaluation_;
  std::optional<Timestamp> last_slot_;  // That was evaluated whole, by this one or an adopted one.
  std::uint64_t iterations_ = 0;
  std::uint64_t missed_ = 0;
  bool is_behind_ = false;  // The last evaluation missed slots.
  std::uint64_t failures_ = 0;
};

}  // namespace tocsin::daemon
