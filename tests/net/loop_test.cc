// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "net/worker_pool.h"
#include "support/run_loop.h"

namespace tocsin::net {
namespace {

TEST_CASE("tasks run in the order in which they are due") {
  const SystemClock clock;
  Loop loop(clock);
  std::vector<int> ran;
  loop.after(Duration(20), [&] { ran.push_back(3); });
  loop.after(Duration(5), [&] { ran.push_back(1); });
  const auto cancelled = loop.after(Duration(6), [&] { ran.push_back(99); });
  loop.after(Duration(10), [&] { ran.push_back(2); });
  loop.at(clock.now() - Duration(1000), [&] { ran.push_back(0); });
  loop.cancel(cancelled);
  loop.cancel(12345);
  REQUIRE(testing::run_until(loop, [&] { return ran.size() == 4; }));
  CHECK(ran == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("a fast clock makes waits short") {
  const FastClock clock(1000);
  const SystemClock wall;
  Loop loop(clock, 1000);
  bool ran = false;
  const auto start = wall.ticks();
  loop.after(std::chrono::seconds(20), [&] { ran = true; });
  REQUIRE(testing::run_until(loop, [&] { return ran; }));
  const auto took = wall.ticks() - start;
  CHECK(took >= std::chrono::milliseconds(19));
  CHECK(took < std::chrono::seconds(5));
}

// The machine's clock, which somebody sets.
struct SetClock : SystemClock {
  std::atomic<std::int64_t> set_by_ms = 0;
  Timestamp now() const override { return SystemClock::now() + Duration(set_by_ms.load()); }
};

TEST_CASE("a clock that is set back is noticed within a second or two, and only then") {
  SetClock clock;
  Loop loop(clock);
  std::vector<Duration> steps;
  loop.on_clock_step([&](Duration step) {
    steps.push_back(step);
    loop.stop();
  });
  loop.after(Duration(1), [&] { clock.set_by_ms = 5'000; });  // A small one is nobody's business.
  loop.after(Duration(5'002), [&] { clock.set_by_ms = -3'600'000; });
  loop.after(Duration(60'000), [] {});
  loop.run();
  REQUIRE(steps.size() == 1);
  CHECK(std::chrono::abs(steps[0] + std::chrono::seconds(3605)) < std::chrono::seconds(1));
}

TEST_CASE("a loop that is stopped because the clock was set does nothing by the new time") {
  SetClock clock;
  Loop loop(clock);
  bool late = false;
  loop.on_clock_step([&](Duration) { loop.stop(); });
  loop.after(Duration(1), [&] { clock.set_by_ms = 3'600'000; });
  loop.after(Duration(60'000), [&] { late = true; });
  loop.run();
  CHECK_FALSE(late);
}

TEST_CASE("a clock that is set back while tasks run makes none of them run for all that time") {
  SetClock clock;
  Loop loop(clock);
  int runs = 0;
  std::function<void()> every_second = [&] {
    ++runs;
    clock.set_by_ms = -3'600'000;
    loop.after(Duration(1'000), every_second);
  };
  loop.on_clock_step([&](Duration) { loop.stop(); });
  loop.after(Duration(1), every_second);
  loop.run();
  CHECK(runs == 1);
}

TEST_CASE("a stop before the run ends it at once") {
  const SystemClock clock;
  Loop loop(clock);
  loop.stop();
  loop.run();
  CHECK(true);
}

TEST_CASE("other threads post and signals arrive on the loop") {
  const SystemClock clock;
  Loop loop(clock);
  int hangups = 0;
  std::thread::id posted_on;
  loop.on_signal(SIGHUP, [&] { ++hangups; });
  std::thread other([&] {
    loop.post([&] {
      posted_on = std::this_thread::get_id();
      std::raise(SIGHUP);
    });
  });
  REQUIRE(testing::run_until(loop, [&] { return hangups == 1; }));
  other.join();
  CHECK(posted_on == std::this_thread::get_id());
}

TEST_CASE("workers compute and the loop gets what they found") {
  const SystemClock clock;
  Loop loop(clock);
  WorkerPool workers(3);
  int sum = 0;
  for (int i = 1; i <= 100; ++i) {
    auto number = std::make_unique<int>(i);  // Move-only values pass.
    run_on(
        workers, loop, [n = std::move(number)]() mutable { return std::move(n); },
        [&](std::unique_ptr<int> n) { sum += *n; });
  }
  REQUIRE(testing::run_until(loop, [&] { return sum == 5050; }));
}

TEST_CASE("a pool that goes down finishes what runs") {
  std::atomic<int> finished = 0;
  std::atomic<bool> started = false;
  {
    WorkerPool pool(1);
    pool.post([&] {
      started = true;
      ++finished;
    });
    while (!started) std::this_thread::yield();
  }
  CHECK(finished == 1);
}

TEST_CASE("what is to be done at home with a worker's result is also destroyed there") {
  // A worker that still holds its task when all is done.
  struct Holder : Executor {
    void post(std::function<void()> task) override { held = std::move(task); }
    std::function<void()> held;
  };
  Holder worker;
  Holder home;
  const auto token = std::make_shared<int>(0);
  run_on(
      worker, home, [token] { return 1; }, [token](int) {});
  worker.held();
  home.held();
  home.held = nullptr;
  CHECK(token.use_count() == 1);
}

}  // namespace
}  // namespace tocsin::net
