// SPDX-License-Identifier: Apache-2.0
//
// RateGate says how many requests a client may make: a token bucket for each address. An IPv6
// client has a whole /64 of addresses, so that counts as one. Pure; not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "tocsin/duration.h"

namespace tocsin::net {

struct RateLimit {
  // Between two requests of one address, in the long run; 0: there is no limit.
  Duration interval = std::chrono::milliseconds(2);
  std::int64_t burst = 2000;  // That may come at once.

  bool operator==(const RateLimit&) const = default;
};

class RateGate {
 public:
  using Ticks = std::chrono::nanoseconds;

  explicit RateGate(RateLimit limit = {}) : limit_(limit) {}

  // Whether a request of `address` may pass at `now`. Times must not go back.
  bool pass(const std::string& address, Ticks now);

  // How many may not, so far.
  std::uint64_t refused() const { return refused_; }
  // Addresses that are remembered: of those that are, as it were, still paying.
  std::size_t addresses() const { return paid_until_.size(); }

  // Holds from now on. By another limit than before, everybody starts anew.
  void use(RateLimit limit);

 private:
  void forget_paid(Ticks now);

  RateLimit limit_;
  // A request costs one interval; until when those of an address are paid for.
  std::unordered_map<std::string, Ticks> paid_until_;
  std::size_t forget_at_ = 1024;
  std::uint64_t refused_ = 0;
};

}  // namespace tocsin::net
