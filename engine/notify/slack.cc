// SPDX-License-Identifier: Apache-2.0
//
// Slack's incoming webhooks: blocks inside an attachment, which has the colour, and a text for
// notifications and readers that show no blocks.
#include <boost/json.hpp>
#include <cstdio>

#include "notify/channel_kinds.h"
#include "notify/layout.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostAlerts = 10;  // Two blocks each, of 50.
constexpr std::size_t kMostTitle = 150;
constexpr std::size_t kMostSection = 2900;  // Of 3,000, for what escaping adds.

json::object plain(const std::string& text) {
  return {{"type", "plain_text"}, {"text", clip(text, kMostTitle)}};
}

json::object markdown(const std::string& text) { return {{"type", "mrkdwn"}, {"text", text}}; }

json::object section(const AlertText& alert) {
  std::string text = "*" + escape_angles(clip(alert.title, 300)) + "*";
  if (alert.resolved) text = ":white_check_mark: " + text;
  if (!alert.description.empty()) text += "\n" + escape_angles(clip(alert.description, 1200));
  for (const std::string& note : alert.notes) text += "\n_" + escape_angles(clip(note, 300)) + "_";
  return {{"type", "section"}, {"text", markdown(clip(text, kMostSection))}};
}

// The facts and the links, in small print.
json::object context(const AlertText& alert) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    if (text.size() + part.size() + 2 <= kMostSection) text += (text.empty() ? "" : "  ") + part;
  };
  for (const Fact& fact : alert.facts) {
    add(fact.name + " *" + escape_angles(clip(fact.text, 120)) + "*");
  }
  for (const Link& link : alert.links) {
    add("<" + escape_angles(link.url) + "|" + link.text + ">");
  }
  return {{"type", "context"}, {"elements", json::array{markdown(text)}}};
}

}  // namespace

ChannelRequest slack_request(const GroupMessage& group, const OpenChannel& channel) {
  const std::size_t most = channel.config.max_alerts;
  const MessageText message =
      message_of(group, most == 0 ? kMostAlerts : std::min(most, kMostAlerts));
  json::array blocks{{{"type", "header"}, {"text", plain(message.title)}}};
  for (const AlertText& alert : message.alerts) {
    blocks.push_back(section(alert));
    blocks.push_back(context(alert));
  }
  if (message.left_out > 0) {
    blocks.push_back(
        {{"type", "context"}, {"elements", json::array{markdown(left_out_text(message))}}});
  }
  std::array<char, 8> colour{};
  std::snprintf(colour.data(), colour.size(), "#%06x", colour_of(message));
  json::object out{{"text", escape_angles(clip(message.title, kMostTitle))},
                   {"attachments", json::array{{{"color", colour.data()}, {"blocks", blocks}}}}};
  for (const auto& [name, text] : channel.config.options) out[name] = text;
  return {channel.url, json::serialize(out), {}};
}

}  // namespace tocsin::notify
