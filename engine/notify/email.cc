// SPDX-License-Identifier: Apache-2.0
//
// Mail: one message for each address, as text and as HTML. What is said of one group is one thread
// in a mail program. Nothing is loaded from elsewhere when it is opened.
#include <algorithm>
#include <array>
#include <cstdio>

#include "base/replaced.h"
#include "net/url.h"
#include "notify/channel_kinds.h"
#include "notify/layout.h"
#include "notify/mime.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kMostAlerts = 50;
constexpr std::size_t kMostSubject = 200;
constexpr std::size_t kMostDescription = 4000;

std::string escape_html(std::string_view text) {
  return replaced(text,
                  {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\n', "<br>"}});
}

std::string html_of(const AlertText& alert) {
  std::string out = "<h3 style=\"margin:16px 0 4px\">" + std::string(alert.resolved ? "✅ " : "🔥 ") +
                    escape_html(alert.title) + "</h3>\n";
  if (!alert.description.empty()) {
    out += "<p>" + escape_html(clip(alert.description, kMostDescription)) + "</p>\n";
  }
  out += "<table>\n";
  for (const Fact& fact : alert.facts) {
    out += "<tr><td style=\"color:#666;padding-right:12px\">" + escape_html(fact.name) +
           "</td><td>" + escape_html(fact.text) + "</td></tr>\n";
  }
  out += "</table>\n";
  for (const std::string& note : alert.notes) out += "<p><i>" + escape_html(note) + "</i></p>\n";
  for (const Link& link : alert.links) {
    out += "<a href=\"" + escape_html(link.url) + "\">" + escape_html(link.text) + "</a>&nbsp; ";
  }
  return out + "\n";
}

std::string html_of(const MessageText& message) {
  std::array<char, 8> colour{};
  std::snprintf(colour.data(), colour.size(), "#%06x", colour_of(message));
  std::string out =
      "<!doctype html>\n<html><body style=\"font-family:sans-serif\">\n"
      "<h2 style=\"border-left:6px solid " +
      std::string(colour.data()) + ";padding-left:8px\">" + escape_html(message.title) + "</h2>\n";
  for (const AlertText& alert : message.alerts) out += html_of(alert);
  if (message.left_out > 0) out += "<p>" + escape_html(left_out_text(message)) + "</p>\n";
  return out + "</body></html>\n";
}

// The address that the configuration's reader has found to be one.
Mailbox mailbox_of(const std::string& text) {
  auto boxes = parse_mailboxes(text);
  return boxes ? boxes->front() : Mailbox{};
}

Timestamp decided_at(const GroupMessage& group) {
  Timestamp latest{};
  for (const OutgoingAlert& alert : group.alerts) latest = std::max(latest, alert.decided_at);
  return latest;
}

// The mail's own, and what the configuration says instead of them or besides.
net::Headers headers_of(const GroupMessage& group, const ChannelConfig& config,
                        const std::string& title) {
  const Mailbox from = mailbox_of(config.option("from"));
  const std::string domain = from.address.substr(from.address.find('@') + 1);
  const Timestamp at = decided_at(group);
  net::Headers out{{"From", format_mailbox(from)},
                   {"To", format_mailbox(mailbox_of(config.option("to")))},
                   {"Subject", encode_header(clip(title, kMostSubject))},
                   {"Date", format_mail_date(at)},
                   {"Message-ID", "<" + dedup_key(group) + "-" + std::to_string(to_millis(at)) +
                                      "@" + domain + ">"},
                   {"References", "<" + dedup_key(group) + "@" + domain + ">"},
                   {"Auto-Submitted", "auto-generated"}};
  for (const auto& [name, value] : config.client.headers) {
    std::erase_if(
        out, [&name = name](const auto& own) { return !net::find_header({own}, name).empty(); });
    out.emplace_back(name, encode_header(value));
  }
  return out;
}

}  // namespace

ChannelRequest email_request(const GroupMessage& group, const OpenChannel& channel) {
  const ChannelConfig& config = channel.config;
  const MessageText message =
      message_of(group, config.max_alerts == 0 ? kMostAlerts : config.max_alerts);
  const std::string& hello = config.option("hello");
  ChannelRequest out;
  // 465 is the port where TLS comes before everything.
  out.url = (channel.url.ends_with(":465") ? "smtps://" : "smtp://") + channel.url + "/" +
            net::url_encode(hello.empty() ? "localhost" : hello);
  out.body = format_mail(headers_of(group, config, message.title),
                         {plain_text(message), html_of(message)});
  out.mail = net::MailEnvelope{mailbox_of(config.option("from")).address,
                               mailbox_of(config.option("to")).address,
                               config.option("require_tls") != "false"};
  if (const std::string& user = config.option("auth_username"); !user.empty()) {
    out.login = net::BasicCredentials{user, channel.key};
  }
  return out;
}

}  // namespace tocsin::notify
