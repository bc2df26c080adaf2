// SPDX-License-Identifier: Apache-2.0
//
// Executors without threads: one that runs a task at once, one that keeps tasks until the test
// asks for them.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "net/executor.h"

namespace tocsin::testing {

class InlineExecutor : public net::Executor {
 public:
  void post(std::function<void()> task) override { task(); }
};

class QueueExecutor : public net::Executor {
 public:
  void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }

  // Runs everything, also what the tasks post meanwhile.
  void run() {
    while (!tasks_.empty()) run_one();
  }
  // The task that has waited longest.
  void run_one() {
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  std::size_t size() const { return tasks_.size(); }

 private:
  std::deque<std::function<void()>> tasks_;
};

}  // namespace tocsin::testing
