// SPDX-License-Identifier: Apache-2.0
//
// Grouper gathers the alerts of one receiver's group and says when the receiver hears of them:
// group_wait after the first, then every group_interval if something changed, and every
// repeat_interval while something fires. Alertmanager's dispatcher, for receivers that Tocsin
// talks to itself.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "notify/payload.h"
#include "notify/route.h"
#include "tocsin/clock.h"

namespace tocsin::notify {

class Grouper {
 public:
  // Called with what a receiver is to be told.
  using Flush = std::function<void(const std::string& receiver, GroupMessage message)>;

  Grouper(Scheduler& scheduler, const Clock& clock, Flush flush)
      : scheduler_(scheduler), clock_(clock), flush_(std::move(flush)) {}
  ~Grouper();
  Grouper(const Grouper&) = delete;
  Grouper& operator=(const Grouper&) = delete;

  // Takes an alert into the group of `destination`.
  void add(const Destination& destination, const OutgoingAlert& alert);

  std::size_t group_count() const { return groups_.size(); }

 private:
  struct Group {
    RouteConfig timing;  // Its receiver and intervals; no routes.
    Labels labels;
    std::map<Labels, OutgoingAlert> alerts;
    bool changed = false;
    Timestamp last_flush{};
    Scheduler::TaskId task = 0;
  };

  void schedule(const std::string& key, Group& group, Duration delay);
  void tick(const std::string& key);

  Scheduler& scheduler_;
  const Clock& clock_;
  Flush flush_;
  std::map<std::string, Group> groups_;  // By group key and receiver.
};

}  // namespace tocsin::notify
