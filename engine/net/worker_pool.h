// SPDX-License-Identifier: Apache-2.0
//
// WorkerPool is the threads that compute: they own nothing, get values and pointers to const, and
// post what they found back to the loop (see run_on() in net/executor.h).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "net/executor.h"

namespace tocsin::net {

class WorkerPool : public Executor {
 public:
  // At least one thread, whatever `threads` says.
  explicit WorkerPool(std::size_t threads);
  // Waits for the tasks that run; those still queued are dropped.
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Any thread. Ignored once the pool is going down.
  void post(std::function<void()> task) override;

  // As the destructor, earlier. Not from a worker.
  void stop();

  // Cores less the loop's, at least one.
  static std::size_t default_size();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;  // Guarded by mutex_.
  bool stopping_ = false;                    // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace tocsin::net
