// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/file.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a configuration in prometheus.yml's and alertmanager.yml's words is read") {
  const LoadedConfig loaded = read_config("/etc/tocsin/tocsin.yaml", R"(
global: {scrape_interval: 10s, scrape_timeout: 5s, evaluation_interval: 15s, external_labels: {cluster: prod}}
external_url: https://tocsin.example.org
rule_files: [rules/*.yaml, /abs/*.yaml]
scrape_configs:
  - job_name: proxies
    scrape_interval: 20s
    honor_labels: true
    params: {a: [b, c]}
    body_size_limit: 20MB
    sample_limit: 1000
    file_sd_configs: [{files: [targets.json]}]
    relabel_configs:
      - {source_labels: [a, b], regex: '(.*)', target_label: c}
      - {action: labelmap, regex: 'x_(.+)'}
    basic_auth: {username: u, password_file: secret}
    tls_config: {ca_file: ca.pem, insecure_skip_verify: true}
certificates: [{name: anchor, path: ca-bundle.crt}]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['am-0:9093', 'am-1:9093']}]
      path_prefix: /am
route: {receiver: chat, group_by: [alertname], group_wait: 5s,
        routes: [{matchers: ['severity="critical"'], receiver: pager, continue: true}]}
receivers:
  - {name: chat, webhook_configs: [{url: 'http://chat/hook'}]}
  - {name: pager, webhook_configs: [{url: 'http://pager/hook', send_resolved: false, max_alerts: 5}]}
web: {listen: '0.0.0.0:9467', rate_limit: {interval: 10ms, burst: 7}}
keep: ['{__name__=~"tcp_.+"}']
remote_write_receiver: {enabled: true}
)");
  CAPTURE(loaded.diagnostics.text());
  REQUIRE(loaded.diagnostics.empty());
  const Config& c = loaded.config;
  CHECK(c.evaluation_interval == 15s);
  CHECK(c.external_labels.at("cluster") == "prod");
  CHECK(c.rule_files == std::vector<std::string>{"/etc/tocsin/rules/*.yaml", "/abs/*.yaml"});
  REQUIRE(c.scrape_configs.size() == 1);
  const auto& job = c.scrape_configs[0];
  CHECK(job.scrape_interval == 20s);
  CHECK(job.scrape_timeout == 5s);
  CHECK(job.params.at("a") == std::vector<std::string>{"b", "c"});
  CHECK(job.limits.body_bytes == 20U * 1024 * 1024);
  CHECK(job.limits.samples == 1000);
  CHECK(job.file_sd_configs[0].files[0] == "/etc/tocsin/targets.json");
  CHECK(job.relabel_configs[1].action == source::RelabelAction::LabelMap);
  CHECK(job.client.basic_auth->password_file == "/etc/tocsin/secret");
  CHECK(job.client.tls.ca_file == "/etc/tocsin/ca.pem");
  CHECK(c.certificates[0].kind == "trust-anchor");
  REQUIRE(c.notify.alertmanagers.size() == 2);
  CHECK(c.notify.alertmanagers[1].url == "http://am-1:9093/am");
  REQUIRE(c.notify.route.has_value());
  CHECK(c.notify.route->group_wait == 5s);
  CHECK(c.notify.route->routes[0].receiver == "pager");
  CHECK(c.notify.route->routes[0].group_by == std::vector<std::string>{"alertname"});
  CHECK(c.notify.route->routes[0].matchers[0].text() == R"(severity="critical")");
  CHECK(c.web.listen == "0.0.0.0:9467");
  CHECK(c.web.rate_limit == net::RateLimit{10ms, 7});
  CHECK(c.web.unlimited_paths.size() == 2);
  CHECK(c.keep.size() == 1);
  CHECK(c.receives_writes);
}

TEST_CASE("what is wrong is said without showing a secret that stands beside it") {
  for (const char* text :
       {"scrape_configs: [{job_name: a, basic_auth: {username: u, password: hunter2}, oops: 1}]\n",
        "receivers: [{name: a, slack_configs: [{api_url: 'http://s/hunter2', oops: 1}]}]\n",
        "web: {basic_auth_users: {alice: hunter2}}\n", "web: {password: hunter2\n",
        "receivers: [{name: a, telegram_configs: [{bot_token: hunter2, chat_id: }]}]\n"}) {
    CAPTURE(text);
    const std::string said = read_config("tocsin.yaml", text).diagnostics.text();
    CHECK(said.find("error") != std::string::npos);
    CHECK(said.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("of two replicas each says where the other one is, and which of them it is") {
  const auto read = [](const std::string& standby) {
    return read_config("t.yaml", "standby: {" + standby + "}\n");
  };
  const LoadedConfig first = read("by: 'http://b:9467'");
  REQUIRE(first.diagnostics.empty());
  CHECK(first.config.standby->is_first);
  CHECK(first.config.standby->url == "http://b:9467");
  CHECK(first.config.standby->after == 1min);
  const LoadedConfig standby = read("of: 'https://a:9467', after: 10s, basic_auth: {username: u}");
  REQUIRE(standby.diagnostics.empty());
  CHECK_FALSE(standby.config.standby->is_first);
  CHECK(standby.config.standby->after == 10s);
  CHECK(standby.config.standby->client.basic_auth->username == "u");
  for (const char* wrong :
       {"after: 1m", "of: 'http://a', by: 'http://b'", "of: a:9467", "of: 'http://a', after: 0s"}) {
    CAPTURE(wrong);
    CHECK(read(wrong).diagnostics.count(Severity::Error) == 1);
  }
}

TEST_CASE("users stand in the configuration only with hashed passwords") {
  const std::string hash = "$2y$04$abcdefghijklmnopqrstuu2GbQLdjwBFdH8CcOE866nGziodmvO8K";
  const LoadedConfig loaded =
      read_config("tocsin.yaml", "web: {basic_auth_users: {alice: " + hash + ", bob: secret}}\n");
  CHECK(loaded.config.web.basic_auth_users.at("alice") == hash);
  REQUIRE(loaded.diagnostics.count(Severity::Error) == 1);
  const std::string text = loaded.diagnostics.text();
  CHECK(text.find("the password of 'bob' is no bcrypt hash") != std::string::npos);
  CHECK(text.find("htpasswd -nBC 10 bob") != std::string::npos);
}

TEST_CASE("everything that is wrong is said at once, where it is") {
  const LoadedConfig loaded =
      read_config("tocsin.yaml",
                  "global: {scrape_interval: 10x}\n"
                  "scrape_config: []\n"
                  "scrape_configs:\n"
                  "  - job_name: a\n"
                  "    relabel_configs: [{action: kep}]\n"
                  "route: {receiver: nobody}\n"
                  "receivers: [{name: x, slack_configs: [{}], webex_configs: [{}]}]\n");
  const std::string text = loaded.diagnostics.text();
  CAPTURE(text);
  CHECK(text.find("tocsin.yaml:1:27: error") != std::string::npos);
  CHECK(text.find("did you mean 'scrape_configs'?") != std::string::npos);
  CHECK(text.find("did you mean 'keep'?") != std::string::npos);
  CHECK(text.find("no receiver is called \"nobody\"") != std::string::npos);
  CHECK(text.find("there are no webex_configs") != std::string::npos);
  CHECK(text.find("a slack receiver needs api_url or api_url_file") != std::string::npos);
  CHECK(loaded.diagnostics.count(Severity::Error) == 6);
}

TEST_CASE("a route's times and groups are what Alertmanager takes") {
  const auto wrong = [](const std::string& route) {
    const auto loaded = read_config(
        "t.yaml", "receivers: [{name: x}]\nroute: {receiver: x, routes: [{" + route + "}]}\n");
    return loaded.diagnostics.text();
  };
  CHECK(wrong("group_wait: 0s").empty());
  CHECK(wrong("group_interval: 0s").find("must be more than 0s") != std::string::npos);
  CHECK(wrong("repeat_interval: 0s").find("must be more than 0s") != std::string::npos);
  CHECK(wrong("group_by: ['...', pod]").find("nothing beside it") != std::string::npos);
  CHECK(wrong("match: {severity: critical}").find("write matchers") != std::string::npos);
}

TEST_CASE("links are templates") {
  const auto read = [](const std::string& link) {
    return read_config("t.yaml", "links: {logs: '" + link + "'}\n");
  };
  CHECK(read("https://l/?f={{ .From }}").config.links.count("logs") == 1);
  const std::string text = read("https://l/?f={{ .From").diagnostics.text();
  CHECK(text.find("t.yaml:1:15: error: the template of 'logs'") != std::string::npos);
}

TEST_CASE("every kind of receiver is read in alertmanager.yml's words") {
  const LoadedConfig loaded = read_config("/etc/tocsin/t.yaml", R"(
route: {receiver: team}
receivers:
  - name: team
    slack_configs: [{api_url_file: slack-url, channel: '#alerts', send_resolved: true}]
    pagerduty_configs: [{routing_key_file: key, severity: error}]
    msteamsv2_configs: [{webhook_url: 'https://teams/x'}]
    discord_configs: [{webhook_url: 'https://discord/x', username: Tocsin}]
    opsgenie_configs: [{api_key: k, api_url: 'https://api.eu.opsgenie.com/', tags: 'a,b'}]
    telegram_configs: [{bot_token_file: token, chat_id: -1001234}]
)");
  CAPTURE(loaded.diagnostics.text());
  REQUIRE(loaded.diagnostics.empty());
  const auto& channels = loaded.config.notify.receivers[0].channels;
  REQUIRE(channels.size() == 6);
  CHECK(channels[0].kind == notify::ChannelKind::Slack);
  CHECK(channels[0].url.file == "/etc/tocsin/slack-url");
  CHECK(channels[0].option("channel") == "#alerts");
  CHECK(channels[0].send_resolved);
  CHECK(channels[1].url.text == "https://events.pagerduty.com/v2/enqueue");
  CHECK(channels[1].key.file == "/etc/tocsin/key");
  CHECK(channels[2].send_resolved);
  CHECK(channels[4].key.text == "k");
  CHECK(channels[5].option("chat_id") == "-1001234");
}

TEST_CASE("a secret is given once, and a channel needs what its kind needs") {
  const LoadedConfig loaded = read_config("t.yaml", R"(
route: {receiver: team}
receivers:
  - name: team
    pagerduty_configs: [{routing_key: a, routing_key_file: b}, {}]
    telegram_configs: [{bot_token: x}]
    discord_configs: [{webhook_url: 'https://d', colour: red}]
)");
  const std::string text = loaded.diagnostics.text();
  CAPTURE(text);
  CHECK(text.find("at most one of routing_key and routing_key_file") != std::string::npos);
  CHECK(text.find("a pagerduty receiver needs routing_key or routing_key_file") !=
        std::string::npos);
  CHECK(text.find("a telegram receiver needs chat_id") != std::string::npos);
  CHECK(text.find("colour") != std::string::npos);
  CHECK(loaded.diagnostics.count(Severity::Error) == 4);
}

TEST_CASE("mail: every address is a channel of its own") {
  const LoadedConfig loaded = read_config("/etc/tocsin/t.yaml", R"(
route: {receiver: team}
receivers:
  - name: team
    email_configs:
      - to: 'a@example.org, "B, of the team" <b@example.org>'
        from: Tocsin <tocsin@example.org>
        smarthost: mail.example.org:587
        hello: tocsin.example.org
        auth_username: tocsin
        auth_password_file: password
        send_resolved: true
        tls_config: {ca_file: ca.pem}
        headers: {Reply-To: oncall@example.org}
      - {to: c@example.org, from: t@example.org, smarthost: 'localhost:25', require_tls: false}
)");
  CAPTURE(loaded.diagnostics.text());
  REQUIRE(loaded.diagnostics.empty());
  const auto& channels = loaded.config.notify.receivers[0].channels;
  REQUIRE(channels.size() == 3);
  CHECK(channels[0].option("to") == "a@example.org");
  CHECK(channels[1].option("to") == "\"B, of the team\" <b@example.org>");
  CHECK(channels[1].key.file == "/etc/tocsin/password");
  CHECK(channels[1].client.tls.ca_file == "/etc/tocsin/ca.pem");
  CHECK(channels[1].client.headers[0].first == "Reply-To");
  CHECK(channels[1].send_resolved);
  CHECK_FALSE(channels[2].send_resolved);
  CHECK(channels[2].option("require_tls") == "false");
}

TEST_CASE("what is wrong with a mail's configuration is said, with what to do") {
  const std::string head = "route: {receiver: t}\nreceivers:\n- name: t\n  email_configs:\n";
  const std::string sound = "to: a@b.c, from: t@b.c, smarthost: 'm:25'";
  const std::pair<std::string, std::string> cases[] = {
      {"from: t@b.c, smarthost: 'm:25'", "t.yaml:5:5: error: an email receiver needs to"},
      {"to: a@b.c, from: t@b.c", "needs smarthost or smarthost_file"},
      {"to: team, from: t@b.c, smarthost: 'm:25'", "t.yaml:5:10: error"},
      {"to: a@b.c, from: 'x@y.z, t@b.c', smarthost: 'm:25'", "a mail is from one address"},
      {"to: a@b.c, from: t@b.c, smarthost: m", "not host:port: m"},
      {sound + ", auth_username: u", "auth_username goes with auth_password"},
      {sound + ", auth_password: p", "auth_username goes with auth_password"},
      {sound + ", auth_username: u, auth_password: p, require_tls: false", "over the wire"},
      {sound + ", headers: {'A b': x}", "not the name of a header"},
      {sound + ", headers: {content-type: x}", "is Tocsin's to say"},
      {sound + ", headers: {Subject: '{{ .X }}'}", "there are no templates in headers"},
      {sound + ", html: '{{ template \"x\" . }}'", "Tocsin writes the message itself"},
      {sound + ", http_config: {}", "http_config"},
  };
  for (const auto& [entry, complaint] : cases) {
    const LoadedConfig loaded = read_config("t.yaml", head + "  - {" + entry + "}\n");
    const std::string text = loaded.diagnostics.text();
    CAPTURE(entry);
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
    CHECK(loaded.diagnostics.count(Severity::Error) == 1);
  }
}

TEST_CASE("what `global` says of receivers holds where a receiver says nothing else") {
  const LoadedConfig loaded = read_config("/etc/tocsin/t.yaml", R"(
global:
  resolve_timeout: 5m
  slack_api_url_file: slack-url
  opsgenie_api_key: k
  opsgenie_api_url: https://api.eu.opsgenie.com/
  pagerduty_url: https://pd.example.org/
  telegram_api_url: https://telegram.example.org
  smtp_smarthost: mail.example.org:587
  smtp_from: tocsin@example.org
  smtp_hello: tocsin.example.org
  smtp_auth_username: tocsin
  smtp_auth_password_file: password
  smtp_require_tls: false
  http_config: {proxy_url: 'http://proxy:3128'}
route: {receiver: team}
receivers:
  - name: team
    slack_configs: [{}, {api_url: 'https://slack/x', http_config: {follow_redirects: false}}]
    opsgenie_configs: [{}]
    pagerduty_configs: [{routing_key: r}]
    telegram_configs: [{bot_token: b, chat_id: 1}]
    email_configs:
      - {to: a@example.org, require_tls: true}
      - {to: b@example.org, from: other@example.org, smarthost: 'localhost:25'}
)");
  CAPTURE(loaded.diagnostics.text());
  REQUIRE(loaded.diagnostics.empty());
  std::map<notify::ChannelKind, std::vector<notify::ChannelConfig>> by_kind;
  for (const auto& channel : loaded.config.notify.receivers[0].channels) {
    by_kind[channel.kind].push_back(channel);
  }
  const auto& slack = by_kind[notify::ChannelKind::Slack];
  CHECK(slack[0].url.file == "/etc/tocsin/slack-url");
  CHECK(slack[0].client.proxy_url == "http://proxy:3128");
  CHECK(slack[1].url.text == "https://slack/x");
  CHECK(slack[1].url.file.empty());
  CHECK(slack[1].client.proxy_url.empty());
  CHECK(by_kind[notify::ChannelKind::Opsgenie][0].key.text == "k");
  CHECK(by_kind[notify::ChannelKind::Opsgenie][0].url.text == "https://api.eu.opsgenie.com/");
  CHECK(by_kind[notify::ChannelKind::PagerDuty][0].url.text == "https://pd.example.org/");
  CHECK(by_kind[notify::ChannelKind::Telegram][0].url.text == "https://telegram.example.org");
  const auto& mail = by_kind[notify::ChannelKind::Email];
  CHECK(mail[0].url.text == "mail.example.org:587");
  CHECK(mail[0].option("from") == "tocsin@example.org");
  CHECK(mail[0].option("hello") == "tocsin.example.org");
  CHECK(mail[0].key.file == "/etc/tocsin/password");
  CHECK(mail[0].option("require_tls").empty());
  CHECK(mail[1].option("from") == "other@example.org");
  CHECK(mail[1].option("require_tls") == "false");
  CHECK(mail[1].client.proxy_url.empty());
}

TEST_CASE("a webhook's body may be a template, which is tried before it is needed") {
  const auto with_body = [](const std::string& rest) {
    return read_config("t.yaml",
                       "route: {receiver: t}\nreceivers:\n- name: t\n  webhook_configs:\n  - {"
                       "url: 'http://hook/', " +
                           rest + "}\n");
  };
  const LoadedConfig sound = with_body(
      "headers: {X-Team: shop}, body: '{\"text\": {{ .CommonLabels.alertname | toJson }}}'");
  CAPTURE(sound.diagnostics.text());
  REQUIRE(sound.diagnostics.empty());
  const auto& channel = sound.config.notify.receivers[0].channels[0];
  CHECK(channel.client.headers == net::Headers{{"X-Team", "shop"}});
  CHECK(channel.option("body").starts_with("{\"text\""));
  CHECK(
      with_body("headers: {Content-Type: text/plain}, body: '{{ .Status }}!'").diagnostics.empty());
  const std::pair<const char*, const char*> cases[] = {
      {"body: '{{ .Status }}'", "t.yaml:5:33: error: the body is not JSON"},
      {"body: '{\"text\": \"{{ .CommonAnnotations.summary }}\"}'", "the body is not JSON"},
      {"body: '{{ .Status'", "t.yaml:5:33: error"},
      {"body: '{{ .Nothing }}'", "can't evaluate field Nothing"},
      {"headers: {'A b': c}", "not the name of a header"},
      {"headers: {A: '{{ .Status }}'}", "there are no templates in headers"},
  };
  for (const auto& [rest, complaint] : cases) {
    const LoadedConfig loaded = with_body(rest);
    const std::string text = loaded.diagnostics.text();
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
    CHECK(loaded.diagnostics.count(Severity::Error) == 1);
  }
}

TEST_CASE("rules are evaluated either here or there") {
  const LoadedConfig loaded = read_config(
      "t.yaml", "prometheus: {url: 'http://p:9090'}\nscrape_configs: [{job_name: a}]\n");
  CHECK(loaded.diagnostics.has_errors());
}

TEST_CASE("the configurations that are shipped are sound") {
  for (const char* name :
       {"beside-linkerd-viz.yaml", "beside-prometheus.yaml", "receivers.yaml", "scrape.yaml"}) {
    const std::string path = std::string(TOCSIN_SOURCE_DIR "/deploy/config/") + name;
    const auto bytes = read_file(path);
    REQUIRE(bytes.has_value());
    const LoadedConfig loaded = read_config(path, *bytes);
    CAPTURE(loaded.diagnostics.text());
    CHECK_FALSE(loaded.diagnostics.has_errors());
  }
}

TEST_CASE("target files are read as JSON and as YAML") {
  const auto json = parse_target_groups(R"([{"targets":["a:1"],"labels":{"x":"y"}}])");
  REQUIRE(json.has_value());
  CHECK((*json)[0].targets[0] == "a:1");
  CHECK((*json)[0].labels.get("x") == "y");
  CHECK(parse_target_groups("- targets: ['a:1', 'b:2']\n").has_value());
  CHECK_FALSE(parse_target_groups("targets: []").has_value());
  CHECK_FALSE(parse_target_groups("[{\"targets\": 1}]").has_value());
}

}  // namespace
}  // namespace tocsin::daemon
