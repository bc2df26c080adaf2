// SPDX-License-Identifier: Apache-2.0
//
// PagerDuty's Events API v2. One incident for each group: the same dedup_key begins and ends it.
#include <array>
#include <boost/json.hpp>

#include "notify/channel_kinds.h"
#include "notify/layout.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostSummary = 1024;
constexpr std::size_t kMostBytes = 512'000;
constexpr std::size_t kMostLinks = 20;
constexpr std::array<std::string_view, 4> kSeverities{"info", "warning", "error", "critical"};

json::object details_of(const AlertText& alert) {
  json::object out;
  if (!alert.description.empty()) out["description"] = clip(alert.description, 4000);
  for (const Fact& fact : alert.facts) out[fact.name] = fact.text;
  for (std::size_t i = 0; i < alert.notes.size(); ++i) {
    out["note " + std::to_string(i + 1)] = alert.notes[i];
  }
  return out;
}

json::array links_of(const MessageText& message) {
  json::array out;
  for (const AlertText& alert : message.alerts) {
    for (const Link& link : alert.links) {
      if (out.size() < kMostLinks) out.push_back({{"href", link.url}, {"text", link.text}});
    }
  }
  return out;
}

json::object event_of(const GroupMessage& group, const OpenChannel& channel, std::size_t most) {
  const MessageText message = message_of(group, most);
  const auto option = [&](const char* name, const std::string& otherwise) {
    const std::string& text = channel.config.option(name);
    return text.empty() ? otherwise : text;
  };
  const auto severity = static_cast<std::size_t>(severity_of(message.severity));
  const std::string& place = message.alerts.empty() ? message.title : message.alerts.front().title;
  json::object details;
  for (const AlertText& alert : message.alerts) {
    std::string title = clip(alert.title, 200);
    if (details.contains(title)) title += " (" + std::to_string(details.size() + 1) + ")";
    details[title] = details_of(alert);
  }
  if (message.left_out > 0) details["left out"] = left_out_text(message);
  json::object payload{
      {"summary", clip(message.alerts.size() == 1 ? place : message.title, kMostSummary)},
      {"source", option("client", "Tocsin")},
      {"severity", option("severity", std::string(kSeverities[severity]))},
      {"custom_details", details}};
  for (const char* name : {"component", "group", "class"}) {
    if (const std::string text = option(name, ""); !text.empty()) payload[name] = text;
  }
  json::object out{{"routing_key", channel.key},
                   {"event_action", message.resolved ? "resolve" : "trigger"},
                   {"dedup_key", dedup_key(group)},
                   {"client", option("client", "Tocsin")},
                   {"payload", payload},
                   {"links", links_of(message)}};
  if (const std::string url = option("client_url", message.url); !url.empty()) {
    out["client_url"] = url;
  }
  return out;
}

}  // namespace

ChannelRequest pagerduty_request(const GroupMessage& group, const OpenChannel& channel) {
  const std::size_t most = channel.config.max_alerts;
  std::string body = json::serialize(event_of(group, channel, most));
  for (std::size_t fewer = 100; body.size() > kMostBytes && fewer > 0; fewer /= 4) {
    body = json::serialize(event_of(group, channel, fewer));
  }
  return {channel.url, std::move(body), {}};
}

}  // namespace tocsin::notify
