// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "daemon/config_reader.h"
#include "notify/channel_kinds.h"
#include "notify/webhook_template.h"

namespace tocsin::daemon {
namespace {

using yaml::Mapping;

// An entry of `alertmanagers`, as in prometheus.yml: one config, several addresses.
struct AlertmanagerEntry {
  std::string scheme = "http";
  std::string path_prefix;
  std::string api_version = "v2";
  Duration timeout = std::chrono::seconds(10);
  net::ClientConfig client;
  std::vector<std::string> targets;
};

void read_alertmanager(Mapping& m, const ConfigContext& context, AlertmanagerEntry& entry) {
  m.choice("scheme", entry.scheme,
           {{"http", std::string("http")}, {"https", std::string("https")}});
  m.read("path_prefix", entry.path_prefix);
  m.read("timeout", entry.timeout);
  m.choice("api_version", entry.api_version, {{"v2", std::string("v2")}});
  read_client(m, context, entry.client);
  std::vector<source::TargetGroup> groups;
  m.read("static_configs", groups,
         [](Mapping& group, source::TargetGroup& out) { group.read("targets", out.targets); });
  for (const source::TargetGroup& group : groups) {
    entry.targets.insert(entry.targets.end(), group.targets.begin(), group.targets.end());
  }
  if (entry.targets.empty()) {
    m.error_here("an Alertmanager needs static_configs with targets",
                 "static_configs: [{targets: ['alertmanager:9093']}]");
  }
}

// What Alertmanager writes messages from.
constexpr std::string_view kTemplateKeys[] = {
    "title",   "text",     "message", "description", "details", "fields", "actions", "color",
    "pretext", "fallback", "card",    "summary",     "body",    "html",   "subject", "note"};

void refuse_templates(Mapping& m, const notify::ChannelKindInfo& kind) {
  for (const std::string_view key : kTemplateKeys) {
    const auto& known = kind.options;
    if (std::find(known.begin(), known.end(), key) != known.end() || !m.has(key)) continue;
    m.error(
        key, "there is no " + quote(key) + ": Tocsin writes the message itself",
        "say it in the rule's annotations, summary and description, or send to an Alertmanager");
  }
}

std::string who_needs(const notify::ChannelKindInfo& kind) {
  const bool vowel = std::string_view("aeiou").find(kind.name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(kind.name) + " receiver needs ";
}

// Its own headers, and a body that is tried on alerts that nobody will see.
void read_webhook(Mapping& m, notify::ChannelConfig& channel) {
  std::map<std::string, std::string> headers;
  m.read("headers", headers);
  for (const auto& [name, value] : headers) {
    if (!is_header_name(name)) m.error("headers", "not the name of a header: " + quote(name));
    if (value.find("{{") != std::string::npos) {
      m.error("headers", "there are no templates in headers: " + name);
    }
    channel.client.headers.emplace_back(name, value);
  }
  if (channel.option("body").empty()) return;
  const auto text = notify::webhook_text(notify::sample_group(), channel);
  if (!text) {
    const bool parses = text.error().message.starts_with("the body is not JSON");
    m.error("body", text.error().message,
            parses
                ? "a text in JSON is written by toJson: {{ .CommonAnnotations.summary | toJson }}"
                : "");
  }
}

void read_channel(Mapping& m, const ConfigContext& context, const notify::ChannelKindInfo& kind,
                  notify::ChannelConfig& channel) {
  channel = context.channel_defaults.of(kind.kind);
  channel.send_resolved = kind.send_resolved;
  // A mail server may look into a message for a while before it takes it.
  if (kind.kind == notify::ChannelKind::Email) channel.timeout = std::chrono::seconds(30);
  read_secret(m, kind.url_key, context, channel.url);
  if (!channel.url.is_set()) channel.url.text = kind.default_url;
  if (!kind.secret_key.empty()) read_secret(m, kind.secret_key, context, channel.key);
  for (const std::string_view option : kind.options) {
    std::string text;
    if (m.read(option, text)) channel.options[std::string(option)] = std::move(text);
  }
  m.read("send_resolved", channel.send_resolved);
  m.read("timeout", channel.timeout);
  read_count(m, "max_alerts", channel.max_alerts);
  read_count(m, "max_per_minute", channel.max_per_minute);
  if (kind.kind == notify::ChannelKind::Email) {
    read_mail(m, context, channel);
  } else {
    if (m.has("http_config")) channel.client = {};
    m.read("http_config", channel.client,
           [&](Mapping& http, net::ClientConfig& out) { read_client(http, context, out); });
  }
  if (kind.kind == notify::ChannelKind::Webhook) read_webhook(m, channel);
  refuse_templates(m, kind);
  const auto need = [&](std::string_view key) {
    m.error_here(who_needs(kind) + std::string(key) + " or " + std::string(key) + "_file");
  };
  if (!channel.url.is_set()) need(kind.url_key);
  if (kind.needs_secret && !channel.key.is_set()) need(kind.secret_key);
  for (const std::string_view option : kind.required) {
    if (!channel.options.contains(std::string(option))) {
      m.error_here(who_needs(kind) + std::string(option));
    }
  }
}

bool is_known(const notify::NotifyConfig& config, const std::string& name) {
  return std::any_of(config.receivers.begin(), config.receivers.end(),
                     [&](const notify::ReceiverConfig& r) { return r.name == name; });
}

void check_route(Mapping& m, const notify::NotifyConfig& config, const notify::RouteConfig& route) {
  if (!is_known(config, route.receiver)) {
    m.error("route", "no receiver is called " + quote(route.receiver),
            "receivers: [{name: " + route.receiver + ", webhook_configs: […]}]");
  }
  for (const notify::RouteConfig& child : route.routes) check_route(m, config, child);
}

// What no other route takes must always be heard.
void check_root(Mapping& m, const notify::RouteConfig& route) {
  if (!route.matchers.empty()) {
    m.error("matchers", "the root route takes every alert: it has no matchers",
            "put them on a route below it");
  }
  for (const char* key : {"mute_time_intervals", "active_time_intervals"}) {
    if (!m.has(key)) continue;
    m.error(key, "the root route is never muted: it has no " + std::string(key),
            "put them on a route below it");
  }
}

}  // namespace

void read_alerting(Mapping& m, const ConfigContext& context, Config& config) {
  std::vector<AlertmanagerEntry> entries;
  m.read("alertmanagers", entries,
         [&](Mapping& entry, AlertmanagerEntry& out) { read_alertmanager(entry, context, out); });
  for (const AlertmanagerEntry& entry : entries) {
    for (const std::string& target : entry.targets) {
      std::string prefix = entry.path_prefix;
      if (!prefix.empty() && prefix.front() != '/') prefix.insert(0, 1, '/');
      config.notify.alertmanagers.push_back(
          {entry.scheme + "://" + target + prefix, entry.timeout, entry.client});
    }
  }
  m.read("alert_relabel_configs", config.alert_relabel_configs, read_relabel_config);
}

void read_receiver(Mapping& m, const ConfigContext& context, notify::ReceiverConfig& receiver) {
  m.require("name", receiver.name);
  const yaml::Reporter::Context name(m.report(), "receiver '" + receiver.name + "'");
  for (const notify::ChannelKindInfo& kind : notify::channel_kinds()) {
    std::vector<notify::ChannelConfig> channels;
    m.read(kind.list_key, channels, [&](Mapping& channel, notify::ChannelConfig& out) {
      read_channel(channel, context, kind, out);
    });
    for (const notify::ChannelConfig& channel : channels) {
      const auto each = one_for_each_address(channel);
      receiver.channels.insert(receiver.channels.end(), each.begin(), each.end());
    }
  }
  for (const char* kind : {"victorops_configs", "pushover_configs", "wechat_configs", "sns_configs",
                           "webex_configs"}) {
    if (!m.has(kind)) continue;
    m.error(kind, std::string("there are no ") + kind,
            "send to an Alertmanager that has them, or to a webhook");
  }
}

// As Alertmanager has it.
void check_timing(Mapping& m, const notify::RouteConfig& route) {
  if (route.group_interval <= Duration(0)) {
    m.error("group_interval", "'group_interval' must be more than 0s");
  }
  if (route.repeat_interval <= Duration(0)) {
    m.error("repeat_interval", "'repeat_interval' must be more than 0s");
  }
  const auto& by = route.group_by;
  if (by.size() > 1 && std::find(by.begin(), by.end(), "...") != by.end()) {
    m.error("group_by", "'...' is all labels: there is nothing beside it", "group_by: ['...']");
  }
  for (const char* old : {"match", "match_re"}) {
    if (!m.has(old)) continue;
    m.error(old, "there is no " + quote(old) + ": write matchers",
            R"(matchers: [severity="critical"])");
  }
}

void read_route(Mapping& m, const RouteContext& context, notify::RouteConfig& route) {
  route = context.parent;
  route.routes.clear();
  route.matchers.clear();
  route.mute_time_intervals.clear();
  route.active_time_intervals.clear();
  route.continue_matching = false;
  m.read("receiver", route.receiver);
  m.read("group_by", route.group_by);
  m.read("group_wait", route.group_wait);
  m.read("group_interval", route.group_interval);
  m.read("repeat_interval", route.repeat_interval);
  m.read("continue", route.continue_matching);
  check_timing(m, route);
  read_matchers(m, "matchers", route.matchers);
  read_interval_names(m, "mute_time_intervals", context.intervals, route.mute_time_intervals);
  read_interval_names(m, "active_time_intervals", context.intervals, route.active_time_intervals);
  if (context.is_root) check_root(m, route);
  const notify::RouteConfig as_parent = route;
  const RouteContext below{as_parent, context.intervals, false};
  m.read("routes", route.routes,
         [&](Mapping& child, notify::RouteConfig& out) { read_route(child, below, out); });
}

void check_receivers(Mapping& m, const notify::NotifyConfig& config) {
  if (config.route) check_route(m, config, *config.route);
  if (!config.receivers.empty() && !config.route) {
    m.error("receivers", "receivers without a route hear of nothing",
            "route: {receiver: " + config.receivers.front().name + "}");
  }
}

}  // namespace tocsin::daemon
