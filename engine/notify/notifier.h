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
    std::map<std::string, std::string> groups;  // By the key of Outbox::put_group().
  };
  void restore(const Written& written);

  struct ReceiverStatus {
    std::string name;
    DeliveryStats stats;
  };
  std::vector<ReceiverStatus> receivers() const;
  const LatencyHistogram& latency() const { return latency_; }

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

  QueuePtr make_alertmanager(const AlertmanagerConfig& config);
  QueuePtr make_channel(const std::string& receiver, const ChannelConfig& config);
  void flush(const std::string& receiver, GroupMessage message);
  void restore(const WrittenMessage& message);
  void replace(DeliveryQueue& old);
  DeliveryQueue* queue_called(const std::string& id) const;

  DeliveryParts parts_;
  NotifyConfig config_;
  std::vector<AlertmanagerQueue> alertmanagers_;
  std::vector<ChannelQueue> channels_;
  Grouper grouper_;
  LatencyHistogram latency_;
};

}  // namespace tocsin::notify
