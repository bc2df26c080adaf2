// SPDX-License-Identifier: Apache-2.0
#include "daemon/query_gate.h"

#include <utility>

namespace tocsin::daemon {
namespace {

struct Waiting {
  std::uint64_t number = 0;
  Scheduler::TaskId timeout = 0;
  QueryGate::Callback then;
};

}  // namespace

struct QueryGate::State : public std::enable_shared_from_this<State> {
  State(Scheduler& of, std::size_t at_most) : scheduler(of), limit(at_most) {}

  Ticket ticket() {
    ++inside;
    return Ticket(this, [weak = weak_from_this()](void*) {
      if (const auto state = weak.lock()) state->leave();
    });
  }

  void wait(Duration timeout, Callback then) {
    const std::uint64_t number = ++last_number;
    const auto task = scheduler.after(timeout, [weak = weak_from_this(), number] {
      if (const auto state = weak.lock()) state->turn_away(number);
    });
    waiting.push_back({number, task, std::move(then)});
  }

  void leave() {
    --inside;
    if (waiting.empty()) return;
    const Waiting next = std::move(waiting.front());
    waiting.pop_front();
    scheduler.cancel(next.timeout);
    next.then(ticket());
  }

  void turn_away(std::uint64_t number) {
    for (auto it = waiting.begin(); it != waiting.end(); ++it) {
      if (it->number != number) continue;
      const Callback then = std::move(it->then);
      waiting.erase(it);
      return then(fail(ErrorCode::Timeout, "query timed out in query queue"));
    }
  }

  Scheduler& scheduler;
  const std::size_t limit;
  std::size_t inside = 0;
  std::uint64_t last_number = 0;
  std::deque<Waiting> waiting;
};

QueryGate::QueryGate(Scheduler& scheduler, std::size_t limit)
    : state_(std::make_shared<State>(scheduler, limit)) {}

QueryGate::~QueryGate() {
  for (const Waiting& waiting : state_->waiting) state_->scheduler.cancel(waiting.timeout);
  state_->waiting.clear();
}

void QueryGate::enter(Duration timeout, Callback then) {
  if (state_->inside < state_->limit) return then(state_->ticket());
  state_->wait(timeout, std::move(then));
}

std::size_t QueryGate::inside() const { return state_->inside; }
std::size_t QueryGate::waiting() const { return state_->waiting.size(); }

}  // namespace tocsin::daemon
