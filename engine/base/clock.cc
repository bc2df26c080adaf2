// SPDX-License-Identifier: Apache-2.0
#include "tocsin/clock.h"

namespace tocsin {

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemClock::ticks() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

FastClock::FastClock(double speed)
    : start_(SystemClock().now()), start_ticks_(SystemClock().ticks()), speed_(speed) {}

Timestamp FastClock::now() const {
  const std::chrono::duration<double, std::milli> real = SystemClock().ticks() - start_ticks_;
  return start_ + std::chrono::duration_cast<Duration>(real * speed_);
}

std::chrono::nanoseconds FastClock::ticks() const { return SystemClock().ticks(); }

}  // namespace tocsin
