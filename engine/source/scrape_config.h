// SPDX-License-Identifier: Apache-2.0
//
// A job of `scrape_configs`, with the keys and defaults of prometheus.yml. Plain values; whoever
// reads the file has put the global intervals in already.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/client_config.h"
#include "source/relabel.h"
#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/result.h"

namespace tocsin::source {

// Targets that share labels: an entry of static_configs, or of a file_sd document.
struct TargetGroup {
  std::vector<std::string> targets;  // Addresses, "host:port".
  Labels labels;
  std::string source;  // Where it came from: a file, a URL, or empty.

  bool operator==(const TargetGroup&) const = default;
};

struct FileDiscoveryConfig {
  std::vector<std::string> files;  // Paths; the last part may have wildcards.
  Duration refresh_interval = std::chrono::minutes(5);

  bool operator==(const FileDiscoveryConfig&) const = default;
};

struct HttpDiscoveryConfig {
  std::string url;
  Duration refresh_interval = std::chrono::minutes(1);
  net::ClientConfig client;

  bool operator==(const HttpDiscoveryConfig&) const = default;
};

// 0 is no limit. Exceeding one fails the whole scrape, target_limit every scrape of the job.
struct ScrapeLimits {
  std::size_t samples = 0;
  std::size_t labels = 0;
  std::size_t label_name_length = 0;
  std::size_t label_value_length = 0;
  std::size_t targets = 0;
  std::size_t body_bytes = 0;

  bool operator==(const ScrapeLimits&) const = default;
};

struct ScrapeConfig {
  std::string job_name;
  Duration scrape_interval = std::chrono::minutes(1);
  Duration scrape_timeout = std::chrono::seconds(10);
  std::string metrics_path = "/metrics";
  std::string scheme = "http";
  std::map<std::string, std::vector<std::string>> params;
  bool honor_labels = false;
  bool honor_timestamps = true;
  // Prometheus' key, accepted for its sake. Differs from Prometheus: series with timestamps of
  // their own always get stale markers, so that data never lingers.
  bool track_timestamps_staleness = false;
  std::vector<TargetGroup> static_configs;
  std::vector<FileDiscoveryConfig> file_sd_configs;
  std::vector<HttpDiscoveryConfig> http_sd_configs;
  std::vector<RelabelConfig> relabel_configs;
  std::vector<RelabelConfig> metric_relabel_configs;
  net::ClientConfig client;
  ScrapeLimits limits;

  bool operator==(const ScrapeConfig&) const = default;
};

// Reads a file_sd document, JSON or YAML. Given from above: this layer knows no YAML.
using ParseTargetGroups = std::function<Result<std::vector<TargetGroup>>(const std::string& bytes)>;

}  // namespace tocsin::source
