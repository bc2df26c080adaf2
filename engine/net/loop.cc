// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "net/loop_native.h"

namespace tocsin::net {
namespace {

namespace asio = boost::asio;

// The longest sleep: how late a step of the wall clock is noticed.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::seconds(1);
constexpr Duration kLeastStep = std::chrono::seconds(30);
constexpr std::chrono::nanoseconds kShortestWait = std::chrono::microseconds(100);

void wait_for_signal(asio::signal_set& set, const std::function<void()>& handler) {
  set.async_wait([&set, handler](const boost::system::error_code& error, int) {
    if (error) return;
    wait_for_signal(set, handler);
    handler();
  });
}

}  // namespace

Loop::Loop(const Clock& clock, double speed)
    : clock_(clock), speed_(speed), native_(std::make_unique<Native>()) {}

Loop::~Loop() = default;

void Loop::run() {
  native_->io.restart();
  native_->last_now = clock_.now();
  native_->last_ticks = clock_.ticks();
  arm();
  native_->io.run();
}

void Loop::stop() {
  post([this] { native_->io.stop(); });
}

void Loop::post(std::function<void()> task) { asio::post(native_->io, std::move(task)); }

void Loop::on_signal(int signal, std::function<void()> handler) {
  native_->signals.emplace_back(native_->io, signal);
  wait_for_signal(native_->signals.back(), handler);
}

void Loop::on_clock_step(std::function<void(Duration step)> handler) {
  native_->on_clock_step = std::move(handler);
}

Scheduler::TaskId Loop::at(Timestamp when, std::function<void()> task) {
  const TaskId id = ++native_->last_id;
  const auto place = native_->tasks.emplace(std::pair(when, id), std::move(task)).first;
  native_->due.emplace(id, when);
  if (place == native_->tasks.begin()) arm();
  return id;
}

Scheduler::TaskId Loop::after(Duration delay, std::function<void()> task) {
  return at(clock_.now() + delay, std::move(task));
}

void Loop::cancel(TaskId id) {
  const auto it = native_->due.find(id);
  if (it == native_->due.end()) return;
  native_->tasks.erase({it->second, id});
  native_->due.erase(it);
}

void Loop::arm() {
  if (native_->tasks.empty()) {
    native_->timer.cancel();
    return;
  }
  const std::chrono::duration<double, std::milli> left =
      native_->tasks.begin()->first.first - clock_.now();
  const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(left / speed_);
  native_->timer.expires_after(std::clamp(wait, kShortestWait, kLongestWait));
  native_->timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) run_due();
  });
}

// Says whether somebody was told of a step.
bool Loop::note_clock_step(Timestamp now) {
  const std::chrono::nanoseconds ticks = clock_.ticks();
  const std::chrono::duration<double, std::milli> passed = (ticks - native_->last_ticks) * speed_;
  const Duration step = now - native_->last_now - std::chrono::duration_cast<Duration>(passed);
  native_->last_now = now;
  native_->last_ticks = ticks;
  if (std::chrono::abs(step) < kLeastStep || !native_->on_clock_step) return false;
  native_->on_clock_step(step);
  return true;
}

void Loop::run_due() {
  const Timestamp now = clock_.now();
  // Whoever stops the loop because the clock was set wants nothing done by the new time.
  if (note_clock_step(now)) return arm();
  // What the tasks add waits for the next round, which looks at the clock first: set back
  // meanwhile, a task that comes every second would be due for an hour.
  const TaskId newest = native_->last_id;
  const auto is_due = [&](const auto& task) {
    return task.first.first <= now && task.first.second <= newest;
  };
  while (!native_->tasks.empty() && is_due(*native_->tasks.begin())) {
    auto node = native_->tasks.extract(native_->tasks.begin());
    native_->due.erase(node.key().second);
    node.mapped()();
  }
  arm();
}

}  // namespace tocsin::net
