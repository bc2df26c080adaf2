// SPDX-License-Identifier: Apache-2.0
//
// The parts of the config reader: one function per object, spread over the files config*.cc.
#pragma once

#include <string>

#include "daemon/config.h"
#include "yaml/mapping.h"

namespace tocsin::daemon {

// What `global` says for receivers.
struct ChannelDefaults {
  std::map<notify::ChannelKind, notify::ChannelConfig> by_kind;
  net::ClientConfig client;  // Of all kinds but mail.

  notify::ChannelConfig of(notify::ChannelKind kind) const;
};

// What the readers of objects need besides the object: the file's path, for the paths in it.
struct ConfigContext {
  std::string path;
  Duration scrape_interval{0};
  Duration scrape_timeout{0};
  ChannelDefaults channel_defaults;
};

// config.cc
void read_top(yaml::Mapping& m, const std::string& path, Config& config);

// config_client.cc
void read_client(yaml::Mapping& m, const ConfigContext& context, net::ClientConfig& client);
void read_tls(yaml::Mapping& m, const ConfigContext& context, net::TlsOptions& tls);
// A file's path, relative to the config file.
void read_path(yaml::Mapping& m, std::string_view key, const ConfigContext& context,
               std::string& out);
// "64MB", "1KiB", "100": bytes, in Prometheus' notation.
void read_bytes(yaml::Mapping& m, std::string_view key, std::size_t& out);
void read_count(yaml::Mapping& m, std::string_view key, std::size_t& out);

// config_scrape.cc
// The `labels` of a target group.
void read_labels(yaml::Mapping& m, Labels& labels);
void read_scrape_config(yaml::Mapping& m, const ConfigContext& context,
                        source::ScrapeConfig& config);
void read_relabel_config(yaml::Mapping& m, source::RelabelConfig& config);

// config_defaults.cc
void read_channel_defaults(yaml::Mapping& m, const ConfigContext& context,
                           ChannelDefaults& defaults);
// `key`, or `key_file`; leaves `secret` as it is where there is neither.
void read_secret(yaml::Mapping& m, std::string_view key, const ConfigContext& context,
                 notify::Secret& secret);

// config_notify.cc
void read_alerting(yaml::Mapping& m, const ConfigContext& context, Config& config);
void read_receiver(yaml::Mapping& m, const ConfigContext& context,
                   notify::ReceiverConfig& receiver);
struct RouteContext {
  const notify::RouteConfig& parent;  // What the route does not say, it has from here.
  const notify::TimeIntervals& intervals;
  bool is_root = true;
};
void read_route(yaml::Mapping& m, const RouteContext& context, notify::RouteConfig& route);
void check_receivers(yaml::Mapping& m, const notify::NotifyConfig& config);

// config_mutes.cc
void read_time_intervals(yaml::Mapping& m, notify::TimeIntervals& intervals);
void read_inhibit_rule(yaml::Mapping& m, notify::InhibitRule& rule);
void read_matchers(yaml::Mapping& m, std::string_view key, Matchers& out);
// Names of time intervals; those that there are not are reported.
void read_interval_names(yaml::Mapping& m, std::string_view key,
                         const notify::TimeIntervals& intervals, std::vector<std::string>& out);

// config_mail.cc
// What an entry of email_configs has besides what all channels have; these are read already.
void read_mail(yaml::Mapping& m, const ConfigContext& context, notify::ChannelConfig& channel);
bool is_header_name(std::string_view name);
// One channel for each address, so that one that is refused keeps the others from nothing.
std::vector<notify::ChannelConfig> one_for_each_address(const notify::ChannelConfig& channel);

}  // namespace tocsin::daemon
