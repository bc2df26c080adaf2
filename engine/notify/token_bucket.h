// SPDX-License-Identifier: Apache-2.0
//
// TokenBucket says when the next message may be sent to somebody who takes only so many. Pure.
#pragma once

#include <algorithm>
#include <cmath>

#include "tocsin/clock.h"

namespace tocsin::notify {

class TokenBucket {
 public:
  struct Rate {
    double burst = 0;       // Messages at once; 0: no limit.
    double per_second = 0;  // After that.
  };

  explicit TokenBucket(Rate rate) : rate_(rate), tokens_(rate.burst) {}

  // How long to wait before the next message, zero when it may go now.
  Duration wait(Timestamp now) {
    if (rate_.burst <= 0) return Duration(0);
    refill(now);
    if (tokens_ >= 1) return Duration(0);
    return Duration(std::llround(std::ceil((1 - tokens_) / rate_.per_second * 1000)));
  }
  // One message was sent.
  void take(Timestamp now) {
    if (rate_.burst <= 0) return;
    refill(now);
    tokens_ -= 1;
  }

 private:
  void refill(Timestamp now) {
    const Duration passed = std::max(Duration(0), now - last_);
    last_ = now;
    tokens_ = std::min(rate_.burst, tokens_ + to_seconds(passed) * rate_.per_second);
  }

  Rate rate_;
  double tokens_;
  Timestamp last_{};
};

}  // namespace tocsin::notify
