// SPDX-License-Identifier: Apache-2.0
//
// What is done again and again, until this goes. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tocsin/clock.h"

namespace tocsin::daemon {

class Periodic {
 public:
  explicit Periodic(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Periodic() {
    for (const auto& [name, task] : tasks_) scheduler_.cancel(task);
  }
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

  // For the first time after `interval`. Names are for telling tasks apart.
  void every(const std::string& name, Duration interval, std::function<void()> task) {
    tasks_[name] = scheduler_.after(interval, [this, name, interval, task] {
      task();
      every(name, interval, task);
    });
  }

 private:
  Scheduler& scheduler_;
  std::map<std::string, Scheduler::TaskId> tasks_;
};

}  // namespace tocsin::daemon
