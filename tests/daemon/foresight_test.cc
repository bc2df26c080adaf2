// SPDX-License-Identifier: Apache-2.0
#include "daemon/foresight.h"

#include <doctest/doctest.h>

#include <thread>

#include "daemon/evaluator.h"
#include "support/executors.h"

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
  CHECK_FALSE(foresight.is_due(from_millis(1'000'600)));  // One that is late.
  CHECK(foresight.is_due(from_millis(1'000)));            // The clock was set back.
}

double only_value(const Result<promql::Answer>& answer) {
  REQUIRE(answer);
  const auto& vector = std::get<promql::Vector>(answer->value);
  return vector.size() == 1 ? vector[0].sample.value : -1;
}

// For the thread sanitizer.
TEST_CASE("pages are written, looked at and evaluated at once, and nothing is lost") {
  store::Store store;
  testing::InlineExecutor executor;
  StoreEvaluator evaluator{{store, executor, executor}};
  const char* const text = "sum(rate(m_total[1m]))";
  const auto expr = evaluator.prepare(*promql::parse(text), nullptr);
  std::vector<std::pair<store::BlockId, store::SeriesId>> targets;
  for (int i = 0; i < 20; ++i) {
    const store::BlockId block = store.add_block({.history = std::chrono::minutes(5)});
    const Labels labels{{"__name__", "m_total"}, {"i", std::to_string(i)}};
    targets.emplace_back(block, store.add_series(block, labels, true));
  }
  constexpr std::int64_t kStepMs = 15'000;
  std::atomic<std::int64_t> now_ms = 1'000'000;
  std::atomic<bool> is_over = false;
  std::thread writer([&] {
    for (int scrape = 0; scrape < 200; ++scrape) {
      const Timestamp at = from_millis(now_ms += kStepMs);
      for (const auto& [block, id] : targets) {
        const double value = scrape * static_cast<double>(id + 1);
        const auto lock = store.lock_for_write();
        store.append_column(block, at, std::span(&id, 1), std::span(&value, 1));
      }
      const auto lock = store.lock_for_write();
      store.collect_garbage(at);
    }
    is_over = true;
  });
  std::thread looker([&] {
    const auto look = expr->foresight();
    while (!is_over) look(from_millis(now_ms + kStepMs));
  });
  while (!is_over) only_value(expr->work(from_millis(now_ms))());
  writer.join();
  looker.join();
  const Timestamp at = from_millis(now_ms + 1);
  expr->foresight()(at);
  const double expected =
      only_value(promql::Query::prepare(*promql::parse(text)).evaluate(store, at));
  CHECK(expected > 0);
  CHECK(only_value(expr->work(at)()) == expected);
}

}  // namespace
}  // namespace tocsin::daemon
