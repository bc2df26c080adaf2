// SPDX-License-Identifier: Apache-2.0
//
// Team does one thing many times, on several threads, and waits until all is done. One thread gives
// the orders.
#pragma once

#include <atomic>
#include <functional>
#include <latch>
#include <memory>

#include "net/worker_pool.h"

namespace tocsin::replay {

class Team {
 public:
  // The caller of run() is one of them.
  explicit Team(std::size_t threads) : others_(threads > 1 ? threads - 1 : 0) {
    if (others_ > 0) pool_ = std::make_unique<net::WorkerPool>(others_);
  }

  // Calls `work` with 0, 1, … up to `count`, without it, in any order.
  void run(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    const auto take_some = [&] {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    const std::size_t helpers = count > 1 ? others_ : 0;
    std::latch done(static_cast<std::ptrdiff_t>(helpers));
    for (std::size_t i = 0; i < helpers; ++i) {
      pool_->post([&] {
        take_some();
        done.count_down();
      });
    }
    take_some();
    done.wait();
  }

 private:
  const std::size_t others_;
  std::unique_ptr<net::WorkerPool> pool_;
};

}  // namespace tocsin::replay
