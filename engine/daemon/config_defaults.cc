// SPDX-License-Identifier: Apache-2.0
//
// What alertmanager.yml's `global` says for all receivers of a kind.
#include "daemon/config_reader.h"

namespace tocsin::daemon {
namespace {

using notify::ChannelKind;
using yaml::Mapping;

enum class Part { Url, Secret, Option };

struct GlobalKey {
  std::string_view key;
  ChannelKind kind;
  Part part;
  std::string_view option;
};

constexpr GlobalKey kKeys[] = {
    {"smtp_smarthost", ChannelKind::Email, Part::Url, {}},
    {"smtp_auth_password", ChannelKind::Email, Part::Secret, {}},
    {"smtp_from", ChannelKind::Email, Part::Option, "from"},
    {"smtp_hello", ChannelKind::Email, Part::Option, "hello"},
    {"smtp_auth_username", ChannelKind::Email, Part::Option, "auth_username"},
    {"slack_api_url", ChannelKind::Slack, Part::Url, {}},
    {"pagerduty_url", ChannelKind::PagerDuty, Part::Url, {}},
    {"opsgenie_api_url", ChannelKind::Opsgenie, Part::Url, {}},
    {"opsgenie_api_key", ChannelKind::Opsgenie, Part::Secret, {}},
    {"telegram_api_url", ChannelKind::Telegram, Part::Url, {}},
};

void read_key(Mapping& m, const GlobalKey& key, const ConfigContext& context,
              notify::ChannelConfig& channel) {
  if (key.part == Part::Option) {
    std::string text;
    if (m.read(key.key, text)) channel.options[std::string(key.option)] = std::move(text);
    return;
  }
  read_secret(m, key.key, context, key.part == Part::Url ? channel.url : channel.key);
}

}  // namespace

void read_secret(Mapping& m, std::string_view key, const ConfigContext& context,
                 notify::Secret& secret) {
  const std::string file_key = std::string(key) + "_file";
  notify::Secret own;
  m.read(key, own.text);
  read_path(m, file_key, context, own.file);
  if (!own.text.empty() && !own.file.empty()) {
    m.error(file_key, "at most one of " + std::string(key) + " and " + file_key + " can be given");
  }
  if (own.is_set()) secret = std::move(own);
}

void read_channel_defaults(Mapping& m, const ConfigContext& context, ChannelDefaults& defaults) {
  for (const GlobalKey& key : kKeys) read_key(m, key, context, defaults.by_kind[key.kind]);
  bool require_tls = true;
  m.read("smtp_require_tls", require_tls);
  if (!require_tls) defaults.by_kind[ChannelKind::Email].options["require_tls"] = "false";
  m.read("http_config", defaults.client,
         [&](Mapping& http, net::ClientConfig& out) { read_client(http, context, out); });
  // Alertmanager's, for alerts that do not say how long they are to be believed. Ours do.
  Duration resolve_timeout{0};
  m.read("resolve_timeout", resolve_timeout);
}

notify::ChannelConfig ChannelDefaults::of(ChannelKind kind) const {
  const auto it = by_kind.find(kind);
  notify::ChannelConfig out = it == by_kind.end() ? notify::ChannelConfig{} : it->second;
  out.kind = kind;
  if (kind != ChannelKind::Email) out.client = client;
  return out;
}

}  // namespace tocsin::daemon
