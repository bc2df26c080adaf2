// SPDX-License-Identifier: Apache-2.0
//
// The kinds of channels, one row each: how the configuration calls their keys, how a message is
// laid out for them, and how their answers are to be read. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"
#include "notify/channel.h"
#include "notify/payload.h"
#include "notify/retry.h"
#include "notify/token_bucket.h"

namespace tocsin::notify {

// A channel with its secrets read.
struct OpenChannel {
  const ChannelConfig& config;
  std::string url;
  std::string key;
};

// What is to be sent, before headers that all requests share.
struct ChannelRequest {
  std::string url;
  std::string body;  // JSON, or a mail.
  net::Headers headers;
  std::optional<net::MailEnvelope> mail;
  std::optional<net::BasicCredentials> login;
  std::string flaw;  // Why it is not as it was configured; empty when it is.
};

struct ChannelKindInfo {
  ChannelKind kind;
  std::string_view name;        // "slack": for the log and the metrics.
  std::string_view list_key;    // "slack_configs"
  std::string_view url_key;     // "api_url"
  std::string_view secret_key;  // "routing_key"; empty where the URL is all there is.
  bool needs_secret;
  std::string_view default_url;
  bool send_resolved;   // Alertmanager's default.
  bool keeps_incident;  // Of each group, until it hears that it is over.
  std::span<const std::string_view> options;
  std::span<const std::string_view> required;  // Of the options.
  ChannelRequest (*build)(const GroupMessage& group, const OpenChannel& channel);
  Verdict (*judge)(const net::HttpResponse& response);
  TokenBucket::Rate rate;  // Where the configuration has no other.
};

std::span<const ChannelKindInfo> channel_kinds();
const ChannelKindInfo& info_of(ChannelKind kind);

// How many messages the channel takes.
TokenBucket::Rate rate_of(const ChannelConfig& config);

// How long a refusal asks to wait: Retry-After, or `retry_after` in its body (Slack's and Discord's
// at the top, in seconds; Telegram's among its parameters). Nothing when that is no time at all:
// who fails and says "at once" is not to be asked in a tight loop.
std::optional<Duration> asked_pause(const net::HttpResponse& response, Timestamp now);

// The layouts, one file each.
ChannelRequest webhook_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest slack_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest pagerduty_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest msteams_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest discord_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest opsgenie_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest telegram_request(const GroupMessage& group, const OpenChannel& channel);
ChannelRequest email_request(const GroupMessage& group, const OpenChannel& channel);

}  // namespace tocsin::notify
