// SPDX-License-Identifier: Apache-2.0
#include "notify/notifier.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "base/hash.h"
#include "base/log.h"
#include "net/client_config.h"
#include "net/url.h"
#include "notify/secrecy.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kAlertmanagerBatch = 256;  // Alerts in one request, as Prometheus'.
constexpr Duration kShortestPause = std::chrono::seconds(1);
// After a restart, every alert that fires is sent again within this time.
constexpr Duration kFirstWord = std::chrono::minutes(10);

Result<net::HttpRequest> post_json(const std::string& url, std::string body, Duration timeout,
                                   const net::ClientConfig& client) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"User-Agent", "Tocsin"}};
  const auto says_type = [](const auto& header) {
    return net::equal_ignoring_case(header.first, "Content-Type");
  };
  if (std::none_of(client.headers.begin(), client.headers.end(), says_type)) {
    request.headers.emplace_back("Content-Type", "application/json");
  }
  request.body = std::move(body);
  request.timeout = timeout;
  if (auto known = net::introduce(client, request); !known) return fail(known.error());
  return request;
}

// The same for a message that is sent again because nobody knows whether it arrived.
std::string idempotency_key(const Message& message) {
  return std::to_string(hash_bytes(message.key)) + "-" +
         std::to_string(to_millis(message.decided_at));
}

Result<net::HttpRequest> channel_request(const ChannelConfig& config, const ChannelKindInfo& kind,
                                         const Message& message) {
  auto url = config.url.read();
  if (!url) return fail(url.error());
  auto key = config.key.read();
  if (!key) return fail(key.error());
  ChannelRequest built = kind.build(std::get<GroupMessage>(*message.content),
                                    {config, std::move(*url), std::move(*key)});
  if (!built.flaw.empty()) {
    log::warn("a message is not written as it was configured",
              {{"receiver", message.key}, {"error", built.flaw}});
  }
  auto request = post_json(built.url, std::move(built.body), config.timeout, config.client);
  if (!request) return request;
  request->headers.emplace_back("Idempotency-Key", idempotency_key(message));
  for (auto& header : built.headers) request->headers.push_back(std::move(header));
  request->mail = std::move(built.mail);
  if (built.login) request->basic_auth = std::move(built.login);
  return request;
}

std::string without_secrets(const ChannelConfig& config, std::string text) {
  std::vector<std::string> secrets;
  if (const auto key = config.key.read()) secrets.push_back(*key);
  if (const auto url = config.url.read()) {
    for (std::string& secret : secrets_of_url(*url)) secrets.push_back(std::move(secret));
  }
  return without(secrets, std::move(text));
}

// Moves the element for which `same` holds out of `from`, if there is one.
template <class List, class Same>
auto take_if(List& from, Same same) -> std::optional<typename List::value_type> {
  const auto it = std::find_if(from.begin(), from.end(), same);
  if (it == from.end()) return std::nullopt;
  auto taken = std::move(*it);
  from.erase(it);
  return taken;
}

}  // namespace

void LatencyHistogram::observe(double seconds) {
  const auto* at = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts[static_cast<std::size_t>(at - kBounds.begin())];
  sum += seconds;
}

Notifier::Notifier(DeliveryParts parts, NotifyConfig config)
    : parts_(std::move(parts)),
      grouper_({parts_.scheduler, parts_.clock, parts_.outbox, muting_},
               [this](const std::string& receiver, GroupMessage message) {
                 flush(receiver, std::move(message));
               }) {
  parts_.on_delivered = [this](Timestamp decided_at) {
    latency_.observe(std::max(0.0, to_seconds(parts_.clock.now() - decided_at)));
  };
  reconfigure(std::move(config));
}

void Notifier::reconfigure(NotifyConfig config) {
  auto old_alertmanagers = std::move(alertmanagers_);
  auto old_channels = std::move(channels_);
  alertmanagers_.clear();
  channels_.clear();
  std::vector<DeliveryQueue*> made;  // Of channels.
  const bool is_as_often = config.resend_delay == config_.resend_delay;
  for (const AlertmanagerConfig& wanted : config.alertmanagers) {
    auto kept = take_if(old_alertmanagers,
                        [&](const auto& q) { return is_as_often && q.config == wanted; });
    if (!kept) kept = AlertmanagerQueue{wanted, make_alertmanager(wanted, config.resend_delay)};
    alertmanagers_.push_back(std::move(*kept));
  }
  for (const ReceiverConfig& receiver : config.receivers) {
    for (const ChannelConfig& wanted : receiver.channels) {
      auto kept = take_if(old_channels, [&](const auto& q) {
        return q.receiver == receiver.name && q.config == wanted;
      });
      if (!kept) {
        kept = ChannelQueue{receiver.name, wanted, make_channel(receiver.name, wanted)};
        made.push_back(kept->queue.get());
      }
      channels_.push_back(std::move(*kept));
    }
  }
  for (const AlertmanagerQueue& old : old_alertmanagers) {
    pass_on(*old.queue, queue_called(old.queue->id()));
  }
  // Other settings for the same place come first; of those that have moved, one follows the other.
  const auto inherit = [&](auto is_heir) {
    std::erase_if(old_channels, [&](const ChannelQueue& old) {
      const auto heir = std::find_if(made.begin(), made.end(), [&](const DeliveryQueue* q) {
        return is_heir(*old.queue, *q);
      });
      if (heir == made.end()) return false;
      pass_on(*old.queue, *heir);
      made.erase(heir);
      return true;
    });
  };
  inherit([](const auto& old, const auto& q) { return old.id() == q.id(); });
  inherit([](const auto& old, const auto& q) { return old.receiver() == q.receiver(); });
  for (const ChannelQueue& old : old_channels) pass_on(*old.queue, nullptr);
  muting_.use(config);
  if (config.route != config_.route) grouper_.note_new_routes();
  config_ = std::move(config);
  warn_of_receivers_gone();
}

// Nobody can tell them the end of what they were told.
void Notifier::warn_of_receivers_gone() const {
  for (const auto& [name, alerts] : grouper_.believed()) {
    const bool is_there = std::any_of(
        config_.receivers.begin(), config_.receivers.end(),
        [&name = name](const ReceiverConfig& receiver) { return receiver.name == name; });
    if (is_there || alerts == 0) continue;
    log::warn("a receiver is gone from the configuration; what is open there stays open",
              {{"receiver", name}, {"alerts", std::to_string(alerts)}});
  }
}

// The one that has the old one's place (another timeout, another address) goes on with its work.
void Notifier::pass_on(DeliveryQueue& old, DeliveryQueue* heir) {
  if (!heir) return old.give_up();
  for (Message& message : old.take_all()) {
    if (heir->id() != old.id() && parts_.outbox) parts_.outbox->remove(old.id(), message.key);
    heir->put(std::move(message));
  }
}

Notifier::QueuePtr Notifier::make_alertmanager(const AlertmanagerConfig& config,
                                               Duration resend_delay) {
  const auto build = [config](const std::vector<Message>& batch) {
    std::vector<const OutgoingAlert*> alerts;
    for (const Message& message : batch) {
      alerts.push_back(&std::get<OutgoingAlert>(*message.content));
    }
    return post_json(net::join_url(config.url, "/api/v2/alerts"), alertmanager_body(alerts),
                     config.timeout, config.client);
  };
  const std::string name = "alertmanager " + config.url;
  return std::make_unique<DeliveryQueue>(
      parts_, DeliveryQueue::Options{
                  .id = name,
                  .receiver = name,
                  .batch = kAlertmanagerBatch,
                  .build = build,
                  .judge = [](const auto& response) { return judge_status(response.status); },
                  // It believes an alert for four times that: one that comes back must hear of it
                  // from whichever replica lives.
                  .longest_pause = std::max<Duration>(resend_delay, kShortestPause)});
}

Notifier::QueuePtr Notifier::make_channel(const std::string& receiver,
                                          const ChannelConfig& config) {
  const ChannelKindInfo& kind = info_of(config.kind);
  const auto build = [config, &kind](const std::vector<Message>& batch) {
    return channel_request(config, kind, batch.front());
  };
  const std::string name = receiver + " (" + std::string(kind.name) + ")";
  // Two webhooks of a receiver differ by where they lead; that may be a secret.
  const std::uint64_t place =
      hash_bytes(config.url.text + config.url.file + config.key.text + config.key.file +
                 config.option("channel") + config.option("chat_id") +
                 config.option("message_thread_id") + config.option("to"));
  std::string id = name + " " + std::to_string(place);
  while (queue_called(id)) id += "'";  // One of two that lead to the same place.
  return std::make_unique<DeliveryQueue>(
      parts_, DeliveryQueue::Options{.id = std::move(id),
                                     .receiver = name,
                                     .build = build,
                                     .judge = kind.judge,
                                     .hide = std::bind_front(without_secrets, config),
                                     .rate = rate_of(config),
                                     .offers_again = true});
}

void Notifier::send(const std::vector<OutgoingAlert>& alerts) {
  grouper_.note_heard();
  Grouper::Unsaved unsaved;
  for (const OutgoingAlert& alert : alerts) {
    const auto content = std::make_shared<const Content>(alert);
    for (const AlertmanagerQueue& q : alertmanagers_) {
      q.queue->put({alert.labels.text(), content, alert.decided_at});
    }
    if (alert.resolved) {
      muting_.inhibitor.note_resolved(alert.labels);
    } else {
      muting_.inhibitor.note_firing(alert.labels, alert.ends_at, parts_.clock.now());
    }
    if (!config_.route) continue;
    const std::vector<Destination> destinations = destinations_of(*config_.route, alert.labels);
    grouper_.leave_others(alert, destinations, unsaved);
    for (const Destination& destination : destinations) {
      grouper_.add(destination, alert, unsaved);
    }
  }
  grouper_.save(unsaved);
}

// Whether the channel keeps an incident that nobody else tells of: receivers that use the same
// account go on with the same incident if the group has the same key.
bool Notifier::keeps_incident(const ChannelConfig& channel, const GroupMessage& left) const {
  if (!info_of(channel.kind).keeps_incident) return false;
  return std::none_of(channels_.begin(), channels_.end(), [&](const ChannelQueue& other) {
    return left.receiver != other.receiver && other.config.kind == channel.kind &&
           other.config.url == channel.url && other.config.key == channel.key &&
           grouper_.has(other.receiver, left.group_key);
  });
}

void Notifier::flush(const std::string& receiver, GroupMessage message) {
  message.external_url = config_.external_url;
  for (const ChannelQueue& channel : channels_) {
    if (channel.receiver != receiver) continue;
    if (message.has_moved && !keeps_incident(channel.config, message)) continue;
    GroupMessage own = message;
    if (!channel.config.send_resolved) {
      std::erase_if(own.alerts, [](const OutgoingAlert& alert) { return alert.resolved; });
    }
    if (own.alerts.empty()) continue;
    Timestamp decided_at{};
    for (const OutgoingAlert& alert : own.alerts)
      decided_at = std::max(decided_at, alert.decided_at);
    const std::string key = own.group_key;
    channel.queue->put({key, std::make_shared<const Content>(std::move(own)), decided_at});
  }
}

DeliveryQueue* Notifier::queue_called(const std::string& id) const {
  for (const AlertmanagerQueue& q : alertmanagers_) {
    if (q.queue->id() == id) return q.queue.get();
  }
  for (const ChannelQueue& q : channels_) {
    if (q.queue->id() == id) return q.queue.get();
  }
  return nullptr;
}

// Where a receiver has moved, its new address is told what the old one was not; if it has several
// channels of a kind, nobody knows which of them has.
DeliveryQueue* Notifier::heir_of(const std::string& id) const {
  if (DeliveryQueue* const same = queue_called(id)) return same;
  DeliveryQueue* heir = nullptr;
  for (const ChannelQueue& q : channels_) {
    if (!id.starts_with(q.queue->receiver() + " ")) continue;
    if (heir) return nullptr;
    heir = q.queue.get();
  }
  return heir;
}

void Notifier::restore(const Written& written) {
  for (const auto& [id, content] : written.silences) restore_silence(id, content);
  // The oldest first, and before those of receivers that have moved.
  std::vector<WrittenMessage> messages = written.messages;
  std::stable_sort(messages.begin(), messages.end(), [this](const auto& a, const auto& b) {
    const bool a_moved = queue_called(a.receiver) == nullptr;
    const bool b_moved = queue_called(b.receiver) == nullptr;
    return std::tie(a_moved, a.decided_at) < std::tie(b_moved, b.decided_at);
  });
  for (const WrittenMessage& message : messages) {
    if (silent_ && is_for_channel(message.receiver)) {
      withheld_.push_back(message);
    } else {
      restore(message);
    }
  }
  for (const auto& [key, content] : written.groups) restore_group(key, content);
  warn_of_receivers_gone();
}

void Notifier::restore_group(const std::string& key, const std::string& content) {
  auto group = decode_group(content);
  if (!group) {
    log::error("a group of the outbox cannot be read", {{"error", group.error().message}});
    return parts_.outbox->remove_group(key);
  }
  // What fired inhibits until its rule has had time to say more.
  const Timestamp now = parts_.clock.now();
  for (const auto& [labels, entry] : group->alerts) {
    if (entry.alert.resolved) continue;
    muting_.inhibitor.note_firing(labels, std::max(entry.alert.ends_at, now + kFirstWord), now);
  }
  grouper_.restore(key, std::move(*group));
}

void Notifier::restore(const WrittenMessage& message) {
  auto content = decode_content(message.content);
  DeliveryQueue* queue = heir_of(message.receiver);
  if (content && queue) {
    Message waiting{message.key, std::make_shared<const Content>(std::move(*content)),
                    message.decided_at};
    if (queue->id() == message.receiver) return queue->restore(std::move(waiting));
    if (!queue->has(message.key)) queue->put(std::move(waiting));
    return parts_.outbox->remove(message.receiver, message.key);
  }
  log::error("a message of the outbox cannot be sent",
             {{"receiver", message.receiver},
              {"key", message.key},
              {"error", queue ? content.error().message : "the receiver is not configured"}});
  parts_.outbox->remove(message.receiver, message.key);
}

std::vector<Notifier::ReceiverStatus> Notifier::receivers() const {
  std::vector<ReceiverStatus> out;
  for (const AlertmanagerQueue& q : alertmanagers_) {
    out.push_back({q.queue->receiver(), q.queue->stats()});
  }
  for (const ChannelQueue& q : channels_) out.push_back({q.queue->receiver(), q.queue->stats()});
  return out;
}

}  // namespace tocsin::notify
