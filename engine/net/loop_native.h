// SPDX-License-Identifier: Apache-2.0
//
// What a Loop is made of. For the .cc files of this layer, which may include Boost.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>

#include "net/loop.h"

namespace tocsin::net {

struct Loop::Native {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{io.get_executor()};
  boost::asio::steady_timer timer{io};
  std::list<boost::asio::signal_set> signals;
  // In the order in which they are due; the id breaks ties, so first come is first served.
  std::map<std::pair<Timestamp, TaskId>, std::function<void()>> tasks;
  std::unordered_map<TaskId, Timestamp> due;
  TaskId last_id = 0;
  // When the clocks were last compared.
  Timestamp last_now{};
  std::chrono::nanoseconds last_ticks{0};
  std::function<void(Duration step)> on_clock_step;
};

}  // namespace tocsin::net
