// SPDX-License-Identifier: Apache-2.0
//
// The parts of the config reader: one function per object, spread over the files config*.cc.
#pragma once

#include <string>

#include "daemon/config.h"
#include "yaml/mapping.h"

namespace tocsin::daemon {

// What the readers of objects need besides the object: the file's path, for the paths in it.
struct ConfigContext {
  std::string path;
  Duration scrape_interval;
  Duration scrape_timeout;
};

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

// config_notify.cc
void read_alerting(yaml::Mapping& m, const ConfigContext& context, Config& config);
void read_receiver(yaml::Mapping& m, const ConfigContext& context,
                   notify::ReceiverConfig& receiver);
void read_route(yaml::Mapping& m, const notify::RouteConfig& parent, notify::RouteConfig& route);
void check_receivers(yaml::Mapping& m, const notify::NotifyConfig& config);

// config_mail.cc
// What an entry of email_configs has besides what all channels have; these are read already.
void read_mail(yaml::Mapping& m, const ConfigContext& context, notify::ChannelConfig& channel);
// One channel for each address, so that one that is refused keeps the others from nothing.
std::vector<notify::ChannelConfig> one_for_each_address(const notify::ChannelConfig& channel);

}  // namespace tocsin::daemon
