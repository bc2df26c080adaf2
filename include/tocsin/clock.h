// SPDX-License-Identifier: Apache-2.0
//
// Time. Below `insight` it is an argument (a Timestamp); above, it is an object (Clock, Scheduler),
// so that tests and the demo decide how fast it runs. engine/base/clock.cc is the only file that
// asks the machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace tocsin {

// Milliseconds, the resolution of Prometheus' timestamps.
using Duration = std::chrono::milliseconds;
// Milliseconds since 1970-01-01 UTC.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, Duration>;

constexpr Timestamp from_millis(std::int64_t ms) { return Timestamp(Duration(ms)); }
constexpr std::int64_t to_millis(Timestamp at) { return at.time_since_epoch().count(); }
constexpr double to_seconds(Duration d) { return static_cast<double>(d.count()) / 1000.0; }
constexpr double to_seconds(Timestamp at) { return to_seconds(at.time_since_epoch()); }

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock: what samples and alerts are stamped with.
  virtual Timestamp now() const = 0;

  // Time since some fixed moment; never goes back. For measuring how long something took.
  virtual std::chrono::nanoseconds ticks() const = 0;
};

// The machine's clocks.
class SystemClock : public Clock {
 public:
  Timestamp now() const override;
  std::chrono::nanoseconds ticks() const override;
};

// A clock that starts at the machine's time and runs `speed` times as fast: the demo lives an hour
// in a minute. ticks() stays the machine's own, so that measured costs are true.
class FastClock : public Clock {
 public:
  explicit FastClock(double speed);
  Timestamp now() const override;
  std::chrono::nanoseconds ticks() const override;

 private:
  const Timestamp start_;
  const std::chrono::nanoseconds start_ticks_;
  const double speed_;
};

// Runs tasks later, on the loop thread. All methods: loop thread only.
class Scheduler {
 public:
  using TaskId = std::uint64_t;
  virtual ~Scheduler() = default;

  // Runs `task` once, when Clock::now() reaches `when`; soon, if that moment has passed.
  virtual TaskId at(Timestamp when, std::function<void()> task) = 0;
  virtual TaskId after(Duration delay, std::function<void()> task) = 0;

  // A task that has run or was cancelled before is ignored.
  virtual void cancel(TaskId id) = 0;
};

}  // namespace tocsin
