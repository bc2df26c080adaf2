// SPDX-License-Identifier: Apache-2.0
//
// The pages of the control plane's own containers (not of their proxies): destination, policy,
// sp-validator, identity, proxy-injector. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "simulate/call.h"
#include "simulate/page.h"
#include "simulate/population.h"

namespace tocsin::simulate {

struct Component {
  std::string name;  // The container's, which is also the `component` label.
  std::string workload;
  int port = 0;
  int replica = 0;
  Page page{Page::Owner::Component, LinkerdVersion::V2_20};

  // "identity-0"
  std::string key() const { return name + "-" + std::to_string(replica); }
};

class ControlPlane {
 public:
  ControlPlane(const MeshConfig& config, Timestamp start);

  void step(const Step& step, const Population& population, const FaultSchedule& faults);

  const std::vector<Component>& components() const { return components_; }

 private:
  void step_component(Component& component, const Step& step, double proxies);

  std::vector<Component> components_;
  Timestamp start_;
  Duration issuer_left_;
};

}  // namespace tocsin::simulate
