// SPDX-License-Identifier: Apache-2.0
//
// Which faults are active at a moment, and what they do to a call, a workload or a component.
// Pure: the moment is told to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "simulate/mesh_config.h"

namespace tocsin::simulate {

// What the active faults make of the requests of one route of one call.
struct Effects {
  double traffic = 1;
  double slower = 1;
  double server_errors = 0;
  double client_errors = 0;
  double grpc_errors = 0;
  double hangs = 0;
  double denied = 0;
  double refused = 0;  // Connections of TCP.
};

class FaultSchedule {
 public:
  explicit FaultSchedule(std::vector<FaultConfig> faults) : faults_(std::move(faults)) {}

  // `elapsed` since the beginning of the mesh.
  void set_time(Duration elapsed);

  // `client` and `server` are "namespace/workload"; `client` is empty outside the mesh.
  Effects effects(std::string_view client, std::string_view server, std::string_view route) const;
  // The active fault of that kind on the workload; one that names no workload is on all of them.
  const FaultConfig* on_workload(FaultKind kind, std::string_view workload) const;
  bool component_down(std::string_view component) const;

  const std::vector<const FaultConfig*>& active() const { return active_; }
  // Those that became active with the last set_time().
  const std::vector<const FaultConfig*>& begun() const { return begun_; }
  // Those that were active until then.
  const std::vector<const FaultConfig*>& ended() const { return ended_; }

 private:
  std::vector<FaultConfig> faults_;
  std::vector<const FaultConfig*> active_;
  std::vector<const FaultConfig*> begun_;
  std::vector<const FaultConfig*> ended_;
};

}  // namespace tocsin::simulate
