// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "api/asking.h"

namespace tocsin::api {
namespace {

using namespace std::chrono_literals;
using testing::ask;
using testing::FakeBackend;
using testing::get;

alert::Alert firing_alert() {
  alert::Alert alert;
  alert.labels = Labels{{"alertname", "Down"}, {"instance", "a:1"}, {"severity", "page"}};
  alert.annotations = {{"summary", "a:1 down"}};
  alert.state = alert::State::Firing;
  alert.value = 20;
  alert.active_at = FakeBackend::kNow - 10min;
  alert.fired_at = FakeBackend::kNow - 5min;
  return alert;
}

void fill(FakeBackend& b) {
  auto down = std::make_shared<rule::Rule>(*testing::alerting_rule("Down", "up == 0", 5min));
  down->labels = {{"severity", "page"}};
  down->annotations = {{"summary", "{{ $labels.instance }} down"}};
  down->keep_firing_for = 90s;
  RuleStatus alerting;
  alerting.rule = down;
  alerting.health = RuleHealth::Ok;
  alerting.evaluation_seconds = 0.0005;
  alerting.last_evaluation = FakeBackend::kNow;
  alerting.state = alert::State::Firing;
  alerting.alerts = {firing_alert()};
  RuleStatus recording;
  recording.rule = testing::recording_rule("a:b", "sum(up)");
  recording.health = RuleHealth::Failing;
  recording.last_error = "many-to-many";
  GroupStatus group;
  group.file = "rules/a.yaml";
  group.name = "g";
  group.interval = 15s;
  group.limit = 3;
  group.evaluation_seconds = 0.002;
  group.last_evaluation = FakeBackend::kNow;
  group.rules = {alerting, recording};
  b.all_groups = {group};
}

constexpr const char* kAlert =
    R"j({"labels":{"alertname":"Down","instance":"a:1","severity":"page"},"annotations":{"summary":"a:1 down"},)j"
    R"j("state":"firing","activeAt":"2026-11-22T17:32:00.000Z","value":"2e+01"})j";

TEST_CASE("rules are listed as Prometheus lists them") {
  FakeBackend b;
  CHECK(get(b, "/api/v1/rules") == R"j({"status":"success","data":{"groups":[]}})j");
  fill(b);
  CHECK(
      get(b, "/api/v1/rules") ==
      std::string(
          R"j({"status":"success","data":{"groups":[{"name":"g","file":"rules/a.yaml","rules":[)j"
          R"j({"state":"firing","name":"Down","query":"up == 0","duration":300,"keepFiringFor":90,"labels":{"severity":"page"},)j"
          R"j("annotations":{"summary":"{{ $labels.instance }} down"},"alerts":[)j") +
          kAlert +
          R"j(],"health":"ok","evaluationTime":0.0005,"lastEvaluation":"2026-11-22T17:42:00.000Z","type":"alerting"},)j"
          R"j({"name":"a:b","query":"sum(up)","health":"err","lastError":"many-to-many","evaluationTime":0,)j"
          R"j("lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"}],)j"
          R"j("interval":15,"limit":3,"evaluationTime":0.002,"lastEvaluation":"2026-11-22T17:42:00.000Z","iterationsMissed":0}]}})j");
}

TEST_CASE("rules are chosen by type, name, group, file and labels") {
  FakeBackend b;
  fill(b);
  struct Case {
    const char* filter;
    bool alerting;
    bool recording;
  };
  const Case cases[] = {
      {"type=alert", true, false},
      {"type=Record", false, true},
      {"rule_name[]=a:b", false, true},
      {"rule_name[]=a:b&rule_name[]=Down", true, true},
      {"rule_group[]=g", true, true},
      {"rule_group[]=h", false, false},
      {"file[]=rules/a.yaml", true, true},
      {"file[]=rules/b.yaml", false, false},
      {"match[]={severity=\"page\"}", true, false},
      {"type=alert&rule_name[]=a:b", false, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.filter);
    const std::string body = get(b, std::string("/api/v1/rules?") + c.filter);
    CHECK((body.find(R"j("type":"alerting")j") != std::string::npos) == c.alerting);
    CHECK((body.find(R"j("type":"recording")j") != std::string::npos) == c.recording);
    CHECK((body.find(R"j("groups":[])j") != std::string::npos) == (!c.alerting && !c.recording));
  }
  CHECK(get(b, "/api/v1/rules?exclude_alerts=true").find(R"j("alerts":[])j") != std::string::npos);
  CHECK(
      get(b, "/api/v1/rules?type=foo") ==
      R"j({"status":"error","errorType":"bad_data","error":"invalid parameter \"type\": not supported value \"foo\""})j");
  CHECK(ask(b, "GET", "/api/v1/rules?exclude_alerts=perhaps").status == 400);
}

TEST_CASE("alerts that are pending or firing are listed, with what Tocsin knows beside") {
  FakeBackend b;
  CHECK(get(b, "/api/v1/alerts") == R"j({"status":"success","data":{"alerts":[]}})j");
  fill(b);
  CHECK(get(b, "/api/v1/alerts") ==
        std::string(R"j({"status":"success","data":{"alerts":[)j") + kAlert + "]}}");
  alert::Alert& alert = b.all_groups[0].rules[0].alerts[0];
  alert.keep_firing_since = FakeBackend::kNow - 1s;
  alert.blind = alert::Blindness{FakeBackend::kNow - 2s, {"target t", "its target is down"}};
  const std::string body = get(b, "/api/v1/alerts");
  CHECK(body.find(
            R"j("keepFiringSince":"2026-11-22T17:41:59.000Z","value":"2e+01",)j"
            R"j("blindSince":"2026-11-22T17:41:58.000Z","blindReason":"its target is down"})j") !=
        std::string::npos);
  alert.state = alert::State::Inactive;
  CHECK(get(b, "/api/v1/alerts") == R"j({"status":"success","data":{"alerts":[]}})j");
}

}  // namespace
}  // namespace tocsin::api
