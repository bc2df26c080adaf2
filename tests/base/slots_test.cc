// SPDX-License-Identifier: Apache-2.0
#include "base/slots.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace tocsin {
namespace {

TEST_CASE("places are numbered from 0 as long as none is given back") {
  Slots<std::string> slots;
  CHECK(slots.take() == 0);
  CHECK(slots.take() == 1);
  CHECK(slots.take() == 2);
  CHECK(slots.size() == 3);
  CHECK(slots.count() == 3);
}

TEST_CASE("a place that is given back is empty, and is the next to be taken") {
  Slots<std::string> slots;
  for (const char* text : {"a", "b", "c"}) slots[slots.take()] = text;
  slots.give_back(0);
  slots.give_back(1);
  CHECK(slots.size() == 3);
  CHECK(slots.count() == 1);
  CHECK(slots[1].empty());
  CHECK(slots.take() == 1);
  CHECK(slots.take() == 0);
  CHECK(slots.take() == 3);
  CHECK(slots[0].empty());
  CHECK(slots[2] == "c");
}

TEST_CASE("what is given back is destroyed at once") {
  Slots<std::shared_ptr<int>> slots;
  const auto thing = std::make_shared<int>(1);
  slots[slots.take()] = thing;
  slots.give_back(0);
  CHECK(thing.use_count() == 1);
}

TEST_CASE("once cleared, places are numbered from 0 again") {
  Slots<int> slots;
  slots.take();
  slots.take();
  slots.give_back(0);
  slots.clear();
  CHECK(slots.size() == 0);
  CHECK(slots.take() == 0);
  CHECK(slots.take() == 1);
}

}  // namespace
}  // namespace tocsin
