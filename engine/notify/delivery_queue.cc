// SPDX-License-Identifier: Apache-2.0
#include "notify/delivery_queue.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "tocsin/duration.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kShownBodyBytes = 200;
// How often a refused message is offered again, and for how long; and for how long newer messages
// say what an older one could not.
constexpr Duration kBetweenOffers = kLongestBackoff;
constexpr Duration kOffered = std::chrono::hours(24);
// So many refusals in a row are not about one message or the other.
constexpr int kMostRefusals = 16;

// What is to be said instead of `older`, which nobody has heard.
ContentPtr in_place_of(const Content& older, const Message& newer) {
  const auto* before = std::get_if<GroupMessage>(&older);
  const auto* after = std::get_if<GroupMessage>(newer.content.get());
  if (!before || !after) return newer.content;
  auto whole = with_ends_of(*before, *after, newer.decided_at - kOffered);
  return whole ? std::make_shared<const Content>(std::move(*whole)) : newer.content;
}

}  // namespace

DeliveryQueue::DeliveryQueue(const DeliveryParts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      most_(options_.batch),
      too_large_(options_.batch + 1),
      bucket_(options_.rate) {}

DeliveryQueue::~DeliveryQueue() {
  if (!on_its_way_.empty()) parts_.http.cancel(request_);
  if (paused_) parts_.scheduler.cancel(retry_task_);
  for (auto& [key, waiting] : waiting_) take_out_of_line(waiting);
}

// ---- What waits.

void DeliveryQueue::put(Message message) {
  const std::string key = message.key;
  const std::uint64_t version = ++last_version_;
  Waiting& waiting = waiting_[key];
  take_out_of_line(waiting);
  if (waiting.message.content && !is_at_fault(waiting)) {
    message.content = in_place_of(*waiting.message.content, message);
  }
  waiting = {.message = std::move(message),
             .version = version,
             .written = parts_.outbox == nullptr,
             .place = waiting.place};
  if (waiting.written) {
    put_in_line(key, waiting);
    return send_next();
  }
  const Message& put = waiting.message;
  parts_.outbox->put({options_.id, key, encode(*instead_of_sent(put)), put.decided_at},
                     [self = std::weak_ptr(self_), key, version] {
                       if (const auto queue = self.lock()) (*queue)->note_written(key, version);
                     });
}

// What is to be said should the process end before the older message that is on its way arrives.
ContentPtr DeliveryQueue::instead_of_sent(const Message& newer) const {
  for (const Waiting& sent : on_its_way_) {
    if (sent.message.key != newer.key || is_at_fault(sent)) continue;
    return in_place_of(*sent.message.content, newer);
  }
  return newer.content;
}

void DeliveryQueue::restore(Message message) {
  const std::string key = message.key;
  const auto [it, is_new] = waiting_.try_emplace(key);
  if (!is_new) return;
  it->second.message = std::move(message);
  it->second.written = true;
  put_in_line(key, it->second);
  send_next();
}

// A version that has been replaced meanwhile is no longer there to be sent.
void DeliveryQueue::note_written(const std::string& key, std::uint64_t version) {
  const auto it = waiting_.find(key);
  if (it == waiting_.end() || it->second.version != version) return;
  it->second.written = true;
  put_in_line(key, it->second);
  send_next();
}

// Whoever had a place before has it again.
void DeliveryQueue::put_in_line(const std::string& key, Waiting& waiting) {
  if (waiting.place == 0) waiting.place = ++last_place_;
  line_.emplace(waiting.place, key);
}

void DeliveryQueue::take_out_of_line(Waiting& waiting) {
  line_.erase(waiting.place);
  if (waiting.rest != 0) parts_.scheduler.cancel(std::exchange(waiting.rest, 0));
}

void DeliveryQueue::rest(const std::string& key, Duration pause) {
  waiting_[key].rest = parts_.scheduler.after(pause, [this, key] {
    Waiting& waiting = waiting_[key];
    waiting.rest = 0;
    put_in_line(key, waiting);
    send_next();
  });
}

// The receiver was away, perhaps, and each of them has found out for itself.
void DeliveryQueue::wake_those_that_rest() {
  for (const std::string& key : std::exchange(to_be_woken_, {})) {
    const auto it = waiting_.find(key);
    if (it == waiting_.end() || it->second.rest == 0) continue;
    take_out_of_line(it->second);
    it->second.was_woken = true;
    put_in_line(key, it->second);
  }
}

std::vector<Message> DeliveryQueue::take_all() {
  if (!on_its_way_.empty()) parts_.http.cancel(request_);
  for (Waiting& sent : std::exchange(on_its_way_, {})) {
    Message& newer = waiting_[sent.message.key].message;
    if (newer.content) {
      newer.content = in_place_of(*sent.message.content, newer);
    } else {
      newer = std::move(sent.message);
    }
  }
  std::vector<Waiting> left;
  for (auto& [key, waiting] : waiting_) {
    take_out_of_line(waiting);
    left.push_back(std::move(waiting));
  }
  waiting_.clear();
  std::stable_sort(left.begin(), left.end(),
                   [](const Waiting& a, const Waiting& b) { return a.place < b.place; });
  std::vector<Message> all;
  for (Waiting& waiting : left) all.push_back(std::move(waiting.message));
  return all;
}

std::vector<WrittenMessage> DeliveryQueue::undelivered() const {
  std::vector<WrittenMessage> out;
  const auto add = [&](const Message& message) {
    const std::string content = encode(*instead_of_sent(message));
    out.push_back({options_.id, message.key, content, message.decided_at});
  };
  for (const Waiting& sent : on_its_way_) {
    if (waiting_.count(sent.message.key) == 0) add(sent.message);
  }
  for (const auto& [key, waiting] : waiting_) add(waiting.message);
  return out;
}

void DeliveryQueue::give_up() {
  const std::vector<Message> left = take_all();
  if (left.empty()) return;
  for (const Message& message : left) remove_from_outbox(message);
  log::warn("a receiver is gone, and what it was still to be told",
            {{"receiver", options_.receiver}, {"messages", std::to_string(left.size())}});
}

DeliveryStats DeliveryQueue::stats() const {
  DeliveryStats stats = stats_;
  stats.refused = static_cast<std::size_t>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [](const auto& entry) { return entry.second.was_refused; }));
  stats.waiting = waiting_.size() + on_its_way_.size() - stats.refused;
  return stats;
}

// What a newer message has replaced is the newer one's record.
void DeliveryQueue::remove_from_outbox(const Message& done) {
  if (parts_.outbox && waiting_.count(done.key) == 0) {
    parts_.outbox->remove(options_.id, done.key);
  }
}

// ---- What is sent.

std::vector<Message> DeliveryQueue::take_batch() {
  std::vector<Message> batch;
  while (!line_.empty() && batch.size() < most_) {
    auto first = waiting_.extract(line_.begin()->second);
    line_.erase(line_.begin());
    batch.push_back(first.mapped().message);
    on_its_way_.push_back(std::move(first.mapped()));
  }
  return batch;
}

void DeliveryQueue::send_next() {
  if (paused_ || !on_its_way_.empty() || line_.empty()) return;
  if (const Duration pause = bucket_.wait(parts_.clock.now()); pause.count() > 0) {
    return wait(pause);
  }
  bucket_.take(parts_.clock.now());
  auto request = options_.build(take_batch());
  if (!request) {
    note_failure(request.error().message);
    return put_back_and_wait(next_pause(), Place::Last);
  }
  request_ = parts_.http.send(std::move(*request),
                              [this](const net::HttpResult& result) { finish(result); });
}

void DeliveryQueue::finish(const net::HttpResult& result) {
  const Verdict verdict = result ? options_.judge(*result) : Verdict::Retry;
  if (verdict != Verdict::Delivered) {
    note_failure(result ? describe(*result) : result.error().message);
  }
  switch (verdict) {
    case Verdict::Delivered:
      note_taken();
      break;
    case Verdict::Retry:
      return try_later(result);
    case Verdict::GiveUp:
      if (!divide(result->status)) note_refused();
      break;
  }
  attempt_ = 0;
  send_next();
}

// One message that the receiver will not take is not to take the others with it, and a request may
// be larger than it likes. Says whether the messages wait again.
bool DeliveryQueue::divide(int status) {
  const bool is_hopeless = ++refusals_ >= kMostRefusals;
  if (is_hopeless) most_ = options_.batch;
  if (on_its_way_.size() < 2) too_large_ = options_.batch + 1;  // It was this one.
  if (is_hopeless || on_its_way_.size() < 2 || !may_be_one_of_them(status)) return false;
  too_large_ = on_its_way_.size();
  most_ = too_large_ / 2;
  put_all_back(Place::Same);
  return true;
}

// Half-way to what was refused, until that is near; a message that was the cause has been found by
// then.
void DeliveryQueue::grow() {
  constexpr std::size_t kNear = 16;
  if (too_large_ > options_.batch) {
    most_ = std::min(options_.batch, most_ * 2);
  } else if (too_large_ - most_ > kNear) {
    most_ += (too_large_ - most_) / 2;
  }
}

void DeliveryQueue::note_taken() {
  if (!stats_.last_error.empty()) log::info("delivers again", {{"receiver", options_.receiver}});
  stats_.last_error.clear();
  refusals_ = 0;
  if (on_its_way_.size() == most_) grow();
  stats_.sent += on_its_way_.size();
  for (const Waiting& sent : std::exchange(on_its_way_, {})) {
    parts_.on_delivered(sent.message.decided_at);
    remove_from_outbox(sent.message);
  }
  wake_those_that_rest();
}

void DeliveryQueue::note_refused() {
  stats_.given_up += on_its_way_.size();
  const Timestamp oldest = parts_.clock.now() - kOffered;
  const bool again = options_.offers_again && on_its_way_.front().message.decided_at > oldest;
  log::error(again ? "a receiver refuses a message; it is offered again"
                   : "a receiver refuses messages for good",
             {{"receiver", options_.receiver},
              {"messages", std::to_string(on_its_way_.size())},
              {"error", stats_.last_error}});
  for (Waiting& refused : std::exchange(on_its_way_, {})) {
    const std::string key = refused.message.key;
    refused.was_refused = true;
    if (!again) {
      remove_from_outbox(refused.message);
    } else if (put_back(std::move(refused))) {
      rest(key, kBetweenOffers);
    }
  }
}

void DeliveryQueue::try_later(const net::HttpResult& result) {
  const auto asked = result ? asked_pause(*result, parts_.clock.now()) : std::nullopt;
  if (asked) return put_back_and_wait(*asked, Place::Same);
  if (options_.batch > 1 || !result || !may_be_the_message(result->status)) {
    return put_back_and_wait(next_pause(), Place::Last);
  }
  attempt_ = 0;
  Waiting failed = std::move(on_its_way_.front());
  on_its_way_.clear();
  const std::string key = failed.message.key;
  const Duration pause = backoff(++failed.failures, parts_.jitter());
  if (!failed.was_woken) to_be_woken_.insert(key);
  if (put_back(std::move(failed))) rest(key, pause);
  send_next();
}

Duration DeliveryQueue::next_pause() {
  return std::min(backoff(++attempt_, parts_.jitter()), options_.longest_pause);
}

// Says whether it waits again: a newer message may have replaced it meanwhile.
bool DeliveryQueue::put_back(Waiting failed) {
  const auto newer = waiting_.find(failed.message.key);
  if (newer == waiting_.end()) {
    waiting_.emplace(failed.message.key, std::move(failed));
    return true;
  }
  Message whole = newer->second.message;
  if (!is_at_fault(failed)) whole.content = in_place_of(*failed.message.content, whole);
  if (whole.content != newer->second.message.content) put(std::move(whole));
  return false;
}

void DeliveryQueue::put_back_and_wait(Duration pause, Place place) {
  wait(pause);
  put_all_back(place);
}

void DeliveryQueue::put_all_back(Place place) {
  for (Waiting& failed : std::exchange(on_its_way_, {})) {
    const std::string key = failed.message.key;
    if (place == Place::Last) failed.place = 0;
    if (put_back(std::move(failed))) put_in_line(key, waiting_[key]);
  }
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

std::string DeliveryQueue::describe(const net::HttpResponse& response) const {
  std::string text = "status " + std::to_string(response.status);
  if (response.body.empty()) return text;
  const std::string body = options_.hide ? options_.hide(response.body) : response.body;
  return text + ": " + body.substr(0, kShownBodyBytes);
}

}  // namespace tocsin::notify
