// SPDX-License-Identifier: Apache-2.0
//
// Foresight does, as pages come in, some of what the next evaluations of groups will have to do:
// what was just written is still in the caches then, and at their slots the rules find most of it
// done (promql::Query::look_ahead). Their values are the same without it. Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tocsin/clock.h"

namespace tocsin::daemon {

class Foresight {
 public:
  // What is to be done for an evaluation at a time to come.
  using Work = std::function<void(Timestamp at)>;
  using Works = std::vector<Work>;

  // A group's, which owns it.
  class Group {
   public:
    explicit Group(Works works) : works_(std::move(works)) {}
    // The group's next evaluation is at `at`.
    void expect(Timestamp at) { at_ms_ = to_millis(at); }
    // Unless that is later than `until`: until then, more will have come.
    void look(Timestamp until) const;

   private:
    const Works works_;
    std::atomic<std::int64_t> at_ms_ = 0;  // 0: there is none.
  };

  std::shared_ptr<Group> add(Works works);

  // Whether it is worth it again, after a page of that moment; says so to one.
  bool is_due(Timestamp page);
  // The work of all groups whose slot is not later than `until`.
  void look(Timestamp until);

 private:
  std::vector<std::shared_ptr<Group>> groups();

  std::atomic<std::int64_t> last_ms_ = 0;  // When it was due.
  std::mutex mutex_;
  std::vector<std::weak_ptr<Group>> groups_;  // Guarded by mutex_.
};

}  // namespace tocsin::daemon
