// SPDX-License-Identifier: Apache-2.0
//
// Success rate and latency: what became of requests.
//
// Each generation of metrics is one complete answer (rate and number of requests), and the first
// generation that has moved for a thing answers for it; so nothing is counted twice, and failures
// and requests always come from the same series.
#include <algorithm>

#include "rule/compile.h"
#include "rule/notation.h"

namespace tocsin::rule {
namespace {

// gRPC calls to a Service without a GRPCRoute are counted by the default HTTP route, which sees
// "200" in every one of them. Their failures are known to the endpoint metrics only.
std::string hidden_grpc_failures(const Condition& c, const View& view, const Source& routes) {
  const Family& endpoints = family(FamilyId::Outbound);
  const std::optional<std::string> where = where_matchers(endpoints, c.where);
  if (!where) return {};
  std::vector<std::string> labels;
  for (const std::string& label : view.labels) {
    // The workloads that answered: the route metrics cannot tell them apart.
    if (std::find(view.same_thing.begin(), view.same_thing.end(), label) != view.same_thing.end()) {
      labels.push_back(label);
    }
  }
  const Sum sum(endpoints, labels,
                R"(status_code="200",grpc_status!="",dst_service!="",)" + *where);
  std::string rows = sum.rows(endpoints.failures, "increase", c.over);
  const Metric grpc_totals = routes.family->totals.back();
  rows += " unless on (" + comma_list(view.same_thing) + ") " +
          routes.sum.of({grpc_totals}, "increase", c.over) + " > 0";
  if (c.by != By::Route) return rows;
  return "label_replace(" + rows + R"(, "route", "http", "", ""))";
}

std::string failures_of(const Condition& c, const View& view, const Source& source) {
  const Family& f = *source.family;
  if (f.id != FamilyId::OutboundRoute) return source.sum.of(f.failures, "increase", c.over);
  std::string rows = source.sum.rows(f.failures, "increase", c.over);
  const std::string hidden = hidden_grpc_failures(c, view, source);
  if (!hidden.empty()) rows += " or (" + hidden + ")";
  return sum_by(source.sum.labels(), rows);
}

// A histogram that ends at 10 s and has four bounds is exact on a bound and a guess between two.
bool is_route_bound(double seconds) {
  return seconds == 0.05 || seconds == 0.5 || seconds == 1 || seconds == 10;
}

std::string quantile_of(const Condition& c, const Source& source) {
  const Family& f = *source.family;
  const Sum buckets = source.sum.with_label("le");
  std::string out = "histogram_quantile(" + number_text(c.quantile) + ", " +
                    buckets.of(f.buckets, "rate", c.over) + ")";
  if (f.bucket_seconds != 1) out += " / " + number_text(1 / f.bucket_seconds);
  return out;
}

std::string with_floor(const std::string& expr, const std::string& requests, const Condition& c) {
  const double floor = request_floor(c);
  if (floor <= 0) return expr;
  return expr + " and (" + requests + ") >= " + number_text(floor);
}

}  // namespace

Compiled compile_success_rate(const Condition& c) {
  const View view = view_of(c.by, c.side);
  std::vector<std::string> rates;
  std::vector<std::string> counts;
  const std::vector<Source> sources = sources_of(c, view);
  for (const Source& source : sources) {
    const std::string total = source.sum.of(source.family->totals, "increase", c.over);
    const std::string failed = failures_of(c, view, source);
    // Where nothing has failed there may be no series of failures at all.
    rates.push_back("1 - (" + failed + " or 0 * " + total + ") / (" + total + " > 0)");
    counts.push_back(sources.size() == 1 ? total : total + " > 0");
  }
  Compiled out;
  out.labels = view.labels;
  out.value = prefer(rates, view);
  out.requests = prefer(counts, view);
  out.expr = with_floor(compared(out.value, c), out.requests, c);
  return out;
}

Compiled compile_latency(const Condition& c) {
  const View view = view_of(c.by, c.side);
  std::vector<Source> sources = sources_of(c, view);
  if (!is_route_bound(c.threshold)) {
    std::stable_partition(sources.begin(), sources.end(), [](const Source& source) {
      return source.family->id != FamilyId::OutboundRoute;
    });
  }
  std::vector<std::string> quantiles;
  std::vector<std::string> counts;
  for (const Source& source : sources) {
    const std::string quantile = quantile_of(c, source);
    const std::string count = source.sum.of(source.family->counts, "increase", c.over);
    // The comparison drops the NaN of a histogram that has not moved, so that the next one is
    // asked.
    quantiles.push_back(sources.size() == 1 ? quantile : quantile + " >= 0");
    counts.push_back(sources.size() == 1 ? count : count + " > 0");
  }
  Compiled out;
  out.labels = view.labels;
  out.value = prefer(quantiles, view);
  out.requests = prefer(counts, view);
  out.expr = with_floor(compared(out.value, c), out.requests, c);
  return out;
}

}  // namespace tocsin::rule
