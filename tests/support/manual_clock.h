// SPDX-License-Identifier: Apache-2.0
//
// ManualClock is time that a test moves: a Clock and a Scheduler in one. advance() runs what
// becomes due, in order, each at its own moment. One thread.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "tocsin/clock.h"

namespace tocsin::testing {

class ManualClock : public Clock, public Scheduler {
 public:
  // 2026-11-22T17:42:00Z, unless the test wants another day.
  explicit ManualClock(Timestamp start = from_millis(1'795'369'320'000)) : now_(start) {}

  Timestamp now() const override { return now_; }
  std::chrono::nanoseconds ticks() const override { return now_.time_since_epoch(); }

  TaskId at(Timestamp when, std::function<void()> task) override {
    const TaskId id = ++last_id_;
    tasks_.emplace(std::pair(when, id), std::move(task));
    return id;
  }
  TaskId after(Duration delay, std::function<void()> task) override {
    return at(now_ + delay, std::move(task));
  }
  void cancel(TaskId id) override {
    std::erase_if(tasks_, [id](const auto& entry) { return entry.first.second == id; });
  }

  // As somebody sets it: nothing becomes due meanwhile.
  void set(Timestamp now) { now_ = now; }
  void advance(Duration step) { advance_to(now_ + step); }

  void advance_to(Timestamp end) {
    while (!tasks_.empty() && tasks_.begin()->first.first <= end) {
      auto node = tasks_.extract(tasks_.begin());
      now_ = std::max(now_, node.key().first);
      node.mapped()();
    }
    now_ = std::max(now_, end);
  }

  std::size_t pending() const { return tasks_.size(); }

 private:
  Timestamp now_;
  TaskId last_id_ = 0;
  std::map<std::pair<Timestamp, TaskId>, std::function<void()>> tasks_;
};

}  // namespace tocsin::testing
