// SPDX-License-Identifier: Apache-2.0
#include "daemon/self_watch.h"

#include <doctest/doctest.h>

#include "tocsin/rule_set.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

SelfWatch watch_for(const std::string& expr) {
  const std::vector<rule::SourceFile> files{
      {"r.yaml", "groups: [{name: g, rules: [{record: a, expr: '" + expr + "'}]}]"}};
  const auto loaded = rule::load(files);
  CAPTURE(loaded.diagnostics.text());
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  return SelfWatch(rule::required_needs(loaded.rules));
}

const char* const kPage = R"(# TYPE tocsin_targets gauge
tocsin_targets{job="p",health="up"} 3
tocsin_targets{job="p",health="down"} 1
tocsin_series 7
process_open_fds 5
)";

TEST_CASE("what rules read of Tocsin itself becomes series, as if it had been scraped") {
  const SelfWatch watch = watch_for(R"(rate(tocsin_targets{health="down"}[10m]) > 0)");
  CHECK(watch.is_asked());
  CHECK(watch.history() >= 10min);
  const auto series = watch.series(kPage, from_millis(5000), "127.0.0.1:9467");
  REQUIRE(series.size() == 1);
  CHECK(series[0].labels.text() ==
        R"(tocsin_targets{health="down", instance="127.0.0.1:9467", job="tocsin"})");
  CHECK(series[0].sample.value == 1);
  CHECK(series[0].sample.at == from_millis(5000));
}

TEST_CASE("rules that do not ask about Tocsin cost nothing") {
  CHECK_FALSE(watch_for("up == 0").is_asked());
  CHECK(watch_for("process_open_fds > 1").series(kPage, {}, "a").empty());
}

}  // namespace
}  // namespace tocsin::daemon
