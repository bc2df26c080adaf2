// SPDX-License-Identifier: Apache-2.0
//
// Opsgenie's alert API, and Jira Service Management's, which is the same at another address. An
// alert for each group, named by its alias.
#include <boost/json.hpp>

#include "net/url.h"
#include "notify/channel_kinds.h"
#include "notify/layout.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostMessage = 130;
constexpr std::size_t kMostDescription = 15'000;
constexpr std::size_t kMostAlerts = 30;

std::string_view priority_of(const MessageText& message) {
  switch (severity_of(message.severity)) {
    case Severity::Critical:
      return "P1";
    case Severity::Error:
      return "P2";
    case Severity::Warning:
      return "P3";
    default:
      return "P5";
  }
}

json::array tags_of(const std::string& text) {
  json::array out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.push_back(json::string(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return out;
}

}  // namespace

ChannelRequest opsgenie_request(const GroupMessage& group, const OpenChannel& channel) {
  const MessageText message =
      message_of(group, channel.config.max_alerts == 0 ? kMostAlerts : channel.config.max_alerts);
  const std::string alerts = net::join_url(channel.url, "/v2/alerts");
  const net::Headers headers{{"Authorization", "GenieKey " + channel.key}};
  if (message.resolved) {
    return {alerts + "/" + dedup_key(group) + "/close?identifierType=alias",
            json::serialize(json::object{{"source", "Tocsin"}, {"note", clip(message.title, 500)}}),
            headers};
  }
  const std::string& priority = channel.config.option("priority");
  json::object out{{"message", clip(message.title, kMostMessage)},
                   {"alias", dedup_key(group)},
                   {"description", clip(plain_text(message), kMostDescription)},
                   {"source", "Tocsin"},
                   {"priority", priority.empty() ? priority_of(message) : priority},
                   {"tags", tags_of(channel.config.option("tags"))}};
  for (const char* name : {"entity", "source"}) {
    if (const std::string& text = channel.config.option(name); !text.empty()) out[name] = text;
  }
  return {alerts, json::serialize(out), headers};
}

}  // namespace tocsin::notify
