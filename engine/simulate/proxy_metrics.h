// SPDX-License-Identifier: Apache-2.0
//
// What every proxy counts whether or not anybody calls it: scrapes and probes of its admin port,
// its process, its certificate, and its conversations with the control plane. Not thread-safe.
#pragma once

#include <array>
#include <map>
#include <string>

#include "simulate/call.h"
#include "simulate/pod.h"

namespace tocsin::simulate {

class ProxyMetrics {
 public:
  explicit ProxyMetrics(LinkerdVersion version) : version_(version) {}

  void step(const Population& population, const Step& step, const FaultSchedule& faults);

 private:
  void step_admin(Pod& pod, const Step& step) const;
  void step_process(Pod& pod, const Step& step) const;
  void step_certificate(Pod& pod) const;
  void step_control(Pod& pod, const Step& step, const FaultSchedule& faults);
  void step_control_servers(const Population& population);

  LinkerdVersion version_;
  // Requests of this step to a control plane workload, by client identity.
  std::map<std::string, std::array<double, 3>> asked_;
};

}  // namespace tocsin::simulate
