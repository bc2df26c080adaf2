// SPDX-License-Identifier: Apache-2.0
#include "net/rate_gate.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>

namespace tocsin::net {
namespace {

constexpr std::size_t kNetworkBytes = 8;  // Of a /64.

// The network of an IPv6 address; others as they are.
std::string client_of(const std::string& address) {
  if (address.find(':') == std::string::npos) return address;
  boost::system::error_code error;
  const auto v6 = boost::asio::ip::make_address_v6(address, error);
  if (error || v6.is_v4_mapped()) return address;
  const auto bytes = v6.to_bytes();
  return std::string(bytes.begin(), bytes.begin() + kNetworkBytes);
}

}  // namespace

bool RateGate::pass(const std::string& address, Ticks now) {
  if (limit_.interval.count() <= 0) return true;
  if (paid_until_.size() >= forget_at_) forget_paid(now);
  const Ticks interval = limit_.interval;
  Ticks& paid_until = paid_until_.try_emplace(client_of(address), now).first->second;
  const Ticks next = std::max(paid_until, now) + interval;
  if (next - now > interval * limit_.burst) {
    ++refused_;
    return false;
  }
  paid_until = next;
  return true;
}

void RateGate::use(RateLimit limit) {
  if (limit != limit_) paid_until_.clear();
  limit_ = limit;
}

// Only when there are twice as many as there were, so that it costs each request next to nothing.
void RateGate::forget_paid(Ticks now) {
  std::erase_if(paid_until_, [&](const auto& client) { return client.second <= now; });
  forget_at_ = std::max<std::size_t>(1024, 2 * paid_until_.size());
}

}  // namespace tocsin::net
