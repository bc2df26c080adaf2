// SPDX-License-Identifier: Apache-2.0
//
// DeliveryQueue is what one receiver has yet to be told. Messages are kept under a key, and a newer
// one replaces an older one that still waits; so the queue is never longer than there are things to
// say, and nothing has to be dropped because it is full. What a replaced message said of alerts
// that are over is said by the newer one, for a day, and unless it may be that which the receiver
// will not take.
//
// The oldest goes first. Attempts are repeated, with growing pauses and whatever Retry-After asks
// for, until the receiver takes the message. While the receiver is away, or says that it is busy,
// everything waits. Where it is there and fails, it may be the message: that one rests, and the
// others go on. Of a request that is refused, the halves are sent. What the receiver refuses is
// offered again now and then, for a day: a token may have expired, a path may not be there yet.
//
// Each receiver has its own: one that is slow or dead holds up nobody else. With an outbox, a
// message is written before it is sent and removed once it is delivered or refused for good, so
// that what is waiting when the process ends is sent by the next one.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "notify/channel_kinds.h"
#include "notify/codec.h"
#include "notify/outbox.h"
#include "notify/retry.h"
#include "tocsin/clock.h"

namespace tocsin::notify {

struct DeliveryStats {
  std::uint64_t sent = 0;      // Messages that the receiver took.
  std::uint64_t failed = 0;    // Attempts that did not succeed.
  std::uint64_t given_up = 0;  // Refusals: the receiver will not take this message.
  std::size_t waiting = 0;     // Messages that will be sent; not those that were refused.
  std::size_t refused = 0;     // Messages that are offered again now and then.
  std::string last_error;      // Empty while it works.
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
  // Null: messages live in memory.
  Outbox* outbox = nullptr;
};

using ContentPtr = std::shared_ptr<const Content>;

struct Message {
  std::string key;
  ContentPtr content;
  Timestamp decided_at{};
};

class DeliveryQueue {
 public:
  struct Options {
    std::string id;         // Names the queue in the outbox, the same after a restart.
    std::string receiver;   // For the log and the metrics.
    std::size_t batch = 1;  // Most messages in one request.
    std::function<Result<net::HttpRequest>(const std::vector<Message>&)> build;
    std::function<Verdict(const net::HttpResponse&)> judge;
    // An answer's text as anybody may read it; null: as it stands.
    std::function<std::string(std::string)> hide;
    TokenBucket::Rate rate;  // Requests that the receiver takes.
    // Between two attempts, where the receiver does not ask for more.
    Duration longest_pause = kLongestBackoff;
    // Whether a refused message is offered again; otherwise whoever wrote it writes it again.
    bool offers_again = false;
  };

  DeliveryQueue(const DeliveryParts& parts, Options options);
  // A request on its way is cancelled. What waits stays in the outbox.
  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  void put(Message message);
  bool has(const std::string& key) const { return waiting_.contains(key); }
  // A message that was written before the process began; a newer one of its key wins.
  void restore(Message message);
  // Everything that is not delivered yet, for a queue that takes this one's place; a request on its
  // way is cancelled. Nothing is left here.
  std::vector<Message> take_all();
  // The receiver is gone from the configuration: nobody will send what waits.
  void give_up();

  // What is not delivered yet, as far as anybody knows.
  std::vector<WrittenMessage> undelivered() const;

  const std::string& id() const { return options_.id; }
  const std::string& receiver() const { return options_.receiver; }
  DeliveryStats stats() const;

 private:
  struct Waiting {
    Message message;
    std::uint64_t version = 0;
    bool written = false;     // Durable: it may be sent.
    std::uint64_t place = 0;  // In line_; 0: it has had none yet.
    int failures = 0;         // Of this message alone.
    bool was_refused = false;
    bool was_woken = false;      // It was tried early, because another one was taken.
    Scheduler::TaskId rest = 0;  // 0: it does not rest.
  };
  enum class Place { Same, Last };

  // Whether the receiver may not take it whatever the moment: others went through, or it said so.
  static bool is_at_fault(const Waiting& waiting) {
    return waiting.was_refused || (waiting.was_woken && waiting.failures > 1);
  }
  ContentPtr instead_of_sent(const Message& newer) const;
  void note_written(const std::string& key, std::uint64_t version);
  void put_in_line(const std::string& key, Waiting& waiting);
  void take_out_of_line(Waiting& waiting);
  void rest(const std::string& key, Duration pause);
  void wake_those_that_rest();
  void remove_from_outbox(const Message& done);
  void send_next();
  std::vector<Message> take_batch();
  void finish(const net::HttpResult& result);
  bool divide(int status);
  void grow();
  void note_taken();
  void note_refused();
  void try_later(const net::HttpResult& result);
  Duration next_pause();
  bool put_back(Waiting failed);
  void put_back_and_wait(Duration pause, Place place);
  void put_all_back(Place place);
  void wait(Duration pause);
  void note_failure(const std::string& what);
  std::string describe(const net::HttpResponse& response) const;

  const DeliveryParts& parts_;
  const Options options_;
  std::map<std::string, Waiting> waiting_;
  std::map<std::uint64_t, std::string> line_;  // Keys of what may be sent now, the oldest first.
  std::set<std::string> to_be_woken_;          // Keys of what rests, once another one is taken.
  std::uint64_t last_version_ = 0;
  std::uint64_t last_place_ = 0;
  std::vector<Waiting> on_its_way_;
  net::HttpSender::RequestId request_ = 0;
  bool paused_ = false;
  Scheduler::TaskId retry_task_ = 0;
  int attempt_ = 0;
  std::size_t most_;       // Messages in the next request.
  std::size_t too_large_;  // So many were refused, though not each of them.
  int refusals_ = 0;       // In a row.
  TokenBucket bucket_;
  DeliveryStats stats_;
  // The outbox calls back later; by then the queue may be gone.
  const std::shared_ptr<DeliveryQueue*> self_ = std::make_shared<DeliveryQueue*>(this);
};

}  // namespace tocsin::notify
