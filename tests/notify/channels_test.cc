// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/utf8.h"
#include "notify/channel_kinds.h"
#include "notify/message.h"

namespace tocsin::notify {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr Timestamp kStart = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

OutgoingAlert alert(const std::string& deployment, bool resolved = false) {
  OutgoingAlert a;
  a.labels =
      Labels{{"alertname", "SuccessRateLow"}, {"namespace", "shop"},  {"deployment", deployment},
             {"service", "checkout"},         {"route", "POST /pay"}, {"severity", "critical"}};
  a.annotations = {{"summary", deployment + " in shop: only 93% of requests succeed"},
                   {"description", "Of 1,200 requests 84 failed."},
                   {"value", "93%"},
                   {"threshold", "99%"},
                   {"runbook_url", "https://runbooks/success?a=1&b=2"},
                   {"logs", "javascript:alert(1)"}};
  a.starts_at = kStart;
  a.ends_at = kStart + 6min;
  a.resolved = resolved;
  a.generator_url = "https://tocsin/graph?g0.expr=x";
  return a;
}

GroupMessage group(std::vector<OutgoingAlert> alerts) {
  return {"team", "{}:{alertname=\"SuccessRateLow\"}", Labels{}, std::move(alerts),
          "https://tocsin"};
}

OutgoingAlert evil() {
  OutgoingAlert a = alert("web");
  a.annotations["summary"] = "<script>alert(\"x\")</script> & *bold* @everyone \n \x01 \x7f";
  a.annotations["description"] = std::string(10'000, 'x') + "ü🔥";
  return a;
}

json::object built(ChannelKind kind, const GroupMessage& message, ChannelConfig config = {}) {
  config.kind = kind;
  const OpenChannel channel{config, "https://receiver", "the-key"};
  const std::string body = info_of(kind).build(message, channel).body;
  CAPTURE(body.substr(0, 2000));
  CHECK(body == well_formed(body));
  return json::parse(body).as_object();
}

json::value at(const json::object& in, const char* pointer) {
  const json::value root = in;
  return root.at_pointer(pointer);
}

std::string text_at(const json::object& in, const char* pointer) {
  const json::value value = at(in, pointer);
  return {value.as_string().data(), value.as_string().size()};
}

TEST_CASE("a message says what, where, how bad, since when, and where to look") {
  const MessageText message = message_of(group({alert("web")}), 0);
  CHECK(message.title == "[FIRING 1] SuccessRateLow: shop/checkout/POST /pay/web");
  CHECK(message.severity == "critical");
  REQUIRE(message.alerts.size() == 1);
  const AlertText& text = message.alerts[0];
  CHECK(text.title == "web in shop: only 93% of requests succeed");
  std::string facts;
  for (const Fact& fact : text.facts) facts += fact.name + "=" + fact.text + "; ";
  CHECK(facts ==
        "Namespace=shop; Service=checkout; Route=POST /pay; Deployment=web; Value=93% (limit "
        "99%); Since=2026-11-22T17:42:00.000Z; ");
  std::string links;
  for (const Link& link : text.links) links += link.text + " ";
  CHECK(links == "Runbook Query ");  // Nothing but web addresses.
}

TEST_CASE("those that fire come first, and what is over says for how long it was") {
  const MessageText message =
      message_of(group({alert("api", true), alert("web"), alert("cart")}), 2);
  CHECK(message.title.starts_with("[FIRING 2] SuccessRateLow"));
  CHECK(message.alerts[0].title.starts_with("web"));
  CHECK(message.left_out == 1);
  const MessageText over = message_of(group({alert("api", true)}), 0);
  CHECK(over.resolved);
  CHECK(over.title == "[RESOLVED] SuccessRateLow: shop/checkout/POST /pay/api");
  CHECK(over.alerts[0].facts.back().text == "2026-11-22T17:48:00.000Z, after 6m");
}

TEST_CASE("an alert that nobody can see, that flaps or whose rule is gone says so") {
  OutgoingAlert a = alert("web", true);
  a.annotations["blind"] = "Not seen.";
  a.annotations["flapping"] = "Coming and going.";
  a.annotations["resolved_because"] = "rule removed";
  CHECK(message_of(group({a}), 0).alerts[0].notes ==
        std::vector<std::string>{"Not seen.", "Coming and going.", "Over because: rule removed."});
}

TEST_CASE("Slack: blocks in an attachment of the severity's colour, and a text") {
  ChannelConfig config;
  config.options["channel"] = "#alerts";
  const auto out = built(ChannelKind::Slack, group({alert("web"), alert("api")}), config);
  CHECK(text_at(out, "/text") == "[FIRING 2] SuccessRateLow");
  CHECK(text_at(out, "/channel") == "#alerts");
  CHECK(text_at(out, "/attachments/0/color") == "#d7263d");
  CHECK(text_at(out, "/attachments/0/blocks/0/type") == "header");
  CHECK(text_at(out, "/attachments/0/blocks/1/text/text") ==
        "*web in shop: only 93% of requests succeed*\nOf 1,200 requests 84 failed.");
  const std::string small = text_at(out, "/attachments/0/blocks/2/elements/0/text");
  CHECK(small.find("Service *checkout*") != std::string::npos);
  CHECK(small.find("<https://runbooks/success?a=1&amp;b=2|Runbook>") != std::string::npos);
}

TEST_CASE("Slack: many alerts stay within its limits, and the rest is counted") {
  const auto out = built(ChannelKind::Slack, group(std::vector<OutgoingAlert>(200, evil())));
  const json::array blocks = at(out, "/attachments/0/blocks").as_array();
  CHECK(blocks.size() <= 50);
  for (const json::value& block : blocks) {
    const json::object& object = block.as_object();
    if (object.contains("text")) CHECK(text_at(object, "/text/text").size() <= 3000);
  }
  CHECK(json::serialize(blocks.back()).find("and 190 more") != std::string::npos);
  CHECK(json::serialize(blocks).find("<script>") == std::string::npos);
}

TEST_CASE("PagerDuty: one incident for each group, begun and ended under the same key") {
  const auto began = built(ChannelKind::PagerDuty, group({alert("web")}));
  CHECK(text_at(began, "/routing_key") == "the-key");
  CHECK(text_at(began, "/event_action") == "trigger");
  CHECK(text_at(began, "/payload/severity") == "critical");
  CHECK(text_at(began, "/payload/summary") == "web in shop: only 93% of requests succeed");
  CHECK(text_at(began, "/links/0/href") == "https://runbooks/success?a=1&b=2");
  CHECK(text_at(began, "/client_url") == "https://tocsin");
  const auto ended = built(ChannelKind::PagerDuty, group({alert("web", true)}));
  CHECK(text_at(ended, "/event_action") == "resolve");
  CHECK(text_at(ended, "/dedup_key") == text_at(began, "/dedup_key"));
}

TEST_CASE("PagerDuty: ten thousand alerts are an event that it takes") {
  std::vector<OutgoingAlert> many;
  for (int i = 0; i < 10'000; ++i) many.push_back(alert("web-" + std::to_string(i)));
  const auto out = built(ChannelKind::PagerDuty, group(many));
  CHECK(json::serialize(out).size() <= 512'000);
  CHECK(json::serialize(out).find("9900 more") != std::string::npos);
}

TEST_CASE("Teams: an Adaptive Card, of 28 KB at most") {
  const auto out = built(ChannelKind::MsTeams, group({alert("web")}));
  CHECK(text_at(out, "/attachments/0/contentType") == "application/vnd.microsoft.card.adaptive");
  CHECK(text_at(out, "/attachments/0/content/body/0/color") == "Attention");
  CHECK(text_at(out, "/attachments/0/content/body/4/actions/0/url") ==
        "https://runbooks/success?a=1&b=2");
  const auto many = built(ChannelKind::MsTeams, group(std::vector<OutgoingAlert>(500, evil())));
  CHECK(json::serialize(many).size() <= 28'000);
}

TEST_CASE("Discord: embeds, and nobody is mentioned") {
  const auto out = built(ChannelKind::Discord, group({evil()}));
  CHECK(at(out, "/allowed_mentions/parse").as_array().empty());
  CHECK(at(out, "/embeds").as_array().size() == 1);
  CHECK(text_at(out, "/content").size() <= 2000);
  CHECK(text_at(out, "/embeds/0/description").find("@everyone") == std::string::npos);
}

OutgoingAlert wordy() {
  OutgoingAlert a = alert("web");
  a.annotations["description"] = std::string(400, '*');
  a.annotations["logs"] = "https://logs/?q=" + std::string(900, '&');
  a.annotations["traces"] = "https://traces/?q=" + std::string(400, 'q');
  a.generator_url = "https://tocsin/graph?g0.expr=" + std::string(3000, '&');
  for (const char* label : {"cluster", "statefulset", "daemonset", "cronjob", "component"}) {
    LabelsBuilder more(a.labels);
    more.set(label, std::string(200, '&'));
    a.labels = more.build();
  }
  return a;
}

TEST_CASE("Discord: all embeds together have no more characters than it takes") {
  const auto out = built(ChannelKind::Discord, group(std::vector<OutgoingAlert>(10, wordy())));
  std::size_t length = 0;
  const json::array embeds = at(out, "/embeds").as_array();
  for (const json::value& embed : embeds) {
    length += text_at(embed.as_object(), "/title").size();
    length += text_at(embed.as_object(), "/description").size();
    const json::array fields = at(embed.as_object(), "/fields").as_array();
    for (const json::value& field : fields) {
      length += text_at(field.as_object(), "/name").size();
      length += text_at(field.as_object(), "/value").size();
    }
  }
  CHECK(length <= 6000);
  CHECK_FALSE(embeds.empty());
  CHECK(text_at(out, "/content").find("and " + std::to_string(10 - embeds.size()) + " more") !=
        std::string::npos);
}

TEST_CASE("Slack: the small print is no longer than it takes") {
  const auto out = built(ChannelKind::Slack, group({wordy()}));
  const std::string small = text_at(out, "/attachments/0/blocks/2/elements/0/text");
  CHECK(small.size() <= 3000);
  CHECK(small.find("|Runbook>") != std::string::npos);
}

TEST_CASE("Opsgenie: created under an alias, closed under it") {
  const OpenChannel channel{ChannelConfig{}, "https://api.eu.opsgenie.com/", "the-key"};
  const auto create = opsgenie_request(group({alert("web")}), channel);
  CHECK(create.url == "https://api.eu.opsgenie.com/v2/alerts");
  CHECK(create.headers[0].second == "GenieKey the-key");
  const json::object body = json::parse(create.body).as_object();
  CHECK(text_at(body, "/priority") == "P1");
  CHECK(text_at(body, "/message").size() <= 130);
  const auto close = opsgenie_request(group({alert("web", true)}), channel);
  CHECK(close.url == "https://api.eu.opsgenie.com/v2/alerts/" + text_at(body, "/alias") +
                         "/close?identifierType=alias");
}

TEST_CASE("Telegram: whole alerts in HTML, as many as fit") {
  ChannelConfig config;
  config.options["chat_id"] = "-100";
  const OpenChannel channel{config, "https://api.telegram.org", "123:abc"};
  const auto request = telegram_request(group(std::vector<OutgoingAlert>(30, evil())), channel);
  CHECK(request.url == "https://api.telegram.org/bot123:abc/sendMessage");
  const json::object body = json::parse(request.body).as_object();
  const std::string text = text_at(body, "/text");
  CHECK(text.size() <= 4096);
  CHECK(text.find("<script>") == std::string::npos);
  CHECK(text.find("and 20 more") != std::string::npos);
  CHECK(text_at(body, "/chat_id") == "-100");
}

TEST_CASE("Telegram: of an alert that is too long its first line is left") {
  const OpenChannel channel{ChannelConfig{}, "https://api.telegram.org", "123:abc"};
  const auto request = telegram_request(group({wordy()}), channel);
  CHECK(text_at(json::parse(request.body).as_object(), "/text")
            .find("<b>web in shop: only 93% of requests succeed</b>") != std::string::npos);
}

TEST_CASE("a webhook's body may be a template, over what Alertmanager's templates see") {
  ChannelConfig config;
  config.options["body"] =
      R"j({"text": {{ printf "%s: %d of %d" .Status (len .Alerts.Firing) (len .Alerts) | toJson }},)j"
      R"j("labels": {{ toJson .CommonLabels }}, "first": {{ (index .Alerts 0).Labels.deployment | toJson }},)j"
      R"j("why": [{{ range $i, $a := .Alerts }}{{ if $i }},{{ end }}{{ toJson $a.Annotations.summary }}{{ end }}],)j"
      R"j("gone": {{ range .Alerts.Resolved }}{{ toJson .Labels.deployment }}{{ end }}})j";
  OutgoingAlert over = alert("api", true);
  over.annotations["summary"] = "\"quoted\"\n\\";
  const json::object out = built(ChannelKind::Webhook, group({alert("web"), over}), config);
  CHECK(text_at(out, "/text") == "firing: 1 of 2");
  CHECK(text_at(out, "/labels/namespace") == "shop");
  CHECK(text_at(out, "/first") == "web");
  CHECK(text_at(out, "/why/1") == "\"quoted\"\n\\");
  CHECK(text_at(out, "/gone") == "api");
}

TEST_CASE("a template that does not fit the alerts sends what a webhook gets without one") {
  ChannelConfig config;
  config.options["body"] = R"({"text": "{{ .CommonAnnotations.summary }}"})";
  config.kind = ChannelKind::Webhook;
  const OpenChannel channel{config, "https://receiver", ""};
  const auto sound = webhook_request(group({alert("web")}), channel);
  CHECK(sound.flaw.empty());
  const auto broken = webhook_request(group({evil()}), channel);
  CHECK(broken.flaw.starts_with("the body is not JSON"));
  CHECK(broken.body.find(R"("version":"4")") != std::string::npos);
  config.client.headers = {{"content-type", "text/plain"}};
  CHECK(webhook_request(group({evil()}), channel).flaw.empty());
}

TEST_CASE("nothing that an alert may say breaks a message") {
  for (const ChannelKindInfo& kind : channel_kinds()) {
    CAPTURE(kind.name);
    if (kind.kind == ChannelKind::Email) continue;  // No JSON: email_test.cc.
    built(kind.kind, group({evil(), evil()}));
    built(kind.kind, group({}));
  }
}

net::HttpResponse answer(int status, std::string body = "", net::Headers headers = {}) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

TEST_CASE("Slack has taken a message when it says ok") {
  const auto judge = info_of(ChannelKind::Slack).judge;
  CHECK(judge(answer(200, "ok")) == Verdict::Delivered);
  CHECK(judge(answer(200, "invalid_blocks")) == Verdict::GiveUp);
  CHECK(judge(answer(404, "channel_not_found")) == Verdict::GiveUp);
  CHECK(judge(answer(429, R"({"retry_after":1})")) == Verdict::Retry);
}

TEST_CASE("a pause that a refusal asks for is obeyed, wherever it stands") {
  CHECK(*asked_pause(answer(429, "", {{"Retry-After", "7"}}), kStart) == 7s);
  CHECK(*asked_pause(answer(429, R"({"retry_after":1.5})"), kStart) == 1500ms);
  CHECK(*asked_pause(answer(429, R"({"ok":false,"parameters":{"retry_after":9}})"), kStart) == 9s);
  CHECK(*asked_pause(answer(429, R"({"retry_after":1e300})"), kStart) == 1h);
  for (const char* body : {"", "no JSON", "[]", R"({"retry_after":-1})", R"({"retry_after":"1"})",
                           R"({"parameters":7})"}) {
    CAPTURE(body);
    CHECK_FALSE(asked_pause(answer(429, body), kStart).has_value());
  }
  for (const char* header : {"0", "-5", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    CAPTURE(header);
    CHECK_FALSE(asked_pause(answer(503, "", {{"Retry-After", header}}), kStart).has_value());
  }
}

TEST_CASE("a bucket lets a burst pass, and then so many a second") {
  TokenBucket bucket({2, 0.5});
  Timestamp now = kStart;
  for (int i = 0; i < 2; ++i) {
    CHECK(bucket.wait(now) == 0s);
    bucket.take(now);
  }
  CHECK(bucket.wait(now) == 2s);
  CHECK(bucket.wait(now - 1h) == 2s);  // A clock that steps back adds nothing.
  CHECK(bucket.wait(now + 1h) == 0s);
  TokenBucket open(TokenBucket::Rate{});
  open.take(now);
  CHECK(open.wait(now) == 0s);
}

}  // namespace
}  // namespace tocsin::notify
