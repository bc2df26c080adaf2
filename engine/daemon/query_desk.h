// SPDX-License-Identifier: Apache-2.0
//
// QueryDesk answers the queries that do not come from rules: the API's and those of templates. Over
// the store it works on a worker; with a remote Prometheus it passes them on.
//
// Loop thread only; answers come back on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "net/executor.h"
#include "source/remote_query.h"
#include "tocsin/clock.h"
#include "tocsin/store.h"

namespace tocsin::daemon {

class QueryDesk {
 public:
  QueryDesk(const store::Store& store, const Clock& clock, net::Executor& workers,
            net::Executor& loop)
      : store_(store), clock_(clock), workers_(workers), loop_(loop) {}

  // Passes queries on to `remote` from now on; null: answers them itself. Not owned.
  void pass_on_to(source::RemoteQuery* remote) { remote_ = remote; }

  // A query whose time is up, or that nobody waits for any more, ends with Canceled.
  void answer(const api::QueryRequest& request, api::QueryCallback done);
  void find_series(const std::vector<std::string>& selectors, api::SeriesCallback done);

  // For templates: in this thread, at once.
  // Differs from Prometheus: with a remote Prometheus, templates cannot query.
  Result<promql::Vector> answer_now(std::string_view expr, Timestamp at) const;

 private:
  Result<promql::Answer> evaluate(const api::QueryRequest& request) const;
  Result<std::vector<Labels>> select(const std::vector<std::string>& selectors) const;

  const store::Store& store_;
  const Clock& clock_;
  net::Executor& workers_;
  net::Executor& loop_;
  source::RemoteQuery* remote_ = nullptr;
};

}  // namespace tocsin::daemon
