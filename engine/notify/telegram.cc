// SPDX-License-Identifier: Apache-2.0
//
// Telegram's bots: HTML of 4,096 characters.
#include <boost/json.hpp>

#include "net/url.h"
#include "notify/channel_kinds.h"
#include "notify/layout.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostBytes = 4000;
constexpr std::size_t kMostAlerts = 10;

std::string quoted(const std::string& url) {
  return replaced(escape_angles(url), {{'"', "&quot;"}});
}

std::string headline(const AlertText& alert) {
  return "\n\n" + std::string(alert.resolved ? "✅ " : "🔥 ") + "<b>" +
         escape_angles(clip(alert.title, 300)) + "</b>";
}

std::string html_of(const AlertText& alert) {
  std::string out = headline(alert);
  if (!alert.description.empty()) out += "\n" + escape_angles(clip(alert.description, 500));
  for (const Fact& fact : alert.facts) {
    out += "\n" + fact.name + ": " + escape_angles(clip(fact.text, 120));
  }
  for (const std::string& note : alert.notes) {
    out += "\n<i>" + escape_angles(clip(note, 250)) + "</i>";
  }
  std::string links;
  for (const Link& link : alert.links) {
    links += " <a href=\"" + quoted(link.url) + "\">" + link.text + "</a>";
  }
  return links.empty() ? out : out + "\n" + links.substr(1);
}

// As many whole alerts as fit, then their first lines: HTML that is cut short is refused.
std::string html_of(const MessageText& message) {
  std::string out = "<b>" + escape_angles(clip(message.title, 300)) + "</b>";
  std::size_t left_out = message.left_out;
  for (const AlertText& alert : message.alerts) {
    std::string text = html_of(alert);
    if (out.size() + text.size() > kMostBytes) text = headline(alert);
    if (out.size() + text.size() <= kMostBytes) {
      out += text;
    } else {
      ++left_out;
    }
  }
  return left_out == 0 ? out : out + "\n\nand " + std::to_string(left_out) + " more";
}

}  // namespace

ChannelRequest telegram_request(const GroupMessage& group, const OpenChannel& channel) {
  const std::size_t most = channel.config.max_alerts == 0 ? kMostAlerts : channel.config.max_alerts;
  json::object out{{"chat_id", channel.config.option("chat_id")},
                   {"text", html_of(message_of(group, most))},
                   {"parse_mode", "HTML"},
                   {"link_preview_options", {{"is_disabled", true}}}};
  const std::string& thread = channel.config.option("message_thread_id");
  if (!thread.empty()) out["message_thread_id"] = thread;
  return {
      net::join_url(channel.url, "/bot" + channel.key + "/sendMessage"), json::serialize(out), {}};
}

}  // namespace tocsin::notify
