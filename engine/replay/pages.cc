// SPDX-License-Identifier: Apache-2.0
#include "replay/pages.h"

#include <algorithm>
#include <map>
#include <set>

#include "notify/grouper.h"

namespace tocsin::replay {
namespace {

// Time is what run_until() says; tasks run when it passes them.
class VirtualTime : public Clock, public Scheduler {
 public:
  Timestamp now() const override { return now_; }
  std::chrono::nanoseconds ticks() const override { return now_.time_since_epoch(); }

  TaskId at(Timestamp when, std::function<void()> task) override {
    tasks_.emplace(std::pair(when, ++last_id_), std::move(task));
    return last_id_;
  }
  TaskId after(Duration delay, std::function<void()> task) override {
    return at(now_ + delay, std::move(task));
  }
  void cancel(TaskId id) override {
    std::erase_if(tasks_, [id](const auto& entry) { return entry.first.second == id; });
  }

  void run_until(Timestamp until) {
    while (!tasks_.empty() && tasks_.begin()->first.first <= until) {
      auto next = tasks_.extract(tasks_.begin());
      now_ = std::max(now_, next.key().first);
      next.mapped()();
    }
    now_ = std::max(now_, until);
  }

 private:
  Timestamp now_{};
  TaskId last_id_ = 0;
  std::map<std::pair<Timestamp, TaskId>, std::function<void()>> tasks_;
};

class Mailroom {
 public:
  explicit Mailroom(const notify::NotifyConfig& config)
      : config_(config),
        grouper_({time_, time_, nullptr, muting_},
                 [this](const std::string& receiver, const notify::GroupMessage& message) {
                   post(receiver, message);
                 }) {
    muting_.use(config_);
    for (const notify::ReceiverConfig& receiver : config_.receivers) {
      const bool hears = std::any_of(receiver.channels.begin(), receiver.channels.end(),
                                     [](const auto& channel) { return channel.send_resolved; });
      if (!hears && !receiver.channels.empty()) deaf_to_ends_.insert(receiver.name);
    }
  }

  void run_until(Timestamp at) { time_.run_until(at); }

  void send(const Sending& sending) {
    run_until(sending.at);
    notify::Grouper::Unsaved unsaved;
    for (std::size_t i = 0; i < sending.alerts.size(); ++i) {
      const notify::OutgoingAlert& alert = sending.alerts[i];
      known_[alert.labels] = {sending.rule, sending.labels[i]};
      if (alert.resolved) {
        muting_.inhibitor.note_resolved(alert.labels);
      } else {
        muting_.inhibitor.note_firing(alert.labels, alert.ends_at, sending.at);
      }
      for (const auto& destination : notify::destinations_of(*config_.route, alert.labels)) {
        grouper_.add(destination, alert, unsaved);
      }
    }
  }

  std::vector<Page> take() { return std::move(pages_); }

 private:
  void post(const std::string& receiver, const notify::GroupMessage& message) {
    Page page{time_.now(), receiver, {}, {}};
    for (const notify::OutgoingAlert& alert : message.alerts) {
      if (alert.resolved && deaf_to_ends_.count(receiver) > 0) continue;
      (alert.resolved ? page.resolved : page.firing).push_back(known_[alert.labels]);
    }
    if (!page.firing.empty() || !page.resolved.empty()) pages_.push_back(std::move(page));
  }

  const notify::NotifyConfig& config_;
  VirtualTime time_;
  notify::Muting muting_;
  notify::Grouper grouper_;
  std::set<std::string> deaf_to_ends_;  // Receivers that are not told of what is over.
  std::map<Labels, ToldAlert> known_;   // By their labels outside.
  std::vector<Page> pages_;
};

}  // namespace

notify::NotifyConfig plain_routes() {
  notify::NotifyConfig config;
  notify::RouteConfig route;
  route.receiver = "everybody";
  route.group_by = {"..."};
  route.group_wait = Duration(0);
  route.group_interval = std::chrono::seconds(15);
  config.route = std::move(route);
  config.receivers.push_back({"everybody", {}});
  return config;
}

std::vector<Page> pages_of(std::vector<Sending> sendings, const notify::NotifyConfig& config,
                           Timestamp until) {
  if (!config.route) return {};
  std::stable_sort(sendings.begin(), sendings.end(),
                   [](const Sending& a, const Sending& b) { return a.at < b.at; });
  Mailroom mailroom(config);
  for (const Sending& sending : sendings) mailroom.send(sending);
  mailroom.run_until(until);
  return mailroom.take();
}

}  // namespace tocsin::replay
