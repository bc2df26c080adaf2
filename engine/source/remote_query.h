// SPDX-License-Identifier: Apache-2.0
//
// A client of Prometheus' query API, of Prometheus itself or of anything that speaks it. Requests
// and answers are values made by pure functions; RemoteQuery sends them from the loop,
// ask_remote() waits for the answer, for command lines.
//
// Errors: Unavailable (nobody answers, 5xx), Timeout, Execution (the other side cannot evaluate
// the expression), InvalidArgument (it cannot read it, or refuses us), Parse (it answers something
// else).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "net/client_config.h"
#include "net/http_client.h"
#include "tocsin/clock.h"
#include "tocsin/promql.h"
#include "tocsin/result.h"

namespace tocsin::source {

struct RemoteConfig {
  std::string url;  // With a path prefix, if the server has one.
  Duration timeout = std::chrono::seconds(30);
  net::ClientConfig client;

  bool operator==(const RemoteConfig&) const = default;
};

struct RemoteRange {
  Timestamp start;
  Timestamp end;
  Duration step;
};

Result<net::HttpRequest> instant_request(const RemoteConfig& config, std::string_view query,
                                         Timestamp at);
Result<net::HttpRequest> range_request(const RemoteConfig& config, std::string_view query,
                                       const RemoteRange& range);
// Of either.
Result<promql::Answer> read_answer(const net::HttpResult& response);

using RemoteCallback = std::function<void(Result<promql::Answer>)>;

// Loop thread only.
class RemoteQuery {
 public:
  // `http` must outlive the object.
  RemoteQuery(net::HttpSender& http, RemoteConfig config)
      : http_(http), config_(std::move(config)) {}

  // The value of the expression at `at`. `done` is called once, from the loop; at once, if the
  // request cannot even be made.
  void instant(std::string_view query, Timestamp at, RemoteCallback done);
  // Its values over a range: a Matrix.
  void range(std::string_view query, const RemoteRange& range, RemoteCallback done);

  const RemoteConfig& config() const { return config_; }

 private:
  void send(Result<net::HttpRequest> request, RemoteCallback done);

  net::HttpSender& http_;
  const RemoteConfig config_;
};

Result<promql::Answer> ask_remote(const RemoteConfig& config, std::string_view query, Timestamp at);
Result<promql::Answer> ask_remote(const RemoteConfig& config, std::string_view query,
                                  const RemoteRange& range);

}  // namespace tocsin::source
