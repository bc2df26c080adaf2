// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api/asking.h"

namespace tocsin::api {
namespace {

using testing::ask;
using testing::FakeBackend;

// As amtool posts it.
constexpr const char* kBody =
    R"({"comment":"we know","createdBy":"alice","startsAt":"2026-11-22T17:42:00.000Z",)"
    R"("endsAt":"2026-11-22T18:42:00.000Z",)"
    R"("matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"Slow"}]})";

struct Enabled : FakeBackend {
  Enabled() { info.takes_silences = true; }
};

net::HttpServerResponse post(FakeBackend& b, const std::string& body = kBody,
                             const std::string& type = "application/json") {
  auto request = testing::request_of("POST", "/api/v2/silences");
  request.body = body;
  request.headers.emplace_back("Content-Type", type);
  return ask(b, request);
}

TEST_CASE("a silence is made, listed, asked for and ended, in Alertmanager's shapes") {
  Enabled b;
  const auto made = post(b);
  CHECK(made.status == 200);
  CHECK(made.body == R"({"silenceID":"id-1"})");
  const std::string expected =
      R"({"id":"id-1","status":{"state":"active"},"updatedAt":"2026-11-22T17:42:00.000Z",)"
      R"("comment":"we know","createdBy":"alice","startsAt":"2026-11-22T17:42:00.000Z",)"
      R"("endsAt":"2026-11-22T18:42:00.000Z",)"
      R"("matchers":[{"name":"alertname","value":"Slow","isRegex":false,"isEqual":true}]})";
  const auto listed = ask(b, "GET", "/api/v2/silences");
  CHECK(listed.body == "[" + expected + "]");
  CHECK(listed.content_type == "application/json");
  CHECK(ask(b, "GET", "/api/v2/silence/id-1").body == expected);
  CHECK(ask(b, "DELETE", "/api/v2/silence/id-1").status == 200);
  CHECK(ask(b, "GET", "/api/v2/silence/id-1").body.find(R"("state":"expired")") !=
        std::string::npos);
  const auto again = ask(b, "DELETE", "/api/v2/silence/id-1");
  CHECK(again.status == 500);
  CHECK(again.body == "\"silence id-1 already expired\"\n");
}

TEST_CASE("silences are found by the matchers that they have") {
  Enabled b;
  post(b);
  const std::pair<const char*, bool> cases[] = {{"alertname=Slow", true},
                                                {"alertname=\"Slow\"", true},
                                                {"alertname=~S.*", true},
                                                {"alertname=Fast", false},
                                                {"alertname!=Slow", false},
                                                {"team=blog", false},
                                                {"team=", true},
                                                {"alertname!=", true},
                                                {"team!=", false},
                                                {"{alertname=Slow,team!=x}", true}};
  for (const auto& [filter, found] : cases) {
    CAPTURE(filter);
    auto request = testing::request_of("GET", "/api/v2/silences");
    request.params.emplace_back("filter", filter);
    CHECK((ask(b, request).body != "[]") == found);
  }
  auto bad = testing::request_of("GET", "/api/v2/silences");
  bad.params.emplace_back("filter", "alertname");
  CHECK(ask(b, bad).status == 400);
}

TEST_CASE("what is no silence is refused, and said in JSON") {
  Enabled b;
  const auto broken = post(b, "{");
  CHECK(broken.status == 400);
  CHECK(broken.body.starts_with("\"bad request body: "));
  CHECK(post(b, std::string(kBody).insert(1, R"("id":"nobody",)")).status == 404);
  CHECK(ask(b, "GET", "/api/v2/silence/nobody").status == 404);
  CHECK(ask(b, "DELETE", "/api/v2/silence/nobody").status == 404);
  CHECK(b.silence_book.all(b.moment).empty());
}

TEST_CASE("nobody makes or ends a silence unless the configuration says so") {
  FakeBackend b;
  const auto refused = post(b);
  CHECK(refused.status == 404);
  CHECK(refused.body == "\"silences need to be enabled with silences: {enabled: true}\"\n");
  CHECK(ask(b, "DELETE", "/api/v2/silence/id-1").status == 404);
  CHECK(ask(b, "GET", "/api/v2/silences").body == "[]");
}

TEST_CASE("a page of another origin makes no silence") {
  Enabled b;
  CHECK(post(b, kBody, "text/plain").status == 415);
  auto request = testing::request_of("OPTIONS", "/api/v2/silences");
  request.headers.emplace_back("Origin", "https://evil.example");
  const auto answer = ask(b, request);
  CHECK(answer.status == 405);
  for (const auto& [name, value] : answer.headers) {
    CHECK_FALSE(name.starts_with("Access-Control"));
  }
}

TEST_CASE("amtool is told a version where Alertmanager has one") {
  FakeBackend b;
  const auto answer = ask(b, "GET", "/api/v2/status");
  CHECK(answer.status == 200);
  CHECK(answer.body.find(R"("versionInfo":{"version":")") != std::string::npos);
}

TEST_CASE("an alert that nobody is told of says why, in the API") {
  FakeBackend b;
  api::GroupStatus group;
  api::RuleStatus rule;
  rule.rule = testing::alerting_rule("Slow", "slow > 0");
  alert::Alert alert;
  alert.labels = Labels{{"alertname", "Slow"}};
  alert.state = alert::State::Firing;
  rule.alerts = {alert};
  group.rules = {rule};
  b.all_groups = {group};
  CHECK(ask(b, "GET", "/api/v1/alerts").body.find("mutedBy") == std::string::npos);
  b.mutes[alert.labels] = {notify::MuteReason::Silence, "by alice: we know",
                           FakeBackend::kNow + std::chrono::hours(1), "id-1"};
  CHECK(ask(b, "GET", "/api/v1/alerts")
            .body.find(R"("mutedBy":"silence","mutedBecause":"by alice: we know",)"
                       R"("mutedUntil":"2026-11-22T18:42:00.000Z")") != std::string::npos);
}

}  // namespace
}  // namespace tocsin::api
