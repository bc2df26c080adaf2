// SPDX-License-Identifier: Apache-2.0
//
// Notifier's part about two replicas, of which one tells the receivers.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "notify/notifier.h"

namespace tocsin::notify {

bool Notifier::is_for_channel(const std::string& queue) const {
  return std::none_of(alertmanagers_.begin(), alertmanagers_.end(),
                      [&](const AlertmanagerQueue& q) { return q.queue->id() == queue; });
}

void Notifier::set_silent(bool silent) {
  silent_ = silent;
  grouper_.set_silent(silent);
  if (silent) return;
  for (const WrittenMessage& message : std::exchange(withheld_, {})) restore(message);
}

Notifier::Written Notifier::written() const {
  Written out;
  for (const ChannelQueue& channel : channels_) {
    for (WrittenMessage& message : channel.queue->undelivered()) {
      out.messages.push_back(std::move(message));
    }
  }
  out.groups = grouper_.written();
  const Timestamp now = parts_.clock.now();
  for (const Silence& silence : muting_.silences.all(now)) {
    out.silences.emplace(silence.id, silence_json(silence, now));
  }
  return out;
}

void Notifier::adopt(const Written& told) {
  for (const WrittenMessage& message : std::exchange(withheld_, {})) {
    if (parts_.outbox) parts_.outbox->remove(message.receiver, message.key);
  }
  std::map<std::string, GroupState> groups;
  for (const auto& [key, content] : told.groups) {
    auto group = decode_group(content);
    if (group) {
      groups.emplace(key, std::move(*group));
    } else {
      log::error("a group of the other replica cannot be read", {{"error", group.error().message}});
    }
  }
  grouper_.adopt(groups);
}

void Notifier::take_messages(const std::vector<WrittenMessage>& messages) {
  for (const WrittenMessage& message : messages) {
    auto content = decode_content(message.content);
    DeliveryQueue* queue = heir_of(message.receiver);
    if (content && queue && is_for_channel(message.receiver)) {
      queue->put(
          {message.key, std::make_shared<const Content>(std::move(*content)), message.decided_at});
      continue;
    }
    log::error("a message of the other replica cannot be sent",
               {{"receiver", message.receiver},
                {"key", message.key},
                {"error", content ? "the receiver is not configured" : content.error().message}});
  }
}

void Notifier::adopt_silences(const std::map<std::string, std::string>& silences) {
  for (const auto& [id, content] : silences) {
    auto silence = parse_silence(content);
    if (!silence || silence->id != id) continue;
    const Silence* known = muting_.silences.find(id);
    if (known && known->updated_at >= silence->updated_at) continue;
    save(*silence, [] {});
    muting_.silences.restore(std::move(*silence));
  }
}

}  // namespace tocsin::notify
