// SPDX-License-Identifier: Apache-2.0
#include "daemon/outgoing.h"

#include <doctest/doctest.h>

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

alert::Alert firing() {
  alert::Alert alert;
  alert.labels = Labels{{"alertname", "A"}, {"cluster", "own"}};
  alert.annotations = {{"summary", "s"}};
  alert.state = alert::State::Firing;
  alert.active_at = kNow - 5min;
  alert.fired_at = kNow - 3min;
  return alert;
}

notify::OutgoingAlert outgoing(const alert::Alert& alert) {
  rule::Rule rule;
  rule.expr_text = "up == 0";
  return make_outgoing(rule, alert,
                       {{{"cluster", "prod"}, {"region", "eu"}},
                        "https://t.example/x",
                        {"rules/a.yaml", 7, "0123abcd"},
                        kNow,
                        kNow + 4min});
}

TEST_CASE("a firing alert starts when it fired and is believed for a while") {
  const auto out = outgoing(firing());
  CHECK_FALSE(out.resolved);
  CHECK(out.starts_at == kNow - 3min);
  CHECK(out.ends_at == kNow + 4min);
  CHECK(out.generator_url == "https://t.example/x/graph?g0.expr=up%20%3D%3D%200&g0.tab=1");
}

TEST_CASE("external labels are added where the alert has none of the name") {
  CHECK(outgoing(firing()).labels ==
        Labels{{"alertname", "A"}, {"cluster", "own"}, {"region", "eu"}});
}

TEST_CASE("a resolved alert ends when it was resolved") {
  alert::Alert alert = firing();
  alert.state = alert::State::Inactive;
  alert.resolved_at = kNow - 1min;
  CHECK(outgoing(alert).resolved);
  CHECK(outgoing(alert).ends_at == kNow - 1min);
}

TEST_CASE("an alert says which rule it is of, unless the rule says something else there") {
  alert::Alert alert = firing();
  CHECK(outgoing(alert).annotations.at("rule_file") == "rules/a.yaml:7");
  CHECK(outgoing(alert).annotations.at("rule_revision") == "0123abcd");
  alert.annotations["rule_file"] = "https://git.example/a.yaml";
  CHECK(outgoing(alert).annotations.at("rule_file") == "https://git.example/a.yaml");
}

TEST_CASE("links of the configuration are filled in where the rule has none of the name") {
  alert::Alert alert = firing();
  alert.labels = alert.labels.with("namespace", "shop & co");
  alert.annotations["traces"] = "https://t.example";
  OutgoingContext context{};
  context.decided_at = kNow;
  const auto link = [](const char* text) { return *alert::Template::parse(text); };
  context.links = {
      {"logs", link("https://l.example/?ns={{ $labels.namespace | urlquery }}&from={{ .From }}"
                    "&to={{ .To }}")},
      {"traces", link("https://other.example")}};
  const auto links = [&] { return make_outgoing(rule::Rule{}, alert, context).annotations; };
  CHECK(links()["logs"] ==
        "https://l.example/?ns=shop+%26+co&from=" + std::to_string(to_millis(kNow - 20min)) +
            "&to=" + std::to_string(to_millis(kNow)));
  CHECK(links()["traces"] == "https://t.example");
  alert.state = alert::State::Inactive;
  alert.resolved_at = kNow - 1min;
  CHECK(links()["logs"].ends_with("&to=" + std::to_string(to_millis(kNow - 1min))));
}

TEST_CASE("a blind alert says since when and why") {
  alert::Alert alert = firing();
  alert.blind = alert::Blindness{kNow, {"target t", "10.0.0.1:4191 cannot be scraped"}};
  CHECK(outgoing(alert).annotations.at("blind") ==
        "Not seen since 2026-11-22T17:42:00.000Z, because 10.0.0.1:4191 cannot be scraped. The "
        "alert stays until fresh data says that it is over.");
}

TEST_CASE("bytes that are no text do not keep an alert from its receivers") {
  alert::Alert alert = firing();
  alert.labels = alert.labels.with("path", "/\xff");
  alert.annotations["summary"] = "broken \xc3";
  CHECK(outgoing(alert).labels.get("path") == "/\xef\xbf\xbd");
  CHECK(outgoing(alert).annotations.at("summary") == "broken \xef\xbf\xbd");
}

}  // namespace
}  // namespace tocsin::daemon
