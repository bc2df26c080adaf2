// SPDX-License-Identifier: Apache-2.0
//
// QueryDesk answers the queries that do not come from rules: the API's and those of templates. Over
// the store it works on a worker; with a remote Prometheus it asks that for all it can, as rules do
// (daemon/evaluator.h).
//
// Loop thread only; answers come back on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "daemon/evaluator.h"
#include "daemon/plan_shelf.h"
#include "daemon/query_gate.h"
#include "daemon/remote_parts.h"
#include "net/executor.h"
#include "promql/split.h"
#include "source/remote_query.h"
#include "tocsin/clock.h"
#include "tocsin/store.h"

namespace tocsin::daemon {

class QueryDesk {
 public:
  // `clock` and `scheduler` are asked for the limits in time; all must outlive the desk.
  QueryDesk(const EvaluationParts& parts, const Clock& clock, Scheduler& scheduler)
      : parts_(parts), clock_(clock), gate_(scheduler) {}

  // From now on, asks `remote` for what is not one of `local_names`; null: everything is here. Not
  // owned.
  void share_with(source::RemoteQuery* remote, LocalNames local_names);

  // Fails with Timeout when its time is up, with Canceled when nobody waits for it any more.
  void answer(const api::QueryRequest& request, api::QueryCallback done);

  // For Tocsin itself: waits for nobody's turn, and for a remote Prometheus no longer than rules
  // do.
  void ask(std::string expr, Timestamp at, api::QueryCallback done);

  // Here and, where there is one, at the remote Prometheus.
  void find_series(const api::SeriesRequest& request, api::SeriesCallback done);
  void find_label_names(const api::SeriesRequest& request, api::TextsCallback done);
  void find_label_values(const std::string& label, const api::SeriesRequest& request,
                         api::TextsCallback done);

  // For templates: in this thread, at once.
  // Differs from Prometheus: with a remote Prometheus, templates cannot query.
  Result<promql::Vector> answer_now(std::string_view expr, Timestamp at) const;

 private:
  // A query on its way.
  struct Job {
    api::QueryRequest request;
    std::chrono::nanoseconds deadline;  // As Clock::ticks().
    api::QueryCallback done;
  };

  void start(Job job);
  void answer_here(Job job);
  void pass_on(Job job);
  void answer_shared(Job job, promql::Split split);
  Result<promql::Answer> evaluate(const api::QueryRequest& request,
                                  std::chrono::nanoseconds deadline) const;
  Result<promql::Answer> evaluate_shared(const api::QueryRequest& request,
                                         std::chrono::nanoseconds deadline,
                                         const promql::Split& split, FetchedParts fetched) const;

  const EvaluationParts parts_;
  const Clock& clock_;
  mutable PlanShelf plans_;
  QueryGate gate_;
  source::RemoteQuery* remote_ = nullptr;
  LocalNames local_names_;
};

}  // namespace tocsin::daemon
