// SPDX-License-Identifier: Apache-2.0
//
// tocsin.yaml: its keys and their meaning are those of prometheus.yml and alertmanager.yml. Reading
// is bytes in, a Config and everything that is wrong with it out; of the machine it looks at the
// time zones that are named. Relative paths are relative to the file.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/link_templates.h"
#include "daemon/replica.h"
#include "net/http_server.h"
#include "notify/notification.h"
#include "rule/reference.h"
#include "source/relabel.h"
#include "source/remote_query.h"
#include "source/scrape_config.h"
#include "tocsin/diagnostics.h"
#include "tocsin/matcher.h"

namespace tocsin::daemon {

struct CertificateFile {
  std::string name;
  std::string kind = "trust-anchor";  // trust-anchor, issuer or webhook.
  std::string path;

  bool operator==(const CertificateFile&) const = default;
};

struct Config {
  Duration scrape_interval = std::chrono::minutes(1);
  Duration scrape_timeout = std::chrono::seconds(10);
  Duration evaluation_interval = std::chrono::minutes(1);
  Duration rule_query_offset{0};
  Duration resend_delay = std::chrono::minutes(1);
  std::map<std::string, std::string> external_labels;
  std::string external_url;
  LinkTemplates links;
  std::vector<std::string> rule_files;            // Patterns.
  std::map<std::string, Place> rule_file_places;  // Where the file has each of them.
  std::vector<source::ScrapeConfig> scrape_configs;
  bool receives_writes = false;
  bool takes_silences = false;  // Over HTTP.
  std::vector<Matchers> keep;   // Series to store though no rule asks for them.
  std::optional<source::RemoteConfig> prometheus;
  std::optional<ReplicaConfig> standby;
  std::vector<CertificateFile> certificates;
  notify::NotifyConfig notify;
  std::vector<source::RelabelConfig> alert_relabel_configs;
  std::string storage_path;  // Empty: state lives in memory.
  net::HttpServerOptions web{.unlimited_paths = {"/-/healthy", "/-/ready"}};
};

struct LoadedConfig {
  Config config;
  Diagnostics diagnostics;
};
LoadedConfig read_config(const std::string& path, std::string_view bytes);

// Notes what a configuration may contain, and says what Tocsin's own keys are for. All others mean
// what they mean in prometheus.yml and alertmanager.yml.
void describe_config(yaml::Schema& schema);
std::span<const rule::KeyText> config_texts();

// Reads a file_sd document, YAML or JSON. For source::Scraper.
Result<std::vector<source::TargetGroup>> parse_target_groups(std::string_view bytes);

}  // namespace tocsin::daemon
