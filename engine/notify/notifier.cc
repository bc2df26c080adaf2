// SPDX-License-Identifier: Apache-2.0
#include "notify/notifier.h"

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "net/client_config.h"
#include "net/url.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kAlertmanagerBatch = 256;  // Alerts in one request, as Prometheus'.

Result<net::HttpRequest> post_json(const std::string& url, std::string body, Duration timeout,
                                   const net::ClientConfig& client) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "Tocsin"}};
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
      grouper_(parts_.scheduler, parts_.clock, parts_.outbox,
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
  auto old_webhooks = std::move(webhooks_);
  alertmanagers_.clear();
  webhooks_.clear();
  for (const AlertmanagerConfig& wanted : config.alertmanagers) {
    auto kept = take_if(old_alertmanagers, [&](const auto& q) { return q.config == wanted; });
    if (!kept) kept = AlertmanagerQueue{wanted, make_alertmanager(wanted)};
    alertmanagers_.push_back(std::move(*kept));
  }
  for (const ReceiverConfig& receiver : config.receivers) {
    for (const WebhookConfig& wanted : receiver.webhooks) {
      auto kept = take_if(old_webhooks, [&](const auto& q) {
        return q.receiver == receiver.name && q.config == wanted;
      });
      if (!kept) kept = WebhookQueue{receiver.name, wanted, make_webhook(receiver.name, wanted)};
      webhooks_.push_back(std::move(*kept));
    }
  }
  for (const AlertmanagerQueue& old : old_alertmanagers) replace(*old.queue);
  for (const WebhookQueue& old : old_webhooks) replace(*old.queue);
  config_ = std::move(config);
}

// The one that has the old one's place (another timeout, other credentials) goes on with its work.
void Notifier::replace(DeliveryQueue& old) {
  DeliveryQueue* next = queue_called(old.id());
  if (!next) return old.give_up();
  for (Message& message : old.take_all()) next->put(std::move(message));
}

Notifier::QueuePtr Notifier::make_alertmanager(const AlertmanagerConfig& config) {
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
      parts_, DeliveryQueue::Options{name, name, kAlertmanagerBatch, build});
}

Notifier::QueuePtr Notifier::make_webhook(const std::string& receiver,
                                          const WebhookConfig& config) {
  const auto build = [config](const std::vector<Message>& batch) -> Result<net::HttpRequest> {
    std::string url = config.url;
    if (!config.url_file.empty()) {
      auto secret = net::read_secret(config.url_file);
      if (!secret) return fail(secret.error());
      url = std::move(*secret);
    }
    const Message& message = batch.front();
    const auto& group = std::get<GroupMessage>(*message.content);
    auto request =
        post_json(url, webhook_body(group, config.max_alerts), config.timeout, config.client);
    if (request) request->headers.emplace_back("Idempotency-Key", idempotency_key(message));
    return request;
  };
  const std::string name = receiver + " (webhook)";
  // Two webhooks of a receiver differ by where they lead; that may be a secret.
  const std::string id = name + " " + std::to_string(hash_bytes(config.url + config.url_file));
  return std::make_unique<DeliveryQueue>(parts_, DeliveryQueue::Options{id, name, 1, build});
}

void Notifier::send(const std::vector<OutgoingAlert>& alerts) {
  for (const OutgoingAlert& alert : alerts) {
    const auto content = std::make_shared<const Content>(alert);
    for (const AlertmanagerQueue& q : alertmanagers_) {
      q.queue->put({alert.labels.text(), content, alert.decided_at});
    }
    if (!config_.route) continue;
    for (const Destination& destination : destinations_of(*config_.route, alert.labels)) {
      grouper_.add(destination, alert);
    }
  }
}

void Notifier::flush(const std::string& receiver, GroupMessage message) {
  message.external_url = config_.external_url;
  for (const WebhookQueue& webhook : webhooks_) {
    if (webhook.receiver != receiver) continue;
    GroupMessage own = message;
    if (!webhook.config.send_resolved) {
      std::erase_if(own.alerts, [](const OutgoingAlert& alert) { return alert.resolved; });
    }
    if (own.alerts.empty()) continue;
    Timestamp decided_at{};
    for (const OutgoingAlert& alert : own.alerts)
      decided_at = std::max(decided_at, alert.decided_at);
    const std::string key = own.group_key;
    webhook.queue->put({key, std::make_shared<const Content>(std::move(own)), decided_at});
  }
}

DeliveryQueue* Notifier::queue_called(const std::string& id) const {
  for (const AlertmanagerQueue& q : alertmanagers_) {
    if (q.queue->id() == id) return q.queue.get();
  }
  for (const WebhookQueue& q : webhooks_) {
    if (q.queue->id() == id) return q.queue.get();
  }
  return nullptr;
}

void Notifier::restore(const Written& written) {
  for (const WrittenMessage& message : written.messages) restore(message);
  for (const auto& [key, content] : written.groups) {
    auto group = decode_group(content);
    if (group) {
      grouper_.restore(key, std::move(*group));
    } else {
      log::error("a group of the outbox cannot be read", {{"error", group.error().message}});
      parts_.outbox->remove_group(key);
    }
  }
}

void Notifier::restore(const WrittenMessage& message) {
  auto content = decode_content(message.content);
  DeliveryQueue* queue = queue_called(message.receiver);
  if (content && queue) {
    return queue->restore(
        {message.key, std::make_shared<const Content>(std::move(*content)), message.decided_at});
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
  for (const WebhookQueue& q : webhooks_) out.push_back({q.queue->receiver(), q.queue->stats()});
  return out;
}

}  // namespace tocsin::notify
