// SPDX-License-Identifier: Apache-2.0
//
// Microsoft Teams through a workflow's webhook, which takes Adaptive Cards and nothing else.
#include <boost/json.hpp>

#include "notify/channel_kinds.h"
#include "notify/layout.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostBytes = 28'000;
constexpr std::size_t kMostAlerts = 10;

std::string_view card_colour(const MessageText& message) {
  if (message.resolved) return "Good";
  return severity_of(message.severity) <= Severity::Warning ? "Warning" : "Attention";
}

json::object block(const std::string& text) {
  return {{"type", "TextBlock"}, {"text", text}, {"wrap", true}};
}

void add_alert(json::array& body, const AlertText& alert) {
  json::object title =
      block((alert.resolved ? "✅ " : "") + escape_markdown(clip(alert.title, 300)));
  title["weight"] = "Bolder";
  title["separator"] = true;
  body.push_back(std::move(title));
  if (!alert.description.empty()) {
    body.push_back(block(escape_markdown(clip(alert.description, 1000))));
  }
  json::array facts;
  for (const Fact& fact : alert.facts) {
    facts.push_back({{"title", fact.name}, {"value", escape_markdown(clip(fact.text, 200))}});
  }
  body.push_back({{"type", "FactSet"}, {"facts", facts}});
  for (const std::string& note : alert.notes) {
    json::object said = block(escape_markdown(clip(note, 300)));
    said["isSubtle"] = true;
    body.push_back(std::move(said));
  }
  json::array actions;
  for (const Link& link : alert.links) {
    actions.push_back({{"type", "Action.OpenUrl"}, {"title", link.text}, {"url", link.url}});
  }
  if (!actions.empty()) body.push_back({{"type", "ActionSet"}, {"actions", actions}});
}

std::string card(const MessageText& message) {
  json::object title = block(escape_markdown(clip(message.title, 300)));
  title["size"] = "Medium";
  title["weight"] = "Bolder";
  title["style"] = "heading";
  title["color"] = card_colour(message);
  json::array body{title};
  for (const AlertText& alert : message.alerts) add_alert(body, alert);
  if (message.left_out > 0) body.push_back(block(left_out_text(message)));
  const json::object content{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                             {"type", "AdaptiveCard"},
                             {"version", "1.2"},
                             {"body", body},
                             {"msteams", {{"width", "full"}}}};
  return json::serialize(json::object{
      {"type", "message"},
      {"attachments", json::array{{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                   {"contentUrl", nullptr},
                                   {"content", content}}}}});
}

}  // namespace

ChannelRequest msteams_request(const GroupMessage& group, const OpenChannel& channel) {
  const std::size_t wanted = channel.config.max_alerts;
  std::size_t most = wanted == 0 ? kMostAlerts : wanted;
  std::string body = card(message_of(group, most));
  while (body.size() > kMostBytes && most > 1) {
    most /= 2;
    body = card(message_of(group, most));
  }
  return {channel.url, std::move(body), {}};
}

}  // namespace tocsin::notify
