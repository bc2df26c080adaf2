// SPDX-License-Identifier: Apache-2.0
#include "replay/recording.h"

#include <doctest/doctest.h>

namespace tocsin::replay {
namespace {

promql::Series answer(const std::string& pod) {
  return {Labels{{"__name__", "x"}, {"pod", pod}}, {}, {}};
}

TEST_CASE("an answer goes to the series that the rule makes of it") {
  rule::Rule rule;
  rule.name = "recorded";
  rule.labels = {{"team", "shop"}};
  auto recording = Recording::of(rule, {answer("a"), answer("b")});
  REQUIRE(recording);
  store::Store store;
  const store::BlockId block = store.add_block({});
  const store::SeriesId b = recording->series(1, store, block);
  CHECK(store.labels(b) == Labels{{"__name__", "recorded"}, {"pod", "b"}, {"team", "shop"}});
  CHECK(recording->series(1, store, block) == b);
  CHECK(store.stats().series == 1);
}

TEST_CASE("where two answers would be one series, slots have to be looked at one by one") {
  rule::Rule rule;
  rule.name = "recorded";
  rule.labels = {{"pod", "any"}};
  CHECK_FALSE(Recording::of(rule, {answer("a"), answer("b")}));
}

}  // namespace
}  // namespace tocsin::replay
