// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "daemon/config_reader.h"
#include "net/url.h"
#include "notify/mime.h"

namespace tocsin::daemon {
namespace {

using yaml::Mapping;

constexpr std::array<std::string_view, 3> kThisMachine{"localhost", "127.0.0.1", "::1"};

void check_addresses(Mapping& m, std::string_view key, const notify::ChannelConfig& channel) {
  const std::string& text = channel.option(std::string(key));
  if (text.empty()) return;
  const auto boxes = notify::parse_mailboxes(text);
  if (!boxes) return m.error(key, boxes.error().message, "for example Team <team@example.org>");
  if (key == "from" && boxes->size() > 1) m.error(key, "a mail is from one address");
}

bool is_about_the_body(std::string_view name) {
  return net::equal_ignoring_case(name, "MIME-Version") ||
         net::equal_ignoring_case(name.substr(0, 8), "Content-");
}

void read_headers(Mapping& m, notify::ChannelConfig& channel) {
  std::map<std::string, std::string> headers;
  m.read("headers", headers);
  for (const auto& [name, value] : headers) {
    if (!is_header_name(name)) m.error("headers", "not the name of a header: " + quote(name));
    if (is_about_the_body(name)) m.error("headers", name + " is Tocsin's to say");
    if (value.find("{{") != std::string::npos) {
      m.error("headers", "there are no templates in headers: " + name + ": " + value,
              "leave Subject out: Tocsin writes one that says what fires, and where");
    }
  }
  channel.client.headers.assign(headers.begin(), headers.end());
}

void check_login(Mapping& m, const notify::ChannelConfig& channel, std::string_view host) {
  const bool has_user = !channel.option("auth_username").empty();
  if (has_user != channel.key.is_set()) {
    m.error("auth_username",
            "auth_username goes with auth_password or auth_password_file, and they with it");
  }
  const bool is_plain =
      channel.option("require_tls") == "false" && !channel.url.text.ends_with(":465");
  const bool is_near =
      std::find(kThisMachine.begin(), kThisMachine.end(), host) != kThisMachine.end();
  if (has_user && is_plain && !is_near) {
    m.error("require_tls", "the password would go over the wire for everybody to read",
            "require_tls: true, or no auth_username");
  }
}

}  // namespace

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

void read_mail(Mapping& m, const ConfigContext& context, notify::ChannelConfig& channel) {
  bool require_tls = channel.option("require_tls") != "false";
  m.read("require_tls", require_tls);
  if (require_tls) {
    channel.options.erase("require_tls");
  } else {
    channel.options["require_tls"] = "false";
  }
  m.read("tls_config", channel.client.tls,
         [&](Mapping& tls, net::TlsOptions& out) { read_tls(tls, context, out); });
  read_headers(m, channel);
  check_addresses(m, "to", channel);
  check_addresses(m, "from", channel);
  std::string host;
  if (!channel.url.text.empty()) {
    const auto parts = net::split_host_port(channel.url.text);
    if (!parts || parts->first.empty()) {
      m.error("smarthost", "not host:port: " + channel.url.text, "smarthost: mail.example.org:587");
    } else {
      host = parts->first;
    }
  }
  check_login(m, channel, host);
}

std::vector<notify::ChannelConfig> one_for_each_address(const notify::ChannelConfig& channel) {
  const auto boxes = notify::parse_mailboxes(channel.option("to"));
  if (channel.kind != notify::ChannelKind::Email || !boxes) return {channel};
  std::vector<notify::ChannelConfig> out;
  for (const notify::Mailbox& box : *boxes) {
    out.push_back(channel);
    out.back().options["to"] = notify::format_mailbox(box);
  }
  return out;
}

}  // namespace tocsin::daemon
