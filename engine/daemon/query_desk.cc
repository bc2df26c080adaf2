// SPDX-License-Identifier: Apache-2.0
#include "daemon/query_desk.h"

#include <set>

#include "alert/rule_life.h"
#include "promql/ast.h"

namespace tocsin::daemon {

void QueryDesk::answer(const api::QueryRequest& request, api::QueryCallback done) {
  if (!remote_) {
    return net::run_on(
        workers_, loop_, [this, request] { return evaluate(request); }, std::move(done));
  }
  if (request.step.count() == 0) {
    return remote_->instant(request.expr, request.start, std::move(done));
  }
  remote_->range(request.expr, {request.start, request.end, request.step}, std::move(done));
}

void QueryDesk::find_series(const std::vector<std::string>& selectors, api::SeriesCallback done) {
  net::run_on(
      workers_, loop_, [this, selectors] { return select(selectors); }, std::move(done));
}

Result<promql::Vector> QueryDesk::answer_now(std::string_view expr, Timestamp at) const {
  if (remote_) return fail(ErrorCode::Unavailable, "templates cannot query a remote Prometheus");
  api::QueryRequest request;
  request.expr = expr;
  request.start = request.end = at;
  const auto answered = evaluate(request);
  if (!answered) return fail(answered.error());
  return alert::as_vector(answered->value);
}

Result<promql::Answer> QueryDesk::evaluate(const api::QueryRequest& request) const {
  const auto expr = promql::parse(request.expr);
  if (!expr) {
    const promql::Problem& problem = expr.error();
    return fail(ErrorCode::Parse,
                "1:" + std::to_string(problem.begin + 1) + ": parse error: " + problem.message);
  }
  promql::QueryOptions options;
  const auto deadline = clock_.ticks() + request.timeout;
  options.is_canceled = [&] {
    return (request.gone && *request.gone) || clock_.ticks() > deadline;
  };
  promql::Query query = promql::Query::prepare(*expr, options);
  const auto lock = store_.lock_for_read();
  if (request.step.count() == 0) return query.evaluate(store_, request.start);
  return query.evaluate_range(store_, request.start, request.end, request.step);
}

Result<std::vector<Labels>> QueryDesk::select(const std::vector<std::string>& selectors) const {
  std::set<Labels> found;
  const auto lock = store_.lock_for_read();
  for (const std::string& text : selectors) {
    const auto expr = promql::parse(text);
    const auto* selector = expr ? promql::as<promql::VectorSelector>(**expr) : nullptr;
    if (!selector) return fail(ErrorCode::InvalidArgument, "not a selector: " + text);
    for (const store::SeriesId id : store_.select(selector->matchers)) {
      found.insert(store_.labels(id));
    }
  }
  return std::vector<Labels>(found.begin(), found.end());
}

}  // namespace tocsin::daemon
