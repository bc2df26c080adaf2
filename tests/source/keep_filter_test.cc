// SPDX-License-Identifier: Apache-2.0
#include "source/keep_filter.h"

#include <doctest/doctest.h>

#include "support/samples_of.h"

namespace tocsin::source {
namespace {

KeepFilter filter_of(std::initializer_list<std::string> expressions) {
  std::vector<promql::Need> needs;
  for (const std::string& text : expressions) {
    const auto some = testing::needs_of(text);
    needs.insert(needs.end(), some.begin(), some.end());
  }
  return KeepFilter(std::move(needs));
}

TEST_CASE("only what an expression reads is kept, and as long as it looks back") {
  const KeepFilter filter = filter_of(
      {R"(rate(response_total{direction="inbound"}[10m]) / rate(response_total[1m]))", "up == 0"});
  CHECK(filter.wants_name("response_total"));
  CHECK(filter.wants_name("up"));
  CHECK_FALSE(filter.wants_name("request_total"));
  CHECK(filter.wants({{"__name__", "response_total"}, {"direction", "inbound"}}) ==
        std::chrono::minutes(10));
  CHECK(filter.wants({{"__name__", "response_total"}, {"direction", "outbound"}}) ==
        std::chrono::minutes(1));
  CHECK(filter.wants({{"__name__", "up"}}) == std::chrono::minutes(5));
  CHECK_FALSE(filter.wants({{"__name__", "request_total"}}));
}

TEST_CASE("a metric named by an expression or not at all is found too") {
  const KeepFilter filter =
      filter_of({R"({__name__=~"identity_cert_expir.+", job!="x"})", R"({pod="p"})"});
  CHECK(filter.wants_name("identity_cert_expiry"));
  CHECK(filter.wants({{"__name__", "identity_cert_expiry"}}));
  CHECK_FALSE(filter.wants({{"__name__", "identity_cert_expiry"}, {"job", "x"}}));
  CHECK(filter.wants_name("anything"));
  CHECK(filter.wants({{"__name__", "anything"}, {"pod", "p"}}));
  CHECK_FALSE(filter.wants({{"__name__", "anything"}}));
}

TEST_CASE("without needs nothing is kept") {
  const KeepFilter filter = filter_of({});
  CHECK_FALSE(filter.wants_name("up"));
  CHECK_FALSE(filter.wants({{"__name__", "up"}}));
}

}  // namespace
}  // namespace tocsin::source
