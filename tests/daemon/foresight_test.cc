// SPDX-License-Identifier: Apache-2.0
#include "daemon/foresight.h"

#include <doctest/doctest.h>

namespace tocsin::daemon {
namespace {

void note_pages(Foresight& foresight, int count) {
  for (int i = 0; i < count; ++i) foresight.note_page();
}

TEST_CASE("pages make groups look at their next slot, as long as they are there and have one") {
  Foresight foresight;
  std::vector<std::string> done;
  const auto says = [&](const std::string& name) {
    return
        [&done, name](Timestamp at) { done.push_back(name + " " + std::to_string(to_millis(at))); };
  };
  auto first = foresight.add({says("a"), says("b")});
  const auto second = foresight.add({says("c")});
  note_pages(foresight, 8);
  CHECK(done.empty());  // Neither has a slot.
  first->expect(from_millis(1000));
  note_pages(foresight, 7);
  CHECK(done.empty());  // Too few pages that it would be worth it.
  note_pages(foresight, 1);
  CHECK(done == std::vector<std::string>{"a 1000", "b 1000"});
  first->expect(from_millis(2000));
  second->expect(from_millis(3000));
  done.clear();
  note_pages(foresight, 8);
  CHECK(done == std::vector<std::string>{"a 2000", "b 2000", "c 3000"});
  first.reset();
  done.clear();
  note_pages(foresight, 8);
  CHECK(done == std::vector<std::string>{"c 3000"});
}

}  // namespace
}  // namespace tocsin::daemon
