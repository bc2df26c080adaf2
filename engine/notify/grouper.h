// SPDX-License-Identifier: Apache-2.0
//
// Grouper gathers the alerts of one receiver's group and says when the receiver hears of them:
// group_wait after the first, then every group_interval if something changed, and every
// repeat_interval while something fires. Alertmanager's dispatcher, for receivers that Tocsin
// talks to itself. With an outbox, what a group has been told survives the process.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "notify/codec.h"
#include "notify/outbox.h"
#include "notify/payload.h"
#include "notify/route.h"
#include "tocsin/clock.h"

namespace tocsin::notify {

class Grouper {
 public:
  // Called with what a receiver is to be told.
  using Flush = std::function<void(const std::string& receiver, GroupMessage message)>;

  // `outbox` may be null.
  Grouper(Scheduler& scheduler, const Clock& clock, Outbox* outbox, Flush flush)
      : scheduler_(scheduler), clock_(clock), outbox_(outbox), flush_(std::move(flush)) {}
  ~Grouper();
  Grouper(const Grouper&) = delete;
  Grouper& operator=(const Grouper&) = delete;

  // Keys of groups that have changed and are to be written.
  using Unsaved = std::set<std::string>;

  // Takes an alert into the group of `destination`. Once all that come together are in, save(): a
  // group of thousands is written once and not for each of them.
  void add(const Destination& destination, const OutgoingAlert& alert, Unsaved& unsaved);
  void save(const Unsaved& unsaved);

  // Goes on with a group as it was written; what became due meanwhile is flushed soon.
  void restore(const std::string& key, GroupState group);

  std::size_t group_count() const { return groups_.size(); }

 private:
  struct Group {
    GroupState state;
    Scheduler::TaskId task = 0;
  };

  void schedule(const std::string& key, Group& group, Duration delay);
  void save(const std::string& key, const GroupState& state);
  void tick(const std::string& key);

  Scheduler& scheduler_;
  const Clock& clock_;
  Outbox* outbox_;
  Flush flush_;
  std::map<std::string, Group> groups_;  // By group key and receiver.
};

}  // namespace tocsin::notify
