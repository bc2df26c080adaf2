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
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "net/client_config.h"
#include "net/executor.h"
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

// Which series, for their labels; without selectors, all of them.
struct RemoteSearch {
  std::vector<std::string> selectors;
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
};

Result<net::HttpRequest> instant_request(const RemoteConfig& config, std::string_view query,
                                         Timestamp at);
Result<net::HttpRequest> range_request(const RemoteConfig& config, std::string_view query,
                                       const RemoteRange& range);
// Of either.
Result<promql::Answer> read_answer(const net::HttpResult& response);
// Of /api/v1/series; of /api/v1/labels and /api/v1/label/<name>/values.
Result<std::vector<Labels>> read_series(const net::HttpResult& response);
Result<std::set<std::string>> read_texts(const net::HttpResult& response);

// Where answers are read, which takes long when they are, and where they are handed over. Null: at
// once, where they come in.
struct RemoteReaders {
  net::Executor* workers = nullptr;
  net::Executor* loop = nullptr;
};

template <class T>
using RemoteDone = std::function<void(Result<T>)>;
using RemoteCallback = RemoteDone<promql::Answer>;

// Loop thread only.
class RemoteQuery {
 public:
  // `http` and the readers must outlive the object and its requests.
  RemoteQuery(net::HttpSender& http, RemoteConfig config, RemoteReaders readers = {})
      : http_(http), config_(std::move(config)), readers_(readers) {}

  // The same, for somebody who waits no longer than that.
  RemoteQuery within(Duration timeout) const;

  // The value of the expression at `at`. `done` is called once, from the loop; at once, if the
  // request cannot even be made.
  void instant(std::string_view query, Timestamp at, RemoteCallback done);
  // Its values over a range: a Matrix.
  void range(std::string_view query, const RemoteRange& range, RemoteCallback done);

  // What is known of the series that match.
  void series(const RemoteSearch& search, RemoteDone<std::vector<Labels>> done);
  void label_names(const RemoteSearch& search, RemoteDone<std::set<std::string>> done);
  void label_values(std::string_view label, const RemoteSearch& search,
                    RemoteDone<std::set<std::string>> done);

  const RemoteConfig& config() const { return config_; }

 private:
  template <class T>
  using Read = Result<T> (*)(const net::HttpResult& response);
  template <class T>
  void send(Result<net::HttpRequest> request, Read<T> read, RemoteDone<T> done);

  net::HttpSender& http_;
  const RemoteConfig config_;
  const RemoteReaders readers_;
};

Result<promql::Answer> ask_remote(const RemoteConfig& config, std::string_view query, Timestamp at);
Result<promql::Answer> ask_remote(const RemoteConfig& config, std::string_view query,
                                  const RemoteRange& range);

}  // namespace tocsin::source
