// SPDX-License-Identifier: Apache-2.0
//
// Call is one request on its way through a handler: whom to ask, what was asked, and how to answer
// in the shapes of Prometheus' API. A handler that answers later keeps a copy; the request lives as
// long as one exists.
//
// Loop thread only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/backend.h"
#include "net/http_server.h"
#include "tocsin/result.h"

namespace tocsin::api {

struct Call {
  Backend& backend;
  const net::HttpServerRequest& request;
  net::Responder respond;
  std::string argument;  // What stands in the path where the route has a `*`.
};

// What "warnings" and "infos" say beside the data.
struct Notes {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};
// In Prometheus' words, the first ten of each and how many more there are.
Notes notes_of(const promql::Annotations& annotations, std::string_view query);

// 200, {"status":"success","data":…}. `data` is JSON.
void reply_data(const Call& call, std::string_view data, const Notes& notes = {});

// {"status":"error","errorType":…,"error":…}, with the status that Prometheus gives to such errors.
void reply_error(const Call& call, const Error& error);

// Not of the API: text for people and for other Prometheus servers.
void reply_text(const Call& call, int status, std::string body);

// The status and the errorType that an error has in Prometheus' API.
struct ErrorKind {
  int status;
  std::string_view type;
};
ErrorKind kind_of(ErrorCode code);

}  // namespace tocsin::api
