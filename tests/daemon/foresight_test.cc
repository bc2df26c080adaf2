// SPDX-License-Identifier: Apache-2.0
#include "daemon/foresight.h"

#include <doctest/doctest.h>

namespace tocsin::daemon {
namespace {

TEST_CASE(
    "groups look at their next slot when it is near, as long as they are there and have one") {
  Foresight foresight;
  std::vector<std::string> done;
  const auto says = [&](const std::string& name) {
    return
        [&done, name](Timestamp at) { done.push_back(name + " " + std::to_string(to_millis(at))); };
  };
  const auto look = [&](int until_ms) {
    done.clear();
    foresight.look(from_millis(until_ms));
    return done;
  };
  using Done = std::vector<std::string>;
  auto first = foresight.add({says("a"), says("b")});
  const auto second = foresight.add({says("c")});
  CHECK(look(9000) == Done{});  // Neither has a slot.
  first->expect(from_millis(1000));
  CHECK(look(9000) == Done{"a 1000", "b 1000"});
  first->expect(from_millis(2000));
  second->expect(from_millis(3000));
  CHECK(look(3000) == Done{"a 2000", "b 2000", "c 3000"});
  CHECK(look(2999) == Done{"a 2000", "b 2000"});  // Before the other's, more will have come.
  first.reset();
  CHECK(look(3000) == Done{"c 3000"});
}

TEST_CASE("some pages make one look") {
  Foresight foresight;
  int looks = 0;
  for (int at_ms = 1'000'000; at_ms < 1'001'000; at_ms += 10) {
    looks += foresight.is_due(from_millis(at_ms)) ? 1 : 0;
    CHECK_FALSE(foresight.is_due(from_millis(at_ms)));  // For another worker, of the same moment.
  }
  CHECK(looks == 4);
  CHECK_FALSE(foresight.is_due(from_millis(1'000'000)));  // One that is late.
}

}  // namespace
}  // namespace tocsin::daemon
