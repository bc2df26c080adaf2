// SPDX-License-Identifier: Apache-2.0
//
// Loop is the one thread that decides: timers, server sessions, and every callback of the HTTP
// client run on it. Nothing on it may block.
#pragma once

#include <functional>
#include <memory>

#include "net/executor.h"
#include "tocsin/clock.h"

namespace tocsin::net {

class Loop : public Scheduler, public Executor {
 public:
  // `speed` says how many times faster than the machine's time `clock` runs (see FastClock).
  // `clock` must outlive the loop.
  explicit Loop(const Clock& clock, double speed = 1.0);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Makes the calling thread the loop thread, until stop(). May be called again afterwards.
  void run();
  // Any thread; also before run(), which then returns at once.
  void stop();

  // Any thread.
  void post(std::function<void()> task) override;

  // Calls `handler` on the loop thread each time the process receives `signal`. Loop thread, or
  // before run().
  void on_signal(int signal, std::function<void()> handler);

  // Calls `handler` on the loop thread when the wall clock has gone another way than time, by half
  // a minute or more: somebody has set it, or the machine has slept. Before run().
  void on_clock_step(std::function<void(Duration step)> handler);

  const Clock& clock() const { return clock_; }

  // Scheduler. Loop thread, or before run(). A step of the wall clock is noticed within a second.
  TaskId at(Timestamp when, std::function<void()> task) override;
  TaskId after(Duration delay, std::function<void()> task) override;
  void cancel(TaskId id) override;

  // For the rest of this layer; net/loop_native.h.
  struct Native;
  Native& native() { return *native_; }

 private:
  void arm();
  void run_due();
  bool note_clock_step(Timestamp now);

  const Clock& clock_;
  const double speed_;
  std::unique_ptr<Native> native_;
};

}  // namespace tocsin::net
