// SPDX-License-Identifier: Apache-2.0
#include "notify/delivery_queue.h"

#include <algorithm>

#include "base/log.h"
#include "tocsin/duration.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kShownBodyBytes = 200;

std::string describe(const net::HttpResponse& response) {
  std::string text = "status " + std::to_string(response.status);
  if (!response.body.empty()) text += ": " + response.body.substr(0, kShownBodyBytes);
  return text;
}

}  // namespace

DeliveryQueue::DeliveryQueue(const DeliveryParts& parts, Options options)
    : parts_(parts), options_(std::move(options)), bucket_(options_.rate) {}

DeliveryQueue::~DeliveryQueue() {
  if (!on_its_way_.empty()) parts_.http.cancel(request_);
  if (paused_) parts_.scheduler.cancel(retry_task_);
}

void DeliveryQueue::put(Message message) {
  const std::uint64_t version = ++last_version_;
  const std::string key = message.key;
  if (parts_.outbox) {
    parts_.outbox->put({options_.id, key, encode(*message.content), message.decided_at},
                       [self = std::weak_ptr(self_), key, version] {
                         if (const auto queue = self.lock()) (*queue)->note_written(key, version);
                       });
  }
  waiting_[key] = {std::move(message), version, parts_.outbox == nullptr};
  if (!parts_.outbox) send_next();  // Otherwise once it is written.
}

void DeliveryQueue::restore(Message message) {
  std::string key = message.key;
  waiting_.try_emplace(std::move(key), Waiting{std::move(message), 0, true});
  send_next();
}

std::vector<Message> DeliveryQueue::take_all() {
  if (!on_its_way_.empty()) parts_.http.cancel(request_);
  std::vector<Message> all = std::move(on_its_way_);
  on_its_way_.clear();
  std::erase_if(all, [this](const Message& sent) { return waiting_.count(sent.key) > 0; });
  for (auto& [key, waiting] : waiting_) all.push_back(std::move(waiting.message));
  waiting_.clear();
  return all;
}

std::vector<WrittenMessage> DeliveryQueue::undelivered() const {
  std::vector<WrittenMessage> out;
  const auto add = [&](const Message& message) {
    out.push_back({options_.id, message.key, encode(*message.content), message.decided_at});
  };
  for (const Message& sent : on_its_way_) {
    if (waiting_.count(sent.key) == 0) add(sent);
  }
  for (const auto& [key, waiting] : waiting_) add(waiting.message);
  return out;
}

void DeliveryQueue::give_up() {
  const std::vector<Message> left = take_all();
  if (left.empty()) return;
  remove_from_outbox(left);
  log::warn("a receiver is gone, and what it was still to be told",
            {{"receiver", options_.receiver}, {"messages", std::to_string(left.size())}});
}

// A version that has been replaced meanwhile is no longer there to be sent.
void DeliveryQueue::note_written(const std::string& key, std::uint64_t version) {
  const auto it = waiting_.find(key);
  if (it == waiting_.end() || it->second.version != version) return;
  it->second.written = true;
  send_next();
}

DeliveryStats DeliveryQueue::stats() const {
  DeliveryStats stats = stats_;
  stats.waiting = waiting_.size() + on_its_way_.size();
  return stats;
}

bool DeliveryQueue::has_sendable() const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [](const auto& entry) { return entry.second.written; });
}

std::vector<Message> DeliveryQueue::take_batch() {
  std::vector<Message> batch;
  for (auto it = waiting_.begin(); it != waiting_.end() && batch.size() < options_.batch;) {
    if (!it->second.written) {
      ++it;
      continue;
    }
    batch.push_back(std::move(it->second.message));
    it = waiting_.erase(it);
  }
  return batch;
}

// What a newer message has replaced is the newer one's record.
void DeliveryQueue::remove_from_outbox(const std::vector<Message>& done) {
  if (!parts_.outbox) return;
  for (const Message& message : done) {
    if (waiting_.count(message.key) == 0) parts_.outbox->remove(options_.id, message.key);
  }
}

Duration DeliveryQueue::next_pause() {
  return std::min(backoff(++attempt_, parts_.jitter()), options_.longest_pause);
}

void DeliveryQueue::send_next() {
  if (paused_ || !on_its_way_.empty() || !has_sendable()) return;
  if (const Duration pause = bucket_.wait(parts_.clock.now()); pause.count() > 0) {
    return wait(pause);
  }
  bucket_.take(parts_.clock.now());
  on_its_way_ = take_batch();
  auto request = options_.build(on_its_way_);
  if (!request) {
    note_failure(request.error().message);
    return put_back_and_wait(next_pause());
  }
  request_ = parts_.http.send(std::move(*request),
                              [this](const net::HttpResult& result) { finish(result); });
}

void DeliveryQueue::finish(const net::HttpResult& result) {
  const Verdict verdict = result ? options_.judge(*result) : Verdict::Retry;
  if (verdict == Verdict::Delivered) {
    stats_.sent += on_its_way_.size();
    for (const Message& message : on_its_way_) parts_.on_delivered(message.decided_at);
    note_success();
  } else {
    note_failure(result ? describe(*result) : result.error().message);
  }
  if (verdict == Verdict::Retry) {
    Duration pause = next_pause();
    if (result) {
      pause = asked_pause(*result, parts_.clock.now()).value_or(pause);
    }
    return put_back_and_wait(pause);
  }
  if (verdict == Verdict::GiveUp) {
    stats_.given_up += on_its_way_.size();
    log::error("a receiver refuses messages for good",
               {{"receiver", options_.receiver},
                {"messages", std::to_string(on_its_way_.size())},
                {"error", stats_.last_error}});
  }
  attempt_ = 0;
  remove_from_outbox(on_its_way_);
  on_its_way_.clear();
  send_next();
}

// What a newer message has replaced meanwhile is not put back.
void DeliveryQueue::put_back_and_wait(Duration pause) {
  for (Message& message : on_its_way_) {
    std::string key = message.key;
    waiting_.try_emplace(std::move(key), Waiting{std::move(message), 0, true});
  }
  on_its_way_.clear();
  wait(pause);
}

void DeliveryQueue::wait(Duration pause) {
  paused_ = true;
  retry_task_ = parts_.scheduler.after(pause, [this] {
    paused_ = false;
    send_next();
  });
}

void DeliveryQueue::note_failure(const std::string& what) {
  ++stats_.failed;
  if (stats_.last_error != what) {
    log::warn("cannot deliver", {{"receiver", options_.receiver}, {"error", what}});
  }
  stats_.last_error = what;
}

void DeliveryQueue::note_success() {
  if (!stats_.last_error.empty()) log::info("delivers again", {{"receiver", options_.receiver}});
  stats_.last_error.clear();
}

}  // namespace tocsin::notify
