// SPDX-License-Identifier: Apache-2.0
//
// Executor is anything that runs a task somewhere else, later: the loop, the worker pool, and in
// tests the caller itself. Work crosses threads only through one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace tocsin::net {

class Executor {
 public:
  virtual ~Executor() = default;

  // Any thread. Tasks posted by one thread start in the order in which they were posted.
  virtual void post(std::function<void()> task) = 0;
};

// Runs `work()` on `worker` and hands what it returns to `then(value)` on `home`. Both are moved;
// neither must throw. `then` is destroyed on `home`.
template <class Work, class Then>
void run_on(Executor& worker, Executor& home, Work work, Then then) {
  using Value = std::invoke_result_t<Work&>;
  struct Job {
    Work work;
    Then then;
    std::optional<Value> value;
  };
  auto job = std::make_shared<Job>(Job{std::move(work), std::move(then), std::nullopt});
  worker.post([job = std::move(job), &home]() mutable {
    job->value.emplace(job->work());
    // Moved: the worker must not be the last to hold what belongs to `home`.
    home.post([job = std::move(job)] { job->then(std::move(*job->value)); });
  });
}

}  // namespace tocsin::net
