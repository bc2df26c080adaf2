// SPDX-License-Identifier: Apache-2.0
#include "net/rate_gate.h"

#include <doctest/doctest.h>

namespace tocsin::net {
namespace {

using namespace std::chrono_literals;

int passed(RateGate& gate, const std::string& address, int requests, RateGate::Ticks now) {
  int out = 0;
  for (int i = 0; i < requests; ++i) out += gate.pass(address, now) ? 1 : 0;
  return out;
}

TEST_CASE("a client may ask in bursts, and then as often as it is allowed to") {
  RateGate gate({.interval = 100ms, .burst = 5});
  CHECK(passed(gate, "10.0.0.1", 20, 1s) == 5);
  CHECK(gate.refused() == 15);
  CHECK(passed(gate, "10.0.0.1", 20, 1s + 99ms) == 0);
  CHECK(passed(gate, "10.0.0.1", 20, 1s + 100ms) == 1);
  CHECK(passed(gate, "10.0.0.1", 20, 1s + 300ms) == 2);
  CHECK(passed(gate, "10.0.0.1", 20, 1h) == 5);  // No more than that, however long it was quiet.
}

TEST_CASE("one client's requests cost another one nothing") {
  RateGate gate({.interval = 100ms, .burst = 2});
  CHECK(passed(gate, "10.0.0.1", 9, 0s) == 2);
  CHECK(passed(gate, "10.0.0.2", 9, 0s) == 2);
  CHECK(passed(gate, "::ffff:10.0.0.3", 9, 0s) == 2);
  CHECK(passed(gate, "::ffff:10.0.0.4", 9, 0s) == 2);
}

TEST_CASE("all addresses of an IPv6 network are one client") {
  RateGate gate({.interval = 100ms, .burst = 3});
  CHECK(passed(gate, "2001:db8:1:2::1", 2, 0s) == 2);
  CHECK(passed(gate, "2001:db8:1:2:ffff::2", 2, 0s) == 1);
  CHECK(passed(gate, "2001:db8:1:3::1", 2, 0s) == 2);
}

TEST_CASE("without an interval there is no limit") {
  RateGate gate({.interval = 0ms, .burst = 0});
  CHECK(passed(gate, "10.0.0.1", 5000, 0s) == 5000);
  gate.use({.interval = 1s, .burst = 1});
  CHECK(passed(gate, "10.0.0.1", 5, 0s) == 1);
}

TEST_CASE("clients that have long gone are forgotten") {
  RateGate gate({.interval = 1ms, .burst = 10});
  for (int i = 0; i < 100'000; ++i) gate.pass("10.0.0." + std::to_string(i), i * 10ms);
  CHECK(gate.addresses() <= 1024);
}

}  // namespace
}  // namespace tocsin::net
