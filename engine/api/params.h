// SPDX-License-Identifier: Apache-2.0
//
// The parameters of Prometheus' API, read as it reads them, with its words for what is wrong. All
// errors are InvalidArgument and ready to be sent. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"
#include "tocsin/promql.h"
#include "tocsin/result.h"

namespace tocsin::api {

// `invalid parameter "step": …`
tl::unexpected<Error> invalid_parameter(std::string_view name, std::string_view message);

// RFC 3339 or Unix seconds. The first fails when it is missing.
Result<Timestamp> required_time(const net::HttpServerRequest& request, std::string_view name);
Result<std::optional<Timestamp>> optional_time(const net::HttpServerRequest& request,
                                               std::string_view name);

// Prometheus' notation or seconds. The second is nothing when it is missing.
Result<Duration> required_duration(const net::HttpServerRequest& request, std::string_view name);
Result<std::optional<Duration>> optional_duration(const net::HttpServerRequest& request,
                                                  std::string_view name);

// `limit`; 0 is none.
Result<std::size_t> limit_of(const net::HttpServerRequest& request);

// What Go's ParseBool takes; a missing one is false.
Result<bool> flag_of(const net::HttpServerRequest& request, std::string_view name);

// "1:4: parse error: unexpected end of input"
Error parse_error(std::string_view text, const promql::Problem& problem);

// `query`, checked.
Result<promql::ExprPtr> query_of(const net::HttpServerRequest& request);

// A series selector; `1:3: parse error: …` on anything else, and on one that matches everything.
Result<Matchers> parse_selector(const std::string& text);

// All of `match[]`, checked.
Result<std::vector<std::string>> selectors_of(const net::HttpServerRequest& request);

}  // namespace tocsin::api
