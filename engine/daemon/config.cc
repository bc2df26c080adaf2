// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "daemon/config_reader.h"
#include "net/user_gate.h"
#include "promql/ast.h"

namespace tocsin::daemon {
namespace {

using yaml::Mapping;

void read_global(Mapping& m, Config& config) {
  m.read("scrape_interval", config.scrape_interval);
  m.read("scrape_timeout", config.scrape_timeout);
  m.read("evaluation_interval", config.evaluation_interval);
  m.read("rule_query_offset", config.rule_query_offset);
  m.read("resend_delay", config.resend_delay);
  m.read("external_labels", config.external_labels);
  if (config.scrape_interval.count() <= 0) m.error("scrape_interval", "must be longer than 0");
  if (config.evaluation_interval.count() <= 0) {
    m.error("evaluation_interval", "must be longer than 0");
  }
  if (config.scrape_timeout > config.scrape_interval) {
    if (m.has("scrape_timeout")) {
      m.error("scrape_timeout", "scrape_timeout must not be longer than scrape_interval");
    }
    config.scrape_timeout = config.scrape_interval;
  }
  for (const auto& [name, value] : config.external_labels) {
    if (!is_legacy_label_name(name)) m.error("external_labels", "not a label name: " + quote(name));
  }
}

void read_prometheus(Mapping& m, const ConfigContext& context, source::RemoteConfig& remote) {
  m.require("url", remote.url);
  m.read("timeout", remote.timeout);
  read_client(m, context, remote.client);
  if (!remote.url.starts_with("http://") && !remote.url.starts_with("https://")) {
    m.error("url", "must start with http:// or https://", "for example http://prometheus:9090");
  }
}

void read_standby(Mapping& m, const ConfigContext& context, ReplicaConfig& standby) {
  standby.is_first = m.has("by");
  m.read("of", standby.url);
  m.read("by", standby.url);
  m.read("after", standby.after);
  read_client(m, context, standby.client);
  if (m.has("of") == m.has("by")) {
    m.error_here("either 'of' or 'by' is needed",
                 "of: http://first:9467 in the standby, by: http://standby:9467 in the first");
  } else if (!standby.url.starts_with("http://") && !standby.url.starts_with("https://")) {
    m.error(standby.is_first ? "by" : "of", "must start with http:// or https://");
  }
  if (standby.after.count() <= 0) m.error("after", "must be longer than 0");
}

void read_certificate(Mapping& m, const ConfigContext& context, CertificateFile& file) {
  m.require("name", file.name);
  m.choice("kind", file.kind,
           {{"trust-anchor", std::string("trust-anchor")},
            {"issuer", std::string("issuer")},
            {"webhook", std::string("webhook")}});
  if (!m.has("path")) m.error_here("'path' is missing");
  read_path(m, "path", context, file.path);
}

void read_web_tls(Mapping& m, const ConfigContext& context, net::HttpServerTls& tls) {
  read_path(m, "cert_file", context, tls.cert_file);
  read_path(m, "key_file", context, tls.key_file);
  read_path(m, "client_ca_file", context, tls.client_ca_file);
}

void read_rate_limit(Mapping& m, net::RateLimit& limit) {
  m.read("interval", limit.interval);
  m.read("burst", limit.burst);
  if (limit.burst < 1) m.error("burst", "must be 1 or more");
}

void read_web(Mapping& m, const ConfigContext& context, net::HttpServerOptions& web) {
  m.read("listen", web.listen);
  m.read("basic_auth_users", web.basic_auth_users);
  for (const auto& [name, password] : web.basic_auth_users) {
    if (net::is_bcrypt_hash(password)) continue;
    m.error("basic_auth_users", "the password of '" + name + "' is no bcrypt hash",
            "htpasswd -nBC 10 " + name + " makes one");
  }
  read_path(m, "basic_auth_users_file", context, web.basic_auth_users_file);
  m.read("rate_limit", web.rate_limit, read_rate_limit);
  m.read("tls_server_config", web.tls,
         [&](Mapping& tls, net::HttpServerTls& out) { read_web_tls(tls, context, out); });
}

void read_storage(Mapping& m, const ConfigContext& context, Config& config) {
  read_path(m, "path", context, config.storage_path);
  if (config.storage_path.empty()) {
    m.error_here("'path' is missing", "storage: {path: /var/lib/tocsin}");
  }
}

void read_write_receiver(Mapping& m, Config& config) {
  m.require("enabled", config.receives_writes);
}

void read_keep(Mapping& m, Config& config) {
  std::vector<std::string> selectors;
  m.read("keep", selectors);
  for (const std::string& selector : selectors) {
    const auto expr = promql::parse(selector);
    const auto* vector = expr ? promql::as<promql::VectorSelector>(**expr) : nullptr;
    if (vector) {
      config.keep.push_back(vector->matchers);
    } else {
      m.error("keep", "not a selector: " + selector, R"(for example '{__name__=~"tcp_.+"}')");
    }
  }
}

void check_jobs(const yaml::Node& root, yaml::Reporter& report, const Config& config) {
  std::set<std::string> seen;
  for (const source::ScrapeConfig& job : config.scrape_configs) {
    if (seen.insert(job.job_name).second) continue;
    report.error(root.get("scrape_configs"), "duplicate-job",
                 "two scrape_configs have the job_name " + quote(job.job_name));
  }
}

void read_group(Mapping& m, source::TargetGroup& group) {
  m.require("targets", group.targets);
  read_labels(m, group.labels);
}

// A line that holds a secret is not shown: diagnostics go to the log and to the page.
Diagnostics without_secrets(const Diagnostics& diagnostics) {
  static constexpr std::string_view kSecret[] = {
      "password:", "credentials:", "url:",     "routing_key:",
      "api_key:",  "bot_token:",   "headers:", "basic_auth_users:"};
  Diagnostics out;
  for (Diagnostic d : diagnostics.all()) {
    const bool is_secret =
        std::any_of(std::begin(kSecret), std::end(kSecret),
                    [&](std::string_view key) { return d.snippet.find(key) != std::string::npos; });
    if (is_secret) d.snippet.clear();
    out.add(std::move(d));
  }
  return out;
}

void read_document(const std::string& path, std::string_view bytes, LoadedConfig& loaded) {
  const auto document = yaml::Document::parse(path, bytes, loaded.diagnostics);
  if (loaded.diagnostics.has_errors() || document.root().is_null()) return;
  yaml::Reporter report(loaded.diagnostics, "config");
  yaml::read_object(
      document.root(), report, loaded.config,
      [&](Mapping& m, Config& config) { read_top(m, path, config); }, "the configuration");
  check_jobs(document.root(), report, loaded.config);
}

void read_rule_files(Mapping& m, const std::string& path, Config& config) {
  if (!m.read("rule_files", config.rule_files)) return;
  for (std::string& pattern : config.rule_files) pattern = resolve_beside(path, pattern);
  const auto nodes = m.find("rule_files").items();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    config.rule_file_places.emplace(config.rule_files[i], nodes[i].place());
  }
}

// Those of the names that messages show as links.
void read_links(Mapping& m, LinkTemplates& links) {
  for (const char* name : {"runbook_url", "dashboard_url", "logs", "traces"}) {
    std::string text;
    m.read(name, text);
    if (text.empty()) continue;
    const auto link = alert::Template::parse(text);
    if (link) {
      links.emplace(name, *link);
    } else {
      m.error(name, "the template of '" + std::string(name) + "': " + link.error().message,
              "write {{ $labels.namespace | urlquery }}, {{ .From }} and {{ .To }}");
    }
  }
}

}  // namespace

void read_top(Mapping& m, const std::string& path, Config& config) {
  ConfigContext context{path, {}, {}, {}};
  m.read("global", config, [&](Mapping& global, Config& out) {
    read_global(global, out);
    read_channel_defaults(global, context, context.channel_defaults);
  });
  context.scrape_interval = config.scrape_interval;
  context.scrape_timeout = config.scrape_timeout;
  m.read("external_url", config.external_url);
  m.read("links", config, [](Mapping& links, Config& out) { read_links(links, out.links); });
  read_rule_files(m, path, config);
  m.read("scrape_configs", config.scrape_configs,
         [&](Mapping& job, source::ScrapeConfig& out) { read_scrape_config(job, context, out); });
  m.read("prometheus", config.prometheus, [&](Mapping& remote, source::RemoteConfig& out) {
    read_prometheus(remote, context, out);
  });
  m.read("standby", config.standby,
         [&](Mapping& standby, ReplicaConfig& out) { read_standby(standby, context, out); });
  m.read("certificates", config.certificates,
         [&](Mapping& file, CertificateFile& out) { read_certificate(file, context, out); });
  m.read("alerting", config,
         [&](Mapping& alerting, Config& out) { read_alerting(alerting, context, out); });
  m.read("receivers", config.notify.receivers, [&](Mapping& receiver, notify::ReceiverConfig& out) {
    read_receiver(receiver, context, out);
  });
  read_time_intervals(m, config.notify.time_intervals);
  m.read("route", config.notify.route, [&](Mapping& route, notify::RouteConfig& out) {
    read_route(route, {notify::RouteConfig{}, config.notify.time_intervals}, out);
  });
  m.read("inhibit_rules", config.notify.inhibit_rules, read_inhibit_rule);
  check_receivers(m, config.notify);
  m.read("storage", config,
         [&](Mapping& storage, Config& out) { read_storage(storage, context, out); });
  m.read("web", config.web,
         [&](Mapping& web, net::HttpServerOptions& out) { read_web(web, context, out); });
  m.read("remote_write_receiver", config, read_write_receiver);
  m.read("silences", config,
         [](Mapping& silences, Config& out) { silences.require("enabled", out.takes_silences); });
  read_keep(m, config);
  if (config.prometheus && !config.scrape_configs.empty()) {
    m.error("prometheus", "'prometheus' and 'scrape_configs' exclude each other",
            "rules are evaluated either there or here");
  }
  if (config.prometheus && config.receives_writes) {
    m.error("prometheus", "'prometheus' and 'remote_write_receiver' exclude each other",
            "rules are evaluated either there or here");
  }
  config.notify.external_url = config.external_url;
  config.notify.resend_delay = config.resend_delay;
}

LoadedConfig read_config(const std::string& path, std::string_view bytes) {
  LoadedConfig loaded;
  loaded.config.web.listen = "127.0.0.1:9467";
  read_document(path, bytes, loaded);
  loaded.diagnostics = without_secrets(loaded.diagnostics);
  return loaded;
}

Result<std::vector<source::TargetGroup>> parse_target_groups(std::string_view bytes) {
  Diagnostics diagnostics;
  const auto document = yaml::Document::parse("", bytes, diagnostics);
  yaml::Reporter report(diagnostics, "file_sd");
  std::vector<source::TargetGroup> groups;
  if (!document.root().is_null() && !document.root().is_sequence()) {
    return fail(ErrorCode::Parse, "not a list of target groups");
  }
  for (const yaml::Node& item : document.root().items()) {
    yaml::read_object(item, report, groups.emplace_back(), read_group, "a target group");
  }
  if (diagnostics.has_errors()) return fail(ErrorCode::Parse, diagnostics.all().front().message);
  return groups;
}

}  // namespace tocsin::daemon
