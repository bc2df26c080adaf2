// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/query and /api/v1/query_range.
#include "api/answer_json.h"
#include "api/handlers.h"
#include "api/params.h"

namespace tocsin::api {
namespace {

constexpr Duration kDefaultTimeout = std::chrono::minutes(2);
// Points of one series in one answer, as in Prometheus: 60 s for a week, 1 h for a year.
constexpr std::int64_t kMaxPoints = 11'000;

// A Prometheus that evaluates in our place may know more functions than we do; it says itself what
// it does not know.
Result<void> check_query(const Call& call, QueryRequest& request) {
  request.expr = call.request.param("query");
  request.gone = call.request.gone;
  const bool is_range = request.step.count() > 0;
  const auto expr = query_of(call.request);
  if (!expr) {
    if (!call.backend.status().prometheus_url.empty() && !request.expr.empty()) return {};
    return fail(expr.error());
  }
  const promql::ValueType type = promql::type_of(**expr);
  if (is_range && type != promql::ValueType::Scalar && type != promql::ValueType::Vector) {
    return invalid_parameter("query", "invalid expression type \"" +
                                          std::string(promql::type_name(type)) +
                                          "\" for range query, must be Scalar or instant Vector");
  }
  return {};
}

Result<Duration> timeout_of(const Call& call) {
  const auto timeout = optional_duration(call.request, "timeout");
  if (!timeout) return fail(timeout.error());
  return std::min(timeout->value_or(kDefaultTimeout), kDefaultTimeout);
}

Result<QueryRequest> read_instant(const Call& call) {
  const auto at = optional_time(call.request, "time");
  if (!at) return fail(at.error());
  const auto timeout = timeout_of(call);
  if (!timeout) return fail(timeout.error());
  QueryRequest out{.timeout = *timeout};
  out.start = out.end = at->value_or(call.backend.now());
  if (auto checked = check_query(call, out); !checked) return fail(checked.error());
  return out;
}

Result<void> read_window(const Call& call, QueryRequest& out) {
  const auto start = required_time(call.request, "start");
  if (!start) return fail(start.error());
  const auto end = required_time(call.request, "end");
  if (!end) return fail(end.error());
  if (*end < *start) {
    return invalid_parameter("end", "end timestamp must not be before start time");
  }
  const auto step = required_duration(call.request, "step");
  if (!step) return fail(step.error());
  if (step->count() <= 0) {
    return invalid_parameter("step",
                             "zero or negative query resolution step widths are not accepted. Try "
                             "a positive integer");
  }
  if ((*end - *start) / *step > kMaxPoints) {
    return fail(ErrorCode::InvalidArgument,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the "
                "query resolution (?step=XX)");
  }
  out.start = *start;
  out.end = *end;
  out.step = *step;
  return {};
}

Result<QueryRequest> read_range(const Call& call) {
  QueryRequest out;
  if (auto window = read_window(call, out); !window) return fail(window.error());
  const auto timeout = timeout_of(call);
  if (!timeout) return fail(timeout.error());
  out.timeout = *timeout;
  if (auto checked = check_query(call, out); !checked) return fail(checked.error());
  return out;
}

void reply_answer(const Call& call, Result<promql::Answer> answer, std::size_t limit) {
  if (!answer) return reply_error(call, answer.error());
  Notes notes = notes_of(answer->annotations, call.request.param("query"));
  if (truncate(answer->value, limit)) {
    notes.warnings.emplace_back("results truncated due to limit");
  }
  reply_data(call, answer_json(answer->value), notes);
}

void run(const Call& call, const Result<QueryRequest>& request) {
  const auto limit = limit_of(call.request);
  if (!limit) return reply_error(call, limit.error());
  if (!request) return reply_error(call, request.error());
  call.backend.query(*request, [call, limit = *limit](Result<promql::Answer> answer) {
    reply_answer(call, std::move(answer), limit);
  });
}

}  // namespace

void query(const Call& call) { run(call, read_instant(call)); }

void query_range(const Call& call) { run(call, read_range(call)); }

}  // namespace tocsin::api
