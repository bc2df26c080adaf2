// SPDX-License-Identifier: Apache-2.0
//
// DeliveryQueue is what one receiver has yet to be told. Messages are kept under a key, and a newer
// one replaces an older one that still waits; so the queue is never longer than there are things to
// say, and nothing has to be dropped because it is full. Attempts are repeated, with growing pauses
// and whatever Retry-After asks for, until the receiver takes the message or refuses it for good.
//
// Each receiver has its own: one that is slow or dead holds up nobody else. The queue lives in
// memory; what is waiting when the process ends is said again by the next evaluation.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "notify/retry.h"
#include "tocsin/clock.h"

namespace tocsin::notify {

struct DeliveryStats {
  std::uint64_t sent = 0;      // Messages that the receiver took.
  std::uint64_t failed = 0;    // Attempts that did not succeed.
  std::uint64_t given_up = 0;  // Messages that the receiver will never take.
  std::size_t waiting = 0;
  std::string last_error;  // Empty while it works.
};

// What all queues share.
struct DeliveryParts {
  net::HttpSender& http;
  Scheduler& scheduler;
  const Clock& clock;
  // A number in [0, 1) for each call.
  std::function<double()> jitter;
  // Told of every message that was taken, with the moment its alert was decided.
  std::function<void(Timestamp decided_at)> on_delivered;
};

// One message: the thing itself is known only to the function that builds requests.
struct Message {
  std::string key;
  std::shared_ptr<const void> content;
  Timestamp decided_at{};
};

class DeliveryQueue {
 public:
  struct Options {
    std::string receiver;   // For the log and the metrics.
    std::size_t batch = 1;  // Most messages in one request.
    std::function<Result<net::HttpRequest>(const std::vector<Message>&)> build;
  };

  DeliveryQueue(const DeliveryParts& parts, Options options);
  // Whatever waits is forgotten, and a request on its way is cancelled.
  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  void put(Message message);
  const std::string& receiver() const { return options_.receiver; }
  DeliveryStats stats() const;

 private:
  void send_next();
  std::vector<Message> take_batch();
  void finish(const net::HttpResult& result);
  void put_back_and_wait(Duration pause);
  void note_failure(const std::string& what);
  void note_success();

  const DeliveryParts& parts_;
  const Options options_;
  std::map<std::string, Message> waiting_;
  std::vector<Message> on_its_way_;
  net::HttpSender::RequestId request_ = 0;
  bool paused_ = false;
  Scheduler::TaskId retry_task_ = 0;
  int attempt_ = 0;
  DeliveryStats stats_;
};

}  // namespace tocsin::notify
