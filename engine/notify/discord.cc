// SPDX-License-Identifier: Apache-2.0
//
// Discord's webhooks: one embed for each alert. Nobody is mentioned, whatever an alert says.
#include <boost/json.hpp>

#include "notify/channel_kinds.h"
#include "notify/layout.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostEmbeds = 10;
constexpr std::size_t kMostInAll = 5900;  // Of 6,000 characters, in all embeds together.
constexpr std::size_t kMostTitle = 256;
constexpr std::size_t kMostDescription = 600;
constexpr std::size_t kMostFields = 10;

json::object embed(const AlertText& alert, unsigned colour) {
  std::string description = escape_markdown(clip(alert.description, kMostDescription / 2));
  for (const std::string& note : alert.notes)
    description += "\n" + escape_markdown(clip(note, 150));
  for (const Link& link : alert.links) {
    const std::string text = " [" + link.text + "](" + link.url + ")";
    if (description.size() + text.size() < kMostDescription + 400) description += text;
  }
  json::array fields;
  for (const Fact& fact : alert.facts) {
    if (fields.size() == kMostFields) break;
    fields.push_back(
        {{"name", fact.name}, {"value", escape_markdown(clip(fact.text, 60))}, {"inline", true}});
  }
  return {{"title", clip((alert.resolved ? "✅ " : "") + alert.title, kMostTitle)},
          {"description", description},
          {"color", colour},
          {"fields", fields}};
}

// What Discord counts of it; in bytes, so rather too much.
std::size_t length_of(const json::object& embed) {
  std::size_t length = embed.at("title").as_string().size();
  length += embed.at("description").as_string().size();
  for (const json::value& field : embed.at("fields").as_array()) {
    const json::object& named = field.as_object();
    length += named.at("name").as_string().size() + named.at("value").as_string().size();
  }
  return length;
}

}  // namespace

ChannelRequest discord_request(const GroupMessage& group, const OpenChannel& channel) {
  const std::size_t wanted = channel.config.max_alerts;
  MessageText message =
      message_of(group, wanted == 0 ? kMostEmbeds : std::min(wanted, kMostEmbeds));
  json::array embeds;
  std::size_t length = 0;
  for (const AlertText& alert : message.alerts) {
    json::object next = embed(alert, colour_of(message));
    length += length_of(next);
    if (length <= kMostInAll) {
      embeds.push_back(std::move(next));
    } else {
      ++message.left_out;
    }
  }
  std::string content = "**" + escape_markdown(clip(message.title, kMostTitle)) + "**";
  if (message.left_out > 0) content += "\n" + left_out_text(message);
  json::object out{
      {"content", content}, {"embeds", embeds}, {"allowed_mentions", {{"parse", json::array()}}}};
  for (const auto& [name, text] : channel.config.options) out[name] = text;
  return {channel.url, json::serialize(out), {}};
}

}  // namespace tocsin::notify
