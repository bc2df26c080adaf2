// SPDX-License-Identifier: Apache-2.0
//
// A call, resolved: the workloads and the service behind the names, how much of it happens now,
// and what becomes of its requests. The base of http_traffic.h and tcp_traffic.h.
#pragma once

#include <string>
#include <vector>

#include "simulate/distribution.h"
#include "simulate/fault_schedule.h"
#include "simulate/population.h"

namespace tocsin::simulate {

struct Call {
  struct Route {
    std::string name;
    double share = 1;   // Of the call's requests; the shares of its routes add up to 1.
    double slower = 1;  // At rest.
    double factor = 0;  // What the distributions below were made for.
    Distribution server{1, 2};
    Distribution client{1, 2};
  };

  std::size_t number = 0;
  CallConfig config;
  Workload* client = nullptr;  // Null: from outside the mesh.
  Workload* server = nullptr;
  ServiceConfig service;
  std::vector<Route> routes;
  std::vector<const Call*> next;  // What the server calls to answer.
  double wave_seconds = 1800;
  double wave_phase = 0;
  double failed = 0;        // Share of the requests of the last step.
  Timestamp empty_since{};  // When the last ready server went away.

  std::string client_id() const;
  std::string client_name() const { return client == nullptr ? std::string() : client->id; }
};

// The calls of a mesh whose parties exist.
std::vector<Call> resolve_calls(const MeshConfig& config, const Population& population);

// One step of time.
struct Step {
  Timestamp now;
  double seconds = 1;
};

// Requests per second at rest; ten percent up and down in half an hour or so.
double rate_at_rest(const Call& call, Timestamp now);

// Shares of the requests. What is missing to 1 has begun and is never answered.
using Mix = PerOutcome<double>;
Mix mix_of(const Call& call, const Effects& effects);
double failed_share(const Mix& mix);

// Makes the distributions fit how slow the route is now.
void set_slower(const Call& call, Call::Route& route, double slower);

// How an outcome is labelled.
struct OutcomeLabels {
  std::string_view status;
  bool failure;
  std::string_view grpc_status;  // The number.
  std::string_view grpc_name;
  std::string_view error;  // In the route families.
};
const OutcomeLabels& labels_of(Outcome outcome, Protocol protocol);
// Whether the application answered, so that both proxies saw it.
bool answered_by_app(Outcome outcome);

}  // namespace tocsin::simulate
