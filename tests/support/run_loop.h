// SPDX-License-Identifier: Apache-2.0
//
// Runs a real loop until a condition holds. For the few tests that need sockets.
#pragma once

#include <functional>

#include "net/loop.h"

namespace tocsin::testing {

// False when the condition did not come true within ten seconds.
inline bool run_until(net::Loop& loop, const std::function<bool()>& done) {
  const SystemClock clock;
  const auto deadline = clock.ticks() + std::chrono::seconds(10);
  std::function<void()> look = [&] {
    if (done() || clock.ticks() > deadline) {
      loop.stop();
    } else {
      loop.after(Duration(1), [&] { look(); });
    }
  };
  loop.after(Duration(0), [&] { look(); });
  loop.run();
  return done();
}

}  // namespace tocsin::testing
