// SPDX-License-Identifier: Apache-2.0
#include "source/target.h"

#include <doctest/doctest.h>

namespace tocsin::source {
namespace {

Result<std::variant<Target, DroppedTarget>> make(const ScrapeConfig& config,
                                                 const TargetGroup& group) {
  return make_target(config, *Relabeler::compile(config.relabel_configs), group.targets.at(0),
                     group);
}

const TargetGroup kGroup{.targets = {"10.0.0.1:4191"}, .labels = {{"namespace", "emojivoto"}}};

TEST_CASE("a target gets its job's defaults") {
  const auto made = make({.job_name = "linkerd-proxy",
                          .scrape_interval = Duration(10'000),
                          .scrape_timeout = Duration(5'000)},
                         kGroup);
  REQUIRE(made);
  const Target target = std::get<Target>(*made);
  CHECK(target.url == "http://10.0.0.1:4191/metrics");
  CHECK(target.labels.text() ==
        R"({instance="10.0.0.1:4191", job="linkerd-proxy", namespace="emojivoto"})");
  CHECK(target.discovered_labels.text() ==
        R"({__address__="10.0.0.1:4191", __metrics_path__="/metrics", __scheme__="http", )"
        R"(__scrape_interval__="10s", __scrape_timeout__="5s", job="linkerd-proxy", )"
        R"(namespace="emojivoto"})");
  CHECK(target.interval == Duration(10'000));
  CHECK(target.timeout == Duration(5'000));
}

TEST_CASE("relabelling decides what is asked, and how often") {
  ScrapeConfig config{.job_name = "j", .params = {{"match[]", {"up", "x{a=\"1\"}"}}}};
  config.relabel_configs = {
      {.source_labels = {"namespace"}, .target_label = "__metrics_path__", .replacement = "/$1"},
      {.target_label = "__scheme__", .replacement = "https"},
      {.target_label = "__param_module", .replacement = "a b"},
      {.target_label = "__scrape_interval__", .replacement = "90s"},
      {.source_labels = {"__address__"}, .regex = "(.*):.*", .target_label = "instance"},
      {.regex = "namespace", .action = RelabelAction::LabelDrop},
  };
  const auto made = make(config, kGroup);
  REQUIRE(made);
  const Target target = std::get<Target>(*made);
  CHECK(target.url ==
        "https://10.0.0.1:4191/emojivoto?match%5B%5D=up&match%5B%5D=x%7Ba%3D%221%22%7D&"
        "module=a%20b");
  CHECK(target.labels.text() == R"({instance="10.0.0.1", job="j"})");
  CHECK(target.interval == std::chrono::seconds(90));
}

TEST_CASE("a dropped target keeps what was discovered") {
  ScrapeConfig config{.job_name = "j"};
  config.relabel_configs = {
      {.source_labels = {"namespace"}, .regex = "emojivoto", .action = RelabelAction::Drop}};
  const auto made = make(config, kGroup);
  REQUIRE(made);
  CHECK(std::get<DroppedTarget>(*made).discovered_labels.get("namespace") == "emojivoto");
}

TEST_CASE("a target that cannot be scraped says why") {
  const auto problem = [](std::string_view label, std::string_view value) {
    ScrapeConfig config{.job_name = "j"};
    config.relabel_configs = {
        {.target_label = std::string(label), .replacement = std::string(value)}};
    const auto made = make(config, kGroup);
    return made ? std::string() : made.error().message;
  };
  CHECK(problem("__address__", "") == "no address");
  CHECK(problem("__scrape_interval__", "soon").find("__scrape_interval__") != std::string::npos);
  CHECK(problem("__scrape_timeout__", "2h").find("greater than") != std::string::npos);
  CHECK(problem("__scheme__", "gopher").find("not a URL") != std::string::npos);
}

}  // namespace
}  // namespace tocsin::source
