// SPDX-License-Identifier: Apache-2.0
//
// Asks the API without a network.
#pragma once

#include <optional>
#include <string>

#include "api/server.h"
#include "net/url.h"
#include "support/fake_backend.h"

namespace tocsin::testing {

inline net::HttpServerRequest request_of(const std::string& method, const std::string& target) {
  net::HttpServerRequest request;
  request.method = method;
  request.target = target;
  const std::size_t mark = target.find('?');
  request.path = net::url_decode(target.substr(0, mark));
  if (mark != std::string::npos) request.params = net::parse_params(target.substr(mark + 1));
  return request;
}

inline net::HttpServerResponse ask(FakeBackend& backend, const net::HttpServerRequest& request) {
  api::Api api(backend);
  std::optional<net::HttpServerResponse> answer;
  api.handler()(request, [&](net::HttpServerResponse response) {
    if (!answer) answer = std::move(response);
  });
  return answer.value_or(net::HttpServerResponse{.status = 0, .body = "no answer", .headers = {}});
}

inline net::HttpServerResponse ask(FakeBackend& backend, const std::string& method,
                                   const std::string& target) {
  return ask(backend, request_of(method, target));
}

inline std::string get(FakeBackend& backend, const std::string& target) {
  return ask(backend, "GET", target).body;
}

}  // namespace tocsin::testing
