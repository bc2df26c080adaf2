// SPDX-License-Identifier: Apache-2.0
//
// Witness knows which of its targets a Prometheus cannot see: one that is federated, that writes
// here, or that is asked for its series. Such a Prometheus answers as ever when it has lost what it
// scrapes, and what it no longer has looks as if it were over. So before an alert counts as over,
// its own `up` is asked, about the same instant: which targets are down, and of which jobs there is
// nothing new.
//
// What is about whom is told from `namespace` and the labels that Eyesight compares; a job whose
// series are in namespaces where none of its targets is (kube-state-metrics) speaks for others. A
// Prometheus that has no `up` is believed, as long as it has anything that the rule reads. A single
// target that vanishes counts as taken out of its discovery; a whole job only after an hour.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/evaluator.h"
#include "daemon/rule_sources.h"
#include "source/target.h"
#include "tocsin/alert.h"
#include "tocsin/clock.h"
#include "tocsin/promql.h"

namespace tocsin::daemon {

// Where the series are. Each calls `done` once.
struct Testimony {
  std::function<void(const std::string& expr, Timestamp at,
                     std::function<void(Result<promql::Answer>)> done)>
      query;
  // The values of a label among the series that match any of the selectors, lately.
  std::function<void(const std::string& label, const std::vector<std::string>& selectors,
                     Timestamp at, std::function<void(Result<std::set<std::string>>)> done)>
      label_values;
};

// A rule whose alerts may be over.
struct Reader {
  std::string rule_id;
  Sources sources;
};

class Witness {
 public:
  explicit Witness(Testimony testimony) : testimony_(std::move(testimony)) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // What a Prometheus has no part in: series that are made here, and jobs that are scraped here.
  void leave_out(LocalNames local_names, std::set<std::string> own_jobs);

  // The jobs that a Prometheus has, or had lately, as of `now`: for the next process, which is to
  // remember them at its start.
  source::JobsSeen jobs_seen(Timestamp now) const;
  void remember(const source::JobsSeen& jobs, Timestamp now);
  // The clock was set by so much: what was seen was seen as long ago as before.
  void note_clock_step(Duration step);

  // Finds out what could not be seen at `at`, then calls `then`; at once, if none of the rules
  // reads what a Prometheus has. `at` is the readers' instant of evaluation, which is over.
  void look(std::vector<Reader> readers, Timestamp at, std::function<void()> then);

  // By the last look, from within its `then`: why the disappearance of the rule's alert with these
  // labels proves nothing.
  std::optional<alert::Obstacle> why_blind(const Reader& reader, const Labels& alert) const;

 private:
  // What a job's `up` says at one instant.
  struct JobSight {
    double newest = 0;   // Seconds since the epoch.
    double samples = 0;  // Of its best target in the last minutes.
    std::vector<Labels> down;
  };
  using Sights = std::map<std::string, JobSight>;  // By job.

  // Jobs that are there, or were.
  struct Job {
    Timestamp last_seen;
    std::set<std::string> namespaces;  // Of its targets, ever.
    bool speaks_for_others = true;     // Until it is known.
    std::optional<Timestamp> asked;
  };

  // Where the series that a rule reads have come from.
  struct Origin {
    std::set<std::string> jobs;
    bool has_series = false;
    std::optional<Timestamp> asked;
  };

  struct Trouble {
    std::string job;
    std::vector<Labels> down;  // Empty: the whole job.
    std::string reason;
  };

  struct Look;
  using LookPtr = std::shared_ptr<Look>;

  bool reads_elsewhere(const Sources& sources) const;
  std::vector<std::string> selectors_of(const Sources& sources) const;
  void finish_one(const LookPtr& look);
  void ask_up(const LookPtr& look);
  void ask_query(const LookPtr& look, const std::string& expr,
                 std::function<void(const promql::Vector&)> take);
  void take_down(Look& look, const promql::Vector& down);
  void take_newest(Look& look, const promql::Vector& newest);
  void ask_origins(const LookPtr& look);
  void ask_series(const LookPtr& look, const Reader& reader);
  void ask_namespaces(const LookPtr& look);
  void conclude(const LookPtr& look);
  std::optional<Trouble> trouble_of(const std::string& job, const JobSight& sight,
                                    Timestamp at) const;
  bool may_feed(const Trouble& trouble, const Reader& reader) const;
  bool concerns(const Trouble& trouble, const Labels& alert) const;

  const Testimony testimony_;
  LocalNames local_names_;
  std::set<std::string> own_jobs_;
  std::map<std::string, Job> jobs_;
  std::map<std::string, Origin> origins_;  // By rule.
  // Of the last look:
  std::vector<Trouble> troubles_;
  bool has_up_ = false;  // There are targets, whosever.
  std::string error_;    // Nobody could say.
};

}  // namespace tocsin::daemon
