// SPDX-License-Identifier: Apache-2.0
//
// The golden metrics of a mesh as a table in the columns of `linkerd viz stat`: which expressions
// to ask, and the table that the answers make. Success rates, latencies and request counts are
// those of the mesh conditions, so the table shows the very numbers that rules are compared with.
// Pure; whoever calls asks the queries.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/promql.h"

namespace tocsin::api {

// Workloads and pods as their own proxies saw them; services and routes as their callers did.
// Captured pages of `linkerd diagnostics proxy-metrics` know of no workload, only of pods.
enum class StatResource { Workload, Pod, Service, Route };

struct StatOptions {
  StatResource resource = StatResource::Workload;
  // 0: since the proxies started, which is all that a single page can tell. The table then has the
  // number of requests in place of their rate.
  Duration window = std::chrono::minutes(1);
  // Label to anchored RE2 expression, as in a condition's `where`. Without a namespace, Linkerd's
  // own are left out.
  std::map<std::string, std::string> where;
};

enum class StatColumn { SuccessRate, Requests, P50, P95, P99, Connections };

struct StatQuery {
  StatColumn column;
  std::string expr;
};

// To be asked as instant queries, each for the same moment.
std::vector<StatQuery> stat_queries(const StatOptions& options);

// One answer for each query, in their order; an element's labels say whose value it is. Rows are
// sorted by namespace and name; "-" stands where nothing is known. Ends in a line break.
std::string stat_table(const StatOptions& options, const std::vector<StatQuery>& queries,
                       const std::vector<promql::Vector>& answers);

}  // namespace tocsin::api
