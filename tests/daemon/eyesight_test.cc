// SPDX-License-Identifier: Apache-2.0
#include "daemon/eyesight.h"

#include <doctest/doctest.h>

namespace tocsin::daemon {
namespace {

source::TargetStatus target(const Labels& labels, source::Health health) {
  source::TargetStatus status;
  status.target.labels = labels;
  status.target.url = "http://10.0.0.1:4191/metrics";
  status.health = health;
  status.last_error = "connection refused";
  return status;
}

TEST_CASE("an alert cannot be seen while a target that it may be about is down") {
  const Labels alert{{"alertname", "A"}, {"namespace", "shop"}, {"deployment", "web"}};
  const auto blind = [&](const Labels& labels, source::Health health) {
    return why_blind({target(labels, health)}, alert).has_value();
  };
  const Labels same{{"job", "linkerd-proxy"}, {"namespace", "shop"}, {"deployment", "web"}};
  CHECK(blind(same, source::Health::Down));
  CHECK_FALSE(blind(same, source::Health::Up));
  CHECK_FALSE(blind(same.with("deployment", "api"), source::Health::Down));
  CHECK_FALSE(blind(same.with("namespace", "other"), source::Health::Down));
  // A federated Prometheus may be about anything.
  CHECK(blind(Labels{{"job", "federate"}}, source::Health::Down));
  CHECK(*why_blind({target(same, source::Health::Down)}, alert) ==
        "http://10.0.0.1:4191/metrics cannot be scraped: connection refused");
}

}  // namespace
}  // namespace tocsin::daemon
