// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "daemon/config_reader.h"
#include "tocsin/diagnostics.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

using yaml::Mapping;

void read_static(Mapping& m, source::TargetGroup& group) {
  m.read("targets", group.targets);
  read_labels(m, group.labels);
}

void read_file_sd(Mapping& m, const ConfigContext& context, source::FileDiscoveryConfig& sd) {
  m.require("files", sd.files);
  for (std::string& file : sd.files) file = resolve_beside(context.path, file);
  m.read("refresh_interval", sd.refresh_interval);
}

void read_http_sd(Mapping& m, const ConfigContext& context, source::HttpDiscoveryConfig& sd) {
  m.require("url", sd.url);
  m.read("refresh_interval", sd.refresh_interval);
  read_client(m, context, sd.client);
}

void read_limits(Mapping& m, source::ScrapeLimits& limits) {
  read_count(m, "sample_limit", limits.samples);
  read_count(m, "label_limit", limits.labels);
  read_count(m, "label_name_length_limit", limits.label_name_length);
  read_count(m, "label_value_length_limit", limits.label_value_length);
  read_count(m, "target_limit", limits.targets);
  read_bytes(m, "body_size_limit", limits.body_bytes);
}

void read_params(Mapping& m, source::ScrapeConfig& config) {
  const yaml::Node params = m.find("params");
  if (params.is_null()) return;
  Mapping map(params, m.report(), "'params'");
  for (const yaml::Node::Entry& entry : params.entries()) {
    map.read(entry.key.text(), config.params[entry.key.text()]);
  }
}

void read_timing(Mapping& m, const ConfigContext& context, source::ScrapeConfig& config) {
  config.scrape_interval = context.scrape_interval;
  config.scrape_timeout = context.scrape_timeout;
  m.read("scrape_interval", config.scrape_interval);
  const bool own_timeout = m.read("scrape_timeout", config.scrape_timeout);
  if (config.scrape_interval.count() <= 0) m.error("scrape_interval", "must be longer than 0");
  if (config.scrape_timeout <= config.scrape_interval) return;
  if (own_timeout) {
    m.error("scrape_timeout", "scrape_timeout must not be longer than scrape_interval",
            "at most " + format_duration(config.scrape_interval));
  }
  config.scrape_timeout = config.scrape_interval;
}

}  // namespace

void read_labels(Mapping& m, Labels& labels) {
  std::map<std::string, std::string> pairs;
  m.read("labels", pairs);
  LabelsBuilder builder;
  for (const auto& [name, value] : pairs) builder.set(name, value);
  labels = builder.build();
}

void read_relabel_config(Mapping& m, source::RelabelConfig& config) {
  std::int64_t modulus = 0;
  std::string action;
  m.read("source_labels", config.source_labels);
  m.read("separator", config.separator);
  m.read("regex", config.regex);
  m.read("target_label", config.target_label);
  m.read("replacement", config.replacement);
  if (m.read("modulus", modulus)) config.modulus = static_cast<std::uint64_t>(modulus);
  if (m.read("action", action)) {
    const auto known = source::parse_relabel_action(action);
    if (!known) {
      const std::string near = nearest(action, source::relabel_action_names());
      return m.error("action", "unknown relabel action " + quote(action),
                     near.empty() ? "" : "did you mean '" + near + "'?");
    }
    config.action = *known;
  }
  if (const auto problem = source::relabel_problem(config)) m.error_here(*problem);
}

void read_scrape_config(Mapping& m, const ConfigContext& context, source::ScrapeConfig& config) {
  m.require("job_name", config.job_name);
  const yaml::Reporter::Context job(m.report(), "job '" + config.job_name + "'");
  read_timing(m, context, config);
  m.read("metrics_path", config.metrics_path);
  m.choice("scheme", config.scheme,
           {{"http", std::string("http")}, {"https", std::string("https")}});
  read_params(m, config);
  m.read("honor_labels", config.honor_labels);
  m.read("honor_timestamps", config.honor_timestamps);
  m.read("track_timestamps_staleness", config.track_timestamps_staleness);
  m.read("static_configs", config.static_configs, read_static);
  m.read("file_sd_configs", config.file_sd_configs,
         [&](Mapping& sd, source::FileDiscoveryConfig& out) { read_file_sd(sd, context, out); });
  m.read("http_sd_configs", config.http_sd_configs,
         [&](Mapping& sd, source::HttpDiscoveryConfig& out) { read_http_sd(sd, context, out); });
  m.read("relabel_configs", config.relabel_configs, read_relabel_config);
  m.read("metric_relabel_configs", config.metric_relabel_configs, read_relabel_config);
  read_client(m, context, config.client);
  read_limits(m, config.limits);
  if (m.has("kubernetes_sd_configs")) {
    m.error("kubernetes_sd_configs", "Kubernetes discovery is not there yet",
            "federate the Prometheus that discovers your pods, or use file_sd_configs");
  }
}

}  // namespace tocsin::daemon
