// SPDX-License-Identifier: Apache-2.0
//
// What editors of queries ask besides data: /api/v1/metadata, /api/v1/query_exemplars and
// /api/v1/format_query.
#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/params.h"

namespace tocsin::api {

// Differs from Prometheus: TYPE and HELP of a page are not kept, so nothing is known of any metric.
void metadata(const Call& call) {
  if (const auto limit = limit_of(call.request); !limit) {
    return reply_error(call, {ErrorCode::InvalidArgument, "limit must be a number"});
  }
  reply_data(call, "{}");
}

// Differs from Prometheus: exemplars are not kept.
void query_exemplars(const Call& call) {
  const auto start = optional_time(call.request, "start");
  if (!start) return reply_error(call, start.error());
  const auto end = optional_time(call.request, "end");
  if (!end) return reply_error(call, end.error());
  if (*start && *end && **end < **start) {
    return reply_error(
        call, {ErrorCode::InvalidArgument, "end timestamp must not be before start timestamp"});
  }
  const auto expr = promql::parse(call.request.param("query"));
  if (!expr) return reply_error(call, parse_error(call.request.param("query"), expr.error()));
  reply_data(call, "[]");
}

// Differs from Prometheus: on one line, however long.
void format_query(const Call& call) {
  const auto expr = query_of(call.request);
  if (!expr) return reply_error(call, expr.error());
  std::string data;
  JsonWriter(data).text(promql::print(**expr));
  reply_data(call, data);
}

}  // namespace tocsin::api
