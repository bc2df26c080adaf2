// SPDX-License-Identifier: Apache-2.0
#include "notify/channel_kinds.h"

namespace tocsin::notify {

ChannelRequest webhook_request(const GroupMessage& group, const OpenChannel& channel) {
  return {channel.url, webhook_body(group, channel.config.max_alerts), {}};
}

}  // namespace tocsin::notify
