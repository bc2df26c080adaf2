// SPDX-License-Identifier: Apache-2.0
#include "simulate/pod.h"

#include <algorithm>

namespace tocsin::simulate {
namespace {

constexpr double kRefreshAt = 0.7;  // Of what is left.
constexpr Duration kSkew = std::chrono::seconds(20);
constexpr Duration kLeastWait = std::chrono::seconds(10);
constexpr Duration kMostWait = std::chrono::hours(24);

Duration share_of(Duration whole, double share) {
  return Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * share));
}

}  // namespace

void Leaf::issue(Timestamp at, Duration lifetime) {
  refreshed_ = at;
  expires_ = at + lifetime + kSkew;
  ++refreshes_;
  plan(at);
}

void Leaf::age(Timestamp now, Duration lifetime, double left) {
  expires_ = now + share_of(lifetime + kSkew, left);
  refreshed_ = expires_ - lifetime - kSkew;
  plan(now);
}

void Leaf::step(Timestamp now, Duration lifetime, Issuance issuance) {
  if (now < attempt_) return;
  if (issuance == Issuance::Works) {
    issue(now, lifetime);
  } else {
    plan(now);
  }
}

void Leaf::plan(Timestamp now) {
  attempt_ = now + std::clamp(share_of(expires_ - now, kRefreshAt), kLeastWait, kMostWait);
}

void Pod::restart_proxy(Timestamp now) {
  ++restarts;
  phase = ProxyPhase::Starting;
  phase_since = proxy_started = now;
  leaf.forget();
  page.clear();
  own.reset();
  control.clear();
  calls_out.clear();
  calls_in.clear();
  control_in.clear();
}

}  // namespace tocsin::simulate
