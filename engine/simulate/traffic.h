// SPDX-License-Identifier: Apache-2.0
//
// Everything that goes on between pods: the calls of the configuration, spread evenly over the
// clients' and the servers' ready pods, counted on both sides' pages. No single request exists;
// a step of time adds its share to every count. Not thread-safe.
#pragma once

#include <vector>

#include "simulate/call_series.h"

namespace tocsin::simulate {

class Traffic {
 public:
  Traffic(const MeshConfig& config, const Population& population)
      : version_(config.version), calls_(resolve_calls(config, population)) {}

  void step(const Step& step, const FaultSchedule& faults);

 private:
  // The pods that take part in a step.
  struct Parties {
    std::vector<Pod*> clients;
    std::vector<Pod*> servers;
    std::vector<Pod*> crashed;  // Servers that went away in this step.
  };
  Parties parties_of(const Call& call, Timestamp now) const;

  void step_http(Call& call, const Parties& parties, const Step& step, const FaultSchedule& faults);
  // `requests`: of all clients.
  void count_route(const Call& call, std::size_t route, const Parties& parties, const Mix& mix,
                   double requests);
  void fail_fast(Call& call, const Parties& parties, const Step& step, const FaultSchedule& faults);
  void step_tcp(Call& call, const Parties& parties, const Step& step, const FaultSchedule& faults);
  void hold_connections(const Call& call, const Parties& parties, double per_pair);

  LinkerdVersion version_;
  std::vector<Call> calls_;
};

}  // namespace tocsin::simulate
