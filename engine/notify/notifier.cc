// SPDX-License-Identifier: Apache-2.0
#include "notify/notifier.h"

#include <algorithm>

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

template <class T>
std::shared_ptr<const T> content_of(const Message& message) {
  return std::static_pointer_cast<const T>(message.content);
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
      grouper_(parts_.scheduler, parts_.clock,
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
  config_ = std::move(config);
}

Notifier::QueuePtr Notifier::make_alertmanager(const AlertmanagerConfig& config) {
  const auto build = [config](const std::vector<Message>& batch) {
    std::vector<std::shared_ptr<const OutgoingAlert>> alerts;
    for (const Message& message : batch) alerts.push_back(content_of<OutgoingAlert>(message));
    return post_json(net::join_url(config.url, "/api/v2/alerts"), alertmanager_body(alerts),
                     config.timeout, config.client);
  };
  return std::make_unique<DeliveryQueue>(
      parts_, DeliveryQueue::Options{"alertmanager " + config.url, kAlertmanagerBatch, build});
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
    const auto group = content_of<GroupMessage>(batch.front());
    return post_json(url, webhook_body(*group, config.max_alerts), config.timeout, config.client);
  };
  return std::make_unique<DeliveryQueue>(parts_,
                                         DeliveryQueue::Options{receiver + " (webhook)", 1, build});
}

void Notifier::send(const std::vector<OutgoingAlert>& alerts) {
  for (const OutgoingAlert& alert : alerts) {
    const auto content = std::make_shared<const OutgoingAlert>(alert);
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
    webhook.queue->put({key, std::make_shared<const GroupMessage>(std::move(own)), decided_at});
  }
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
