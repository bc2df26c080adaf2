// SPDX-License-Identifier: Apache-2.0
//
// Which pods there are: born, starting, ready, crashing, replaced, gone. Everything that looks
// like chance (names, start times, the age of certificates) follows from the names of the
// workloads. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulate/fault_schedule.h"
#include "simulate/pod.h"

namespace tocsin::simulate {

struct Workload {
  WorkloadConfig config;
  std::string id;  // "namespace/name"
  std::string template_hash;
  int revision = 0;
  std::uint32_t born = 0;   // How many pods it ever had.
  bool replacing = false;   // A rollout is not finished.
  std::int64_t wanted = 0;  // How many pods Kubernetes was told to run.
  std::vector<std::unique_ptr<Pod>> pods;

  std::vector<Pod*> ready_pods() const;
};

class Population {
 public:
  // Every workload with its pods, which have been running for some hours.
  Population(const MeshConfig& config, Timestamp start);

  // Brings every pod to `now`.
  void step(Timestamp now, const FaultSchedule& faults);

  const std::vector<std::unique_ptr<Workload>>& workloads() const { return workloads_; }
  Workload* find(std::string_view id) const;
  // Changes whenever a pod is born or gone.
  std::uint64_t generation() const { return generation_; }

 private:
  void add_pod(Workload& w, Timestamp now);
  void remove_pod(Workload& w, std::size_t index);
  void give_history(Pod& pod, Timestamp start) const;
  void begin_and_end(const FaultSchedule& faults);
  void scale(Workload& w, Timestamp now, const FaultSchedule& faults);
  void roll_out(Workload& w, Timestamp now);
  void step_pod(Pod& pod, const FaultConfig* crash_loop) const;

  LinkerdVersion version_;
  Duration leaf_lifetime_;
  std::vector<std::unique_ptr<Workload>> workloads_;
  std::uint32_t pods_born_ = 0;
  std::uint64_t generation_ = 0;
  Timestamp now_;
  Leaf::Issuance issuance_ = Leaf::Issuance::Works;
};

}  // namespace tocsin::simulate
