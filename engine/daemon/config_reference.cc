// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "daemon/config_reader.h"

namespace tocsin::daemon {
namespace {

constexpr std::array<rule::KeyText, 42> kTexts = {{
    {"global", "Defaults.", ""},
    {"global.scrape_interval", "How often targets are scraped. 1m if not said.", "10s"},
    {"global.scrape_timeout", "How long a scrape may take. 10s if not said.", "5s"},
    {"global.evaluation_interval", "How often rules are evaluated. 1m if not said.", "15s"},
    {"global.rule_query_offset", "How far in the past rules look, for series that come late.",
     "30s"},
    {"global.resend_delay", "How often an alert that fires is told to Alertmanagers again.", "1m"},
    {"global.external_labels", "Labels that every alert gets where it has none of the name.",
     "{cluster: prod}"},
    {"external_url", "Where people find this Tocsin: for the links in alerts.",
     "https://tocsin.example.org"},
    {"links",
     "Annotations of every alert whose rule has none of the name: templates of links, with the "
     "alert's labels, and with `.From` and `.To` in Unix milliseconds, from a quarter of an hour "
     "before it began until its end or now.",
     ""},
    {"links.logs", "Where the logs are.",
     "https://logs.example.org/?ns={{ $labels.namespace | urlquery }}&from={{ .From }}&to={{ .To "
     "}}"},
    {"links.traces", "Where the traces are.",
     "https://traces.example.org/?service={{ $labels.service | urlquery }}"},
    {"links.dashboard_url", "A dashboard.", "https://grafana.example.org/d/mesh"},
    {"links.runbook_url", "What to do.", "https://wiki.example.org/{{ $labels.alertname }}"},
    {"rule_files", "Rule files; `*`, and `**` for any number of folders.", "[rules/**/*.yaml]"},
    {"scrape_configs",
     "Whom to scrape, as in prometheus.yml. A job with metrics_path /federate and no match[] asks "
     "for what the rules need.",
     ""},
    {"prometheus",
     "Instead of scrape_configs: rules are evaluated at this Prometheus, or whatever speaks its "
     "query API.",
     "{url: http://prometheus:9090}"},
    {"certificates", "PEM files to watch, for the condition `certificate`.",
     "[{name: trust-anchor, path: ca-bundle.crt}]"},
    {"certificates.name", "What alerts call it: trust-anchor, or the webhook's name.",
     "trust-anchor"},
    {"certificates.path", "The file, relative to the configuration.", "ca-bundle.crt"},
    {"alerting", "Alertmanagers, as in prometheus.yml. Every one gets every alert.", ""},
    {"route", "Which receiver hears of which alerts, as in alertmanager.yml.", ""},
    {"receivers", "Whom Tocsin tells itself, as in alertmanager.yml.", ""},
    {"receivers.name", "What routes call it.", "team-shop"},
    {"inhibit_rules", "Alerts that keep others quiet, as in alertmanager.yml.", ""},
    {"time_intervals", "Times of day, week and year, as in alertmanager.yml.", ""},
    {"storage", "What outlives the process.", ""},
    {"storage.path",
     "A folder for the state of alerts, messages on their way, silences and history. Absent: a "
     "restart forgets them.",
     "/var/lib/tocsin"},
    {"web", "Tocsin's own port.", ""},
    {"web.listen", "127.0.0.1:9467 if not said.", "0.0.0.0:9467"},
    {"web.basic_auth_users", "User to bcrypt hash, as in Prometheus' web config.", ""},
    {"web.basic_auth_users_file", "A file of `htpasswd -B`.", "users"},
    {"web.rate_limit",
     "How often one client address may ask, as in Prometheus' web config; over it the answer is "
     "429. /-/healthy and /-/ready always answer.",
     ""},
    {"web.rate_limit.interval",
     "Between two requests, in the long run. 2ms if not said: 500 a second; 0 is no limit.", "2ms"},
    {"web.rate_limit.burst", "How many may come at once. 2000 if not said.", "2000"},
    {"web.tls_server_config", "HTTPS, as in Prometheus' web config.", ""},
    {"remote_write_receiver", "Whether a Prometheus may write to /api/v1/write.",
     "{enabled: true}"},
    {"silences", "Whether amtool may make silences over HTTP.", "{enabled: true}"},
    {"standby",
     "Two replicas with the same receivers: the first tells, the other when that is gone.",
     "{of: http://first:9467}"},
    {"standby.of", "In the standby: where the first one is.", "http://first:9467"},
    {"standby.by", "In the first: where its standby is.", "http://standby:9467"},
    {"standby.after", "How long the first is silent before the standby tells. 1m if not said.",
     "1m"},
    {"keep", "Selectors of series to store though no rule asks for them.",
     "['{__name__=~\"tcp_.+\"}']"},
}};

}  // namespace

void describe_config(yaml::Schema& schema) {
  Config config;
  yaml::describe_object(schema, config,
                        [](yaml::Mapping& m, Config& out) { read_top(m, "", out); });
}

std::span<const rule::KeyText> config_texts() { return kTexts; }

}  // namespace tocsin::daemon
