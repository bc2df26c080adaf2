// SPDX-License-Identifier: Apache-2.0
//
// A channel is one way to reach a receiver: a webhook, a chat, a pager. What they have in common is
// data here; what each kind does differently is one row of a table (channel_kinds.h).
#pragma once

#include <map>
#include <string>

#include "net/client_config.h"
#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::notify {

enum class ChannelKind { Webhook, Slack, PagerDuty, MsTeams, Discord, Opsgenie, Telegram, Email };

// Written in the configuration, or in a file that is read at every use, so that a new one needs no
// reload. Never logged.
struct Secret {
  std::string text;
  std::string file;

  bool is_set() const { return !text.empty() || !file.empty(); }
  Result<std::string> read() const;

  bool operator==(const Secret&) const = default;
};

struct ChannelConfig {
  ChannelKind kind = ChannelKind::Webhook;
  Secret url;  // Where messages go; for some kinds it is the credential. Mail: "host:port".
  Secret key;  // PagerDuty's routing key, Opsgenie's API key, Telegram's bot token, a password.
  // The kind's other texts, by their key in the configuration: channel, username, chat_id, …
  std::map<std::string, std::string> options;
  bool send_resolved = true;
  std::size_t max_alerts = 0;      // In one message; 0: as many as fit.
  std::size_t max_per_minute = 0;  // Messages; 0: as many as the kind takes.
  Duration timeout = std::chrono::seconds(10);
  net::ClientConfig client;

  // The option, or an empty text.
  const std::string& option(const std::string& name) const;

  bool operator==(const ChannelConfig&) const = default;
};

}  // namespace tocsin::notify
