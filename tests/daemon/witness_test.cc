// SPDX-License-Identifier: Apache-2.0
#include "daemon/witness.h"

#include <doctest/doctest.h>

#include "daemon/query_desk.h"
#include "support/executors.h"
#include "support/manual_clock.h"
#include "tocsin/store.h"

namespace tocsin::daemon {
namespace {

using namespace std::chrono_literals;

const Labels kAlert{{"alertname", "A"}, {"namespace", "shop"}, {"deployment", "web"}};

Labels up(const std::string& job, const std::string& ns, const std::string& instance) {
  return Labels{{"__name__", "up"}, {"job", job}, {"namespace", ns}, {"instance", instance}};
}

// A Prometheus' series, as they have come in here, and the questions that are asked about them.
struct World {
  testing::ManualClock clock;
  testing::InlineExecutor executor;
  store::Store store;
  QueryDesk desk{{store, executor, executor}, clock, clock};
  store::BlockId block = store.add_block({.history = 4h});
  std::map<Labels, double> page;
  int questions = 0;
  std::string refusal;  // Not empty: queries fail with it.
  Witness witness{testimony()};
  Reader reader{"rule", {{"response_total"}, false}};

  World() { clock.advance(1h); }

  Testimony testimony() {
    Testimony out;
    out.query = [this](const std::string& expr, Timestamp at, auto done) {
      ++questions;
      if (!refusal.empty()) return done(fail(ErrorCode::Timeout, refusal));
      desk.ask(expr, at, std::move(done));
    };
    out.label_values = [this](const std::string& label, const auto& selectors, Timestamp,
                              auto done) {
      desk.find_label_values(label, {selectors, std::nullopt, std::nullopt}, std::move(done));
    };
    return out;
  }

  void serve(const std::string& job, const std::string& ns, const std::string& instance,
             const std::string& metric = "response_total") {
    page[up(job, ns, instance)] = 1;
    page[up(job, ns, instance).with("__name__", metric)] = 7;
  }
  // It is scraped every 15 s, and looked at.
  void pass(Duration time) {
    for (Duration gone{0}; gone < time; gone += 15s) {
      clock.advance(15s);
      for (const auto& [labels, value] : page) append(labels, value);
      (void)why_blind(kAlert);
    }
  }
  // It is looked at; nothing new comes.
  void wait(Duration time) {
    for (Duration gone{0}; gone < time; gone += 15s) {
      clock.advance(std::min<Duration>(15s, time - gone));
      (void)why_blind(kAlert);
    }
  }
  void remove(const Labels& labels) {
    page.erase(labels);
    clock.advance(15s);
    append(labels, stale_nan());
  }
  void append(const Labels& labels, double value) {
    store.append_sample(store.add_series(block, labels, false), clock.now(), value);
  }

  // The reason; empty when absence is believed.
  std::string why_blind(const Labels& alert) {
    std::optional<alert::Obstacle> obstacle;
    witness.look({reader}, clock.now(), [&] { obstacle = witness.why_blind(reader, alert); });
    return obstacle ? obstacle->reason : "";
  }
};

TEST_CASE("an alert cannot be seen while a Prometheus cannot scrape what it may be about") {
  World w;
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.serve("linkerd-proxy", "other", "10.0.0.2:4191");
  w.serve("node", "", "node-1", "node_load1");
  w.pass(2min);
  CHECK(w.why_blind(kAlert) == "");
  w.page[up("node", "", "node-1")] = 0;  // Has nothing that the rule reads.
  w.page[up("linkerd-proxy", "other", "10.0.0.2:4191")] = 0;
  w.pass(1min);
  CHECK(w.why_blind(kAlert) == "");
  w.page[up("linkerd-proxy", "shop", "10.0.0.1:4191")] = 0;
  w.pass(15s);
  CHECK(w.why_blind(kAlert) ==
        "Prometheus cannot scrape 10.0.0.1:4191 of the job 'linkerd-proxy', and 1 more");
  w.page[up("linkerd-proxy", "shop", "10.0.0.1:4191")] = 1;
  w.pass(15s);
  CHECK(w.why_blind(kAlert) != "");  // The rule may have been asked before it came back.
  w.pass(2min);
  CHECK(w.why_blind(kAlert) == "");
}

TEST_CASE("a job that a Prometheus has stopped scraping cannot be seen") {
  World w;
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.pass(10min);
  w.wait(35s);
  CHECK(w.why_blind(kAlert) == "");
  w.wait(5s);
  CHECK(w.why_blind(kAlert) == "Prometheus has not scraped the job 'linkerd-proxy' for 40s");
  w.wait(10min);  // By now its `up` is gone, too.
  CHECK(w.why_blind(kAlert) == "Prometheus has no target of the job 'linkerd-proxy' any more");
  w.wait(3h);  // It looks at nothing at all: that never becomes proof.
  CHECK(w.why_blind(kAlert) != "");
  w.pass(15s);
  CHECK(w.why_blind(kAlert) == "");
}

TEST_CASE("a target that is taken away is believed, the last of a job after an hour") {
  World w;
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.serve("linkerd-proxy", "shop", "10.0.0.2:4191");
  w.serve("prometheus", "viz", "10.0.0.3:9090", "prometheus_ready");
  w.pass(2min);
  w.remove(up("linkerd-proxy", "shop", "10.0.0.1:4191"));
  CHECK(w.why_blind(kAlert) == "");
  w.remove(up("linkerd-proxy", "shop", "10.0.0.2:4191"));
  CHECK(w.why_blind(kAlert) == "Prometheus has no target of the job 'linkerd-proxy' any more");
  w.pass(59min);
  CHECK(w.why_blind(kAlert) != "");
  w.pass(2min);
  CHECK(w.why_blind(kAlert) == "");
}

TEST_CASE("a clock that is set ahead does not make the hour pass") {
  World w;
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.serve("prometheus", "viz", "10.0.0.3:9090", "prometheus_ready");
  w.pass(2min);
  w.remove(up("linkerd-proxy", "shop", "10.0.0.1:4191"));
  w.pass(2min);
  w.clock.set(w.clock.now() + 1h);
  w.witness.note_clock_step(1h);
  CHECK(w.why_blind(kAlert) == "Prometheus has no target of the job 'linkerd-proxy' any more");
  CHECK(w.witness.jobs_seen(w.clock.now()).contains("linkerd-proxy"));
}

TEST_CASE("what a job had is remembered by the next process") {
  World before;
  before.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  before.pass(2min);
  const auto seen = before.witness.jobs_seen(before.clock.now());
  CHECK(seen == source::JobsSeen{{"linkerd-proxy", {}}});
  before.remove(up("linkerd-proxy", "shop", "10.0.0.1:4191"));
  before.wait(10min);
  const auto lost = before.witness.jobs_seen(before.clock.now());
  REQUIRE(lost.at("linkerd-proxy").lost.has_value());
  CHECK(before.clock.now() - *lost.at("linkerd-proxy").lost > 9min);

  World w;
  w.serve("prometheus", "viz", "10.0.0.3:9090", "prometheus_ready");
  SUBCASE("a process that knows of none believes the Prometheus") {
    w.pass(2min);
    CHECK(w.why_blind(kAlert) == "");
  }
  SUBCASE("one that knows of it does not, for an hour") {
    w.witness.remember(seen, w.clock.now());
    w.pass(59min);
    CHECK(w.why_blind(kAlert) == "Prometheus has no target of the job 'linkerd-proxy' any more");
    w.pass(2min);
    CHECK(w.why_blind(kAlert) == "");
    CHECK(w.witness.jobs_seen(w.clock.now()).size() == 1);
  }
  SUBCASE("unless the job is scraped here now") {
    w.witness.remember(seen, w.clock.now());
    w.witness.leave_out({}, {"linkerd-proxy"});
    w.pass(2min);
    CHECK(w.why_blind(kAlert) == "");
  }
}

TEST_CASE("a job whose series are in namespaces without a target of it speaks for others") {
  World w;
  w.serve("kube-state-metrics", "monitoring", "10.0.0.9:8080", "kube_pod_info");
  w.page.erase(
      up("kube-state-metrics", "monitoring", "10.0.0.9:8080").with("__name__", "kube_pod_info"));
  w.page[Labels{{"__name__", "kube_pod_info"},
                {"job", "kube-state-metrics"},
                {"namespace", "shop"},
                {"instance", "10.0.0.9:8080"}}] = 1;
  w.reader.sources.metrics = {"kube_pod_info"};
  w.pass(2min);
  CHECK(w.why_blind(kAlert) == "");
  w.page[up("kube-state-metrics", "monitoring", "10.0.0.9:8080")] = 0;
  w.pass(15s);
  CHECK(w.why_blind(kAlert) ==
        "Prometheus cannot scrape 10.0.0.9:8080 of the job 'kube-state-metrics'");
}

TEST_CASE("a rule about `up` is not blind because it is 0, and is when it is gone") {
  World w;
  w.reader.sources.metrics = {"up"};
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.page[up("linkerd-proxy", "shop", "10.0.0.1:4191")] = 0;
  w.pass(10min);
  CHECK(w.why_blind(kAlert) == "");
  w.wait(1min);
  CHECK(w.why_blind(kAlert) != "");
}

TEST_CASE("a Prometheus without `up` is believed as long as it has what the rule reads") {
  World w;
  CHECK(w.why_blind(kAlert) == "Prometheus has no targets, and nothing of what the rule reads");
  w.page[Labels{{"__name__", "response_total"}, {"namespace", "shop"}}] = 1;
  w.pass(15s);
  CHECK(w.why_blind(kAlert) == "");
}

TEST_CASE("what a Prometheus records may come from any of its jobs") {
  World w;
  w.reader.sources.metrics = {"namespace:requests:rate5m"};
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.page[Labels{{"__name__", "namespace:requests:rate5m"}, {"namespace", "shop"}}] = 1;
  w.pass(2min);
  CHECK(w.why_blind(kAlert) == "");
  w.page[up("linkerd-proxy", "shop", "10.0.0.1:4191")] = 0;
  w.pass(15s);
  CHECK(w.why_blind(kAlert) != "");
}

TEST_CASE("a Prometheus that does not say what it sees proves nothing") {
  World w;
  w.serve("linkerd-proxy", "shop", "10.0.0.1:4191");
  w.pass(1min);
  w.refusal = "timed out";
  CHECK(w.why_blind(kAlert) == "Prometheus does not say what it can see: timed out");
  w.refusal = "";
  CHECK(w.why_blind(kAlert) == "");
}

TEST_CASE("nobody is asked about a rule that reads only what is made here, or a job of our own") {
  World w;
  w.witness.leave_out({"tocsin_targets"}, {"mine"});
  w.reader.sources.metrics = {"tocsin_targets"};
  CHECK(w.why_blind(kAlert) == "");
  CHECK(w.questions == 0);
  w.reader.sources.metrics = {"response_total"};
  w.serve("mine", "shop", "10.0.0.1:4191");
  w.pass(1min);
  w.page[up("mine", "shop", "10.0.0.1:4191")] = 0;
  w.pass(1min);
  CHECK(w.why_blind(kAlert) == "");
  CHECK(w.questions > 0);
}

}  // namespace
}  // namespace tocsin::daemon
