// SPDX-License-Identifier: Apache-2.0
//
// QueryGate lets so many queries in at a time, in the order in which they came. Those that wait
// longer than they may are turned away.
//
// Loop thread only; tickets, too, are given back there.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::daemon {

class QueryGate {
 public:
  // Whoever holds one is inside; the last copy's end lets the next one in.
  using Ticket = std::shared_ptr<void>;
  using Callback = std::function<void(Result<Ticket>)>;

  // `scheduler` must outlive the gate.
  explicit QueryGate(Scheduler& scheduler, std::size_t limit = kDefaultLimit);
  ~QueryGate();
  QueryGate(const QueryGate&) = delete;
  QueryGate& operator=(const QueryGate&) = delete;

  // `then` is called once: at once where there is room, otherwise when there is, or with Timeout.
  void enter(Duration timeout, Callback then);

  std::size_t inside() const;
  std::size_t waiting() const;

  // Prometheus' --query.max-concurrency.
  static constexpr std::size_t kDefaultLimit = 20;

 private:
  struct State;

  std::shared_ptr<State> state_;
};

}  // namespace tocsin::daemon
