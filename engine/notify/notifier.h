// SPDX-License-Identifier: Apache-2.0
//
// Notifier tells people: every alert that is due goes to every Alertmanager, and along the routes
// to the receivers that Tocsin serves itself. It decides nothing about alerts.
//
// Loop thread only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "notify/delivery_queue.h"
#include "notify/grouper.h"
#include "notify/muting.h"
#include "notify/notification.h"

namespace tocsin::notify {

// Seconds from an evaluation's decision to the receiver's 2xx, as a Prometheus histogram.
struct LatencyHistogram {
  static constexpr std::array<double, 9> kBounds{0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300};
  std::array<std::uint64_t, 10> counts{};  // The last is +Inf; not cumulative.
  double sum = 0;

  void observe(double seconds);
};

class Notifier {
 public:
  // `parts` must outlive the notifier; its on_delivered is not used.
  Notifier(DeliveryParts parts, NotifyConfig config);

  // Takes over a new configuration. Queues of receivers that it does not change go on; what waits
  // for a receiver that is still reached at the same place is sent with its new settings.
  void reconfigure(NotifyConfig config);

  void send(const std::vector<OutgoingAlert>& alerts);

  // Goes on where the process before ended. Call once, before the first send().
  struct Written {
    std::vector<WrittenMessage> messages;
    std::map<std::string, std::string> groups;    // By the key of Outbox::put_group().
    std::map<std::string, std::string> silences;  // By id.
  };
  void restore(const Written& written);

  // ---- Two replicas, of which one tells the receivers. Alertmanagers hear from both.

  // While it is silent, receivers are told nothing new, and what restore() finds for them is
  // withheld until it is not. Call before restore() to begin in silence.
  void set_silent(bool silent);
  // What receivers have been told and are still to be told, for the other replica.
  Written written() const;
  // The other one has told this until now, and is silent: goes on from there. What is withheld is
  // forgotten, for the other one has seen to that.
  void adopt(const Written& told);
  // The other one is gone: what it was still to tell is told from here.
  void take_messages(const std::vector<WrittenMessage>& messages);
  // The other one's silences; of two with the same id the one that was changed last holds.
  void adopt_silences(const std::map<std::string, std::string>& silences);

  struct ReceiverStatus {
    std::string name;
    DeliveryStats stats;
  };
  std::vector<ReceiverStatus> receivers() const;
  const LatencyHistogram& latency() const { return latency_; }

  // ---- Who is not told.

  // Those that hold, those to come, and those that ended in the last days.
  std::vector<Silence> silences() const { return muting_.silences.all(parts_.clock.now()); }
  // Takes a new one, or a change of one; `done` has its id, once it is written. See SilenceBook.
  using SilenceCallback = std::function<void(const Result<std::string>& id)>;
  void put_silence(Silence silence, SilenceCallback done);
  void expire_silence(const std::string& id, SilenceCallback done);
  void prune_silences();

  bool mutes_anything() const { return muting_.is_used(parts_.clock.now()); }
  // Why no receiver of our own is told now of an alert that is sent with these labels.
  std::optional<Mute> mute_of(const Labels& labels) const;
  const MuteCounts& muted() const { return grouper_.muted(); }

 private:
  using QueuePtr = std::unique_ptr<DeliveryQueue>;
  struct ChannelQueue {
    std::string receiver;
    ChannelConfig config;
    QueuePtr queue;
  };
  struct AlertmanagerQueue {
    AlertmanagerConfig config;
    QueuePtr queue;
  };

  QueuePtr make_alertmanager(const AlertmanagerConfig& config, Duration resend_delay);
  QueuePtr make_channel(const std::string& receiver, const ChannelConfig& config);
  bool keeps_incident(const ChannelConfig& channel, const GroupMessage& left) const;
  void flush(const std::string& receiver, GroupMessage message);
  void restore(const WrittenMessage& message);
  bool is_for_channel(const std::string& queue) const;
  void restore_group(const std::string& key, const std::string& content);
  void restore_silence(const std::string& id, const std::string& content);
  void save(const Silence& silence, std::function<void()> written);
  std::string new_silence_id();
  void warn_of_receivers_gone() const;
  void pass_on(DeliveryQueue& old, DeliveryQueue* heir);
  DeliveryQueue* queue_called(const std::string& id) const;
  DeliveryQueue* heir_of(const std::string& id) const;

  DeliveryParts parts_;
  NotifyConfig config_;
  std::vector<AlertmanagerQueue> alertmanagers_;
  std::vector<ChannelQueue> channels_;
  Muting muting_;
  Grouper grouper_;
  LatencyHistogram latency_;
  bool silent_ = false;
  std::vector<WrittenMessage> withheld_;  // While silent.
  std::uint64_t silence_ids_ = 0;
};

}  // namespace tocsin::notify
