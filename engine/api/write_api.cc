// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/write: remote write 1.0. A sender repeats what was answered with 5xx, so everything that
// would be refused again is a 4xx.
#include "api/handlers.h"

namespace tocsin::api {
namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kMessage = "prometheus.WriteRequest";  // Of remote write 1.0.

// Whether the body is what its headers must say, if they say anything.
bool is_remote_write(const net::HttpServerRequest& request) {
  const std::string_view encoding = request.header("Content-Encoding");
  const std::string_view type = request.header("Content-Type");
  const std::size_t proto = type.find("proto=");
  return (encoding.empty() || encoding == "snappy") &&
         (type.empty() || type.starts_with(kProtobuf)) &&
         (proto == std::string_view::npos || type.substr(proto + 6).starts_with(kMessage));
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::NotFound:
      return 404;
    case ErrorCode::Limit:
      return 413;
    default:
      return 400;
  }
}

}  // namespace

void write(const Call& call) {
  if (!is_remote_write(call.request)) {
    return reply_text(call, 415, "this is no remote write 1.0: application/x-protobuf in snappy\n");
  }
  call.backend.write(call.request.body, [call](const Result<source::WriteReport>& report) {
    if (!report) {
      return reply_text(call, status_of(report.error().code), report.error().message + "\n");
    }
    if (report->refused() > 0) return reply_text(call, 400, report->text() + "\n");
    reply_text(call, 204, "");
  });
}

}  // namespace tocsin::api
