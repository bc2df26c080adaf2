// SPDX-License-Identifier: Apache-2.0
#include "source/federation.h"

#include <doctest/doctest.h>

#include "support/samples_of.h"

namespace tocsin::source {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("a federation job without selectors asks for what the rules need") {
  CHECK(asks_for_needs({.metrics_path = "/federate"}));
  CHECK(asks_for_needs({.metrics_path = "/prometheus/federate"}));
  CHECK_FALSE(asks_for_needs({.metrics_path = "/federate", .params = {{"match[]", {"up"}}}}));
  CHECK_FALSE(asks_for_needs({.metrics_path = "/metrics"}));
}

TEST_CASE("each need is asked for once") {
  const auto needs = testing::needs_of(
      R"(rate(a{x="1"}[1m]) + rate(a{x="1"}[5m]) + b + rate(b{y=~"2|3"}[1m]) + on() {z="1"})");
  CHECK(federation_selectors(needs, {}) ==
        Texts{R"({z="1"})", R"({__name__="a",x="1"})", R"({__name__="b"})"});
}

TEST_CASE("labels that the target adds are not asked for") {
  const auto needs = testing::needs_of(R"(up{cluster="east",job="proxy"})");
  const Labels target{{"cluster", "east"}, {"job", "federate"}, {"instance", "p:9090"}};
  CHECK(federation_selectors(needs, target) == Texts{R"({__name__="up",job="proxy"})"});
}

TEST_CASE("bounds are not asked for, because their spelling differs") {
  const auto needs = testing::needs_of(R"(rate(x_bucket{le="1.0"}[1m]) + rate(x_bucket[1m]))");
  CHECK(federation_selectors(needs, {}) == Texts{R"({__name__="x_bucket"})"});
}

TEST_CASE("selectors stand in the URL") {
  CHECK(federation_url("http://p/federate", {"{a=\"1\"}", "up"}) ==
        "http://p/federate?match%5B%5D=%7Ba%3D%221%22%7D&match%5B%5D=up");
  CHECK(federation_url("http://p/federate?x=1", {"up"}) == "http://p/federate?x=1&match%5B%5D=up");
  CHECK(federation_url("http://p/federate", {}) == "http://p/federate");
}

}  // namespace
}  // namespace tocsin::source
