// SPDX-License-Identifier: Apache-2.0
//
// Grouper gathers the alerts of one receiver's group and says when the receiver hears of them:
// group_wait after the first, then every group_interval if something changed, and every
// repeat_interval while something fires. Alertmanager's dispatcher, for receivers that Tocsin
// talks to itself. With an outbox, what a group has been told survives the process.
//
// What is muted when a group is flushed is left out, and told by the first flush after that if it
// still fires. What a reload sends another way is closed in the group that it leaves, for those who
// keep an incident of each group. Differs from Alertmanager: whoever was told that an alert fires
// is told that it is over, muted or not; only a muted route waits with it until it may speak.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "notify/codec.h"
#include "notify/muting.h"
#include "notify/outbox.h"
#include "notify/payload.h"
#include "notify/route.h"
#include "tocsin/clock.h"

namespace tocsin::notify {

class Grouper {
 public:
  // Called with what a receiver is to be told.
  using Flush = std::function<void(const std::string& receiver, GroupMessage message)>;

  // What outlives the grouper; `outbox` may be null.
  struct Parts {
    Scheduler& scheduler;
    const Clock& clock;
    Outbox* outbox;
    const Muting& muting;
  };
  Grouper(const Parts& parts, Flush flush) : parts_(parts), flush_(std::move(flush)) {}
  ~Grouper();
  Grouper(const Grouper&) = delete;
  Grouper& operator=(const Grouper&) = delete;

  // Keys of groups that have changed and are to be written.
  using Unsaved = std::set<std::string>;

  // Rules have spoken, though it may be of nothing that add() is told of. What they no longer
  // confirm is forgotten after a while.
  void note_heard() { last_heard_ = parts_.clock.now(); }

  // The routes may lead what is told elsewhere from now on.
  void note_new_routes();
  // What rules say of such an alert next decides: it has left the groups that are not among these,
  // or, if it is over, they are the ones to hear that.
  void leave_others(const OutgoingAlert& alert, const std::vector<Destination>& destinations,
                    Unsaved& unsaved);

  // Takes an alert into the group of `destination`. Once all that come together are in, save(): a
  // group of thousands is written once and not for each of them.
  void add(const Destination& destination, const OutgoingAlert& alert, Unsaved& unsaved);
  void save(const Unsaved& unsaved);

  bool has(const std::string& receiver, const std::string& group_key) const {
    return groups_.contains(receiver + "|" + group_key);
  }

  // How many alerts each receiver, by its name, believes to fire.
  std::map<std::string, std::size_t> believed() const;

  // Goes on with a group as it was written; what became due meanwhile is flushed soon.
  void restore(const std::string& key, GroupState group);

  // Whether receivers are told. While they are not, groups are kept up to date, so that one can go
  // on at any moment; what ends meanwhile is kept for ten minutes, in case nobody has told that.
  void set_silent(bool silent);

  // Every group as Outbox::put_group() has it.
  std::map<std::string, std::string> written() const;
  // Another replica has told this, and nothing else: what it has told is no news here, and what it
  // has not told is.
  void adopt(const std::map<std::string, GroupState>& told);

  const MuteCounts& muted() const { return muted_; }

 private:
  struct Group {
    GroupState state;
    Scheduler::TaskId task = 0;
  };

  void schedule(const std::string& key, Group& group, Duration delay);
  void save(const std::string& key, const GroupState& state);
  Duration due_in(const GroupState& group) const;
  void tick(const std::string& key);
  void note_places(const std::string& key, const GroupState& group);
  bool close_left(const std::string& key, GroupState& group);
  void forget_old(GroupState& group) const;
  bool hold_back(GroupState& group);
  bool tell(const std::string& key, GroupState& group);

  const Parts parts_;
  Flush flush_;
  bool silent_ = false;
  Timestamp last_heard_{};
  // Alerts of groups that another replica has told to be over. Rules that have not seen that yet,
  // because they cannot see, do not make them news.
  std::set<std::pair<std::string, Labels>> over_elsewhere_;
  MuteCounts muted_{};
  std::map<std::string, Group> groups_;  // By receiver and group key.
  // Where alerts were told before the routes changed, until they are heard of again.
  std::map<Labels, std::set<std::string>> old_places_;
};

}  // namespace tocsin::notify
