// SPDX-License-Identifier: Apache-2.0
#include "source/scraper.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "support/executors.h"
#include "support/fake_web.h"
#include "support/folder.h"
#include "support/manual_clock.h"
#include "support/samples_of.h"

namespace tocsin::source {
namespace {

using testing::FakeWeb;
using Texts = std::vector<std::string>;

// One address per line; a line with "error" is a document that cannot be read.
Result<std::vector<TargetGroup>> parse_lines(const std::string& bytes) {
  if (bytes.find("error") != std::string::npos) return fail(ErrorCode::Parse, "line 1: error");
  TargetGroup group{.labels = {{"from", "file"}}};
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    group.targets.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  return std::vector<TargetGroup>{group};
}

// A scraper in a world where nothing happens unless the test says so.
class World {
 public:
  void apply(const std::vector<ScrapeConfig>& configs, const std::string& rules = "a + up") {
    const auto applied = scraper.apply(configs, testing::needs_of(rules));
    REQUIRE_MESSAGE(applied, applied.error().message);
    queue.run();
  }

  void advance(Duration time) {
    for (Duration passed{0}; passed < time; passed += Duration(500)) {
      clock.advance(Duration(500));
      queue.run();
    }
  }

  Texts values(const std::string& selector) const {
    return testing::values_at(store, selector, clock.now());
  }

  const TargetStatus status(const std::string& url) const {
    for (const TargetStatus& status : scraper.targets()) {
      if (status.target.url == url) return status;
    }
    return {};
  }

  testing::ManualClock clock;
  testing::QueueExecutor queue;
  FakeWeb http{queue};
  store::Store store;
  Scraper scraper{{clock, clock, queue, queue, http, store}, parse_lines};
};

ScrapeConfig job(std::vector<std::string> targets) {
  ScrapeConfig config{.job_name = "j", .scrape_interval = std::chrono::seconds(10)};
  if (!targets.empty()) config.static_configs = {{.targets = std::move(targets)}};
  return config;
}

TEST_CASE("a target is scraped once per interval, at its slot") {
  World world;
  world.http.on_page("http://one:80/metrics", "a 1\n");
  world.apply({job({"one:80"})});
  CHECK(world.status("http://one:80/metrics").health == Health::Unknown);
  world.advance(std::chrono::seconds(60));
  CHECK(world.http.requests.size() == 6);
  const auto status = world.status("http://one:80/metrics");
  CHECK(status.health == Health::Up);
  CHECK(status.last_samples == 1);
  CHECK(status.last_kept == 1);
  CHECK(world.values("a") == Texts{R"(a{instance="one:80", job="j"} 1)"});
  CHECK(world.scraper.stats().scrapes == 6);
  CHECK(world.scraper.stats().samples_appended == 12);
  CHECK(world.scraper.stats().duration_seconds.count == 6);
  const auto& request = world.http.requests.at(0);
  CHECK(net::find_header(request.headers, "Accept").find("openmetrics") != std::string::npos);
  CHECK(net::find_header(request.headers, "X-Prometheus-Scrape-Timeout-Seconds") == "10");
}

TEST_CASE("slots lie at the same offset of every interval, and differ between targets") {
  const Duration interval = std::chrono::seconds(10);
  const Timestamp now = from_millis(1'795'369'320'123);
  for (const std::uint64_t hash : {0ULL, 1ULL, 9'999ULL, 123'456'789ULL}) {
    const Timestamp slot = next_slot(hash, interval, now);
    CHECK(slot > now);
    CHECK(slot <= now + interval);
    CHECK(to_millis(slot) % 10'000 == static_cast<std::int64_t>(hash % 10'000));
    CHECK(next_slot(hash, interval, slot) == slot + interval);
  }
}

TEST_CASE("a target that fails is down, says why, and is asked again") {
  World world;
  world.apply({job({"one:80"})});
  world.advance(std::chrono::seconds(10));
  CHECK(world.status("http://one:80/metrics").health == Health::Down);
  CHECK(world.status("http://one:80/metrics").last_error == "connection refused");
  CHECK(world.values("up").at(0).ends_with("} 0"));
  world.http.on("http://one:80", [](const net::HttpRequest&) {
    return net::HttpResponse{.status = 500, .body = "a 1\n"};
  });
  world.advance(std::chrono::seconds(10));
  CHECK(world.status("http://one:80/metrics").last_error == "server returned HTTP status 500");
  world.http.on_page("http://one:80", "a 1\n");
  world.advance(std::chrono::seconds(10));
  CHECK(world.status("http://one:80/metrics").health == Health::Up);
  CHECK(world.status("http://one:80/metrics").last_error.empty());
  CHECK(world.scraper.stats().failures == 2);
}

TEST_CASE("a slot is missed while the scrape before it still runs") {
  World world;
  world.http.silent.insert("http://one:80/metrics");
  world.apply({job({"one:80"})});
  world.advance(std::chrono::seconds(30));
  CHECK(world.http.requests.size() == 1);
  CHECK(world.scraper.stats().missed_slots == 2);
}

TEST_CASE("a reload leaves what it does not change alone") {
  World world;
  world.http.on_page("http://one:80", "a 1\n");
  world.http.on_page("http://two:80", "a 2\n");
  world.apply({job({"one:80", "two:80"})});
  world.advance(std::chrono::seconds(20));
  const auto before = world.status("http://one:80/metrics");
  world.apply({job({"one:80"})});
  CHECK(world.status("http://one:80/metrics").last_scrape == before.last_scrape);
  CHECK(world.scraper.targets().size() == 1);
  CHECK(world.values("a") == Texts{R"(a{instance="one:80", job="j"} 1)"});
  CHECK(world.store.stats().series == 4);
  world.advance(std::chrono::minutes(10));
  CHECK(world.store.stats().series == 2);
}

TEST_CASE("a target that comes back finds its series") {
  World world;
  world.http.on_page("http://one:80", "a 1\n");
  world.apply({job({"one:80"})});
  world.advance(std::chrono::seconds(10));
  world.apply({job({})});
  CHECK(world.values("a").empty());
  world.advance(std::chrono::seconds(10));
  world.apply({job({"one:80"})});
  world.advance(std::chrono::minutes(10));
  CHECK(world.values("a").size() == 1);
  CHECK(world.store.stats().blocks == 1);
}

TEST_CASE(
    "the targets of a job that loses them all are remembered, for an hour or until others are "
    "seen") {
  World world;
  world.http.on_page("http://", "a 1\n");
  const auto gone = [&] {
    Texts out;
    for (const TargetStatus& status : world.scraper.targets_to_see()) {
      if (!status.is_gone) continue;
      CHECK(status.metrics->contains("a"));
      out.push_back(status.target.url);
    }
    return out;
  };
  const Texts both{"http://one:80/metrics", "http://two:80/metrics"};
  world.apply({job({"one:80", "two:80", "three:80"})});
  world.advance(std::chrono::seconds(10));
  world.apply({job({"one:80", "two:80"})});
  CHECK(gone().empty());  // A target that goes while others stay or come is a rollout.
  world.apply({job({"five:80"})});
  CHECK(gone().empty());
  world.apply({job({"one:80", "two:80"})});
  world.advance(std::chrono::seconds(10));
  world.apply({job({})});
  CHECK(world.scraper.targets().empty());
  CHECK(gone() == both);
  SUBCASE("for an hour") {
    world.advance(std::chrono::minutes(59));
    CHECK(gone() == both);
    world.advance(std::chrono::minutes(1));
    CHECK(gone().empty());
  }
  SUBCASE("an hour that passes, and not one by which the clock is set") {
    const auto step = std::chrono::hours(1);
    world.clock.set(world.clock.now() + step);
    world.scraper.note_clock_step(step);
    CHECK(gone() == both);
    world.advance(std::chrono::minutes(59));
    CHECK(gone() == both);
    world.advance(std::chrono::minutes(1));
    CHECK(gone().empty());
  }
  SUBCASE("until those that come have been scraped") {
    world.apply({job({"one:80", "four:80"})});
    CHECK(gone() == both);
    world.advance(std::chrono::seconds(10));
    CHECK(gone().empty());
  }
  SUBCASE("until the job is taken out of the configuration") {
    world.apply({});
    CHECK(gone().empty());
  }
}

TEST_CASE("a process that finds no target of a job knows that the one before it saw some") {
  World before;
  before.http.on_page("http://", "a 1\n");
  before.apply({job({"one:80"})});
  before.advance(std::chrono::seconds(10));
  const std::string name = job({}).job_name;
  CHECK(before.scraper.jobs_seen() == JobsSeen{{name, {std::nullopt, {"a"}}}});
  const auto gone = [](const World& world) {
    const auto targets = world.scraper.targets_to_see();
    return std::count_if(targets.begin(), targets.end(),
                         [](const TargetStatus& status) { return status.is_gone; });
  };
  World world;
  world.http.on_page("http://", "a 1\n");
  SUBCASE("and remembers them for an hour") {
    world.scraper.remember(before.scraper.jobs_seen());
    world.apply({job({})});
    CHECK(gone(world) == 1);
    const auto seen = world.scraper.jobs_seen();
    REQUIRE(seen.at(name).lost.has_value());
    CHECK(seen.at(name).metrics == MetricNames{"a"});
    CHECK(world.scraper.targets_to_see().at(0).metrics->contains("a"));
    world.advance(std::chrono::minutes(59));
    CHECK(gone(world) == 1);
    world.advance(std::chrono::minutes(1));
    CHECK(gone(world) == 0);
    CHECK(world.scraper.jobs_seen().empty());
  }
  SUBCASE("an hour from when they were lost, and not from its start") {
    world.scraper.remember({{name, {world.clock.now() - std::chrono::minutes(50), {}}}});
    world.apply({job({})});
    CHECK(gone(world) == 1);
    world.advance(std::chrono::minutes(10));
    CHECK(gone(world) == 0);
  }
  SUBCASE("until there are targets again") {
    world.scraper.remember(before.scraper.jobs_seen());
    world.apply({job({})});
    world.apply({job({"two:80"})});
    world.advance(std::chrono::seconds(10));
    CHECK(gone(world) == 0);
  }
  SUBCASE("but not where there are targets at once, or never were any") {
    world.scraper.remember(before.scraper.jobs_seen());
    world.apply({job({"two:80"})});
    CHECK(gone(world) == 0);
    World empty;
    empty.apply({job({})});
    CHECK(gone(empty) == 0);
    CHECK(empty.scraper.jobs_seen().empty());
  }
  SUBCASE("also where one of its sources cannot be read, until it can") {
    world.scraper.remember(before.scraper.jobs_seen());
    ScrapeConfig two = job({"two:80"});
    two.http_sd_configs = {{.url = "https://sd/", .refresh_interval = std::chrono::seconds(30)}};
    world.apply({two});
    world.advance(std::chrono::minutes(5));
    CHECK(world.status("http://two:80/metrics").health == Health::Up);
    CHECK(gone(world) == 1);
    CHECK(world.scraper.targets_to_see().back().last_error == "https://sd/: connection refused");
    world.http.on_page("https://sd/", "");
    world.advance(std::chrono::minutes(1));
    CHECK(gone(world) == 0);
  }
}

TEST_CASE("a reload keeps the targets of a source that cannot be read at that moment") {
  World world;
  world.http.on_page("http://", "a 1\n");
  world.http.on_page("https://sd/", "one:80");
  const testing::Folder folder;
  const std::string file = folder.path() + "/targets";
  REQUIRE(write_file(file, "three:80"));
  ScrapeConfig config = job({"two:80"});
  config.http_sd_configs = {{.url = "https://sd/", .refresh_interval = std::chrono::seconds(30)}};
  config.file_sd_configs = {{.files = {file}}};
  world.apply({config});
  world.advance(std::chrono::seconds(20));
  CHECK(world.scraper.targets().size() == 3);
  world.http.on("https://sd/",
                [](const net::HttpRequest&) { return net::HttpResponse{.status = 500}; });
  REQUIRE(write_file(file, "error"));
  config.scrape_interval = std::chrono::seconds(20);
  world.apply({config});
  world.advance(std::chrono::minutes(1));
  CHECK(world.scraper.targets().size() == 3);
  world.http.on_page("https://sd/", "");
  REQUIRE(write_file(file, "four:80"));
  world.advance(std::chrono::minutes(1));
  CHECK(world.scraper.targets().size() == 2);
  CHECK(world.status("http://four:80/metrics").health == Health::Up);
}

TEST_CASE("a reload that leads to a source that cannot be read takes no targets for gone") {
  World world;
  world.http.on_page("http://", "a 1\n");
  world.http.on_page("https://sd/", "one:80");
  ScrapeConfig config = job({"two:80"});
  config.http_sd_configs = {{.url = "https://sd/", .refresh_interval = std::chrono::seconds(30)}};
  world.apply({config});
  world.advance(std::chrono::seconds(20));
  config.http_sd_configs[0].url = "https://other/";
  world.apply({config});
  world.advance(std::chrono::minutes(1));
  const TargetStatus gone = world.scraper.targets_to_see().back();
  CHECK(gone.is_gone);
  CHECK(gone.target.url == "http://one:80/metrics");
  CHECK(gone.last_error == "https://other/: connection refused");
  world.http.on_page("https://other/", "three:80");
  world.advance(std::chrono::minutes(1));
  CHECK_FALSE(world.scraper.targets_to_see().back().is_gone);
  CHECK(world.scraper.targets().size() == 2);
}

TEST_CASE("a changed address takes over the series of the same labels") {
  World world;
  world.http.on_page("http://one:80", "a 1\n");
  world.apply({job({"one:80"})});
  world.advance(std::chrono::seconds(10));
  ScrapeConfig moved = job({"one:80"});
  moved.metrics_path = "/elsewhere";
  world.apply({moved});
  world.advance(std::chrono::seconds(10));
  CHECK(world.values("a").size() == 1);
  CHECK(world.store.stats().blocks == 1);
}

TEST_CASE("two targets with the same labels are one") {
  World world;
  ScrapeConfig config = job({"one:80", "two:80"});
  config.relabel_configs = {{.target_label = "instance", .replacement = "same"}};
  world.apply({config});
  CHECK(world.scraper.targets().size() == 1);
}

TEST_CASE("a reload that cannot work changes nothing") {
  World world;
  world.apply({job({"one:80"})});
  ScrapeConfig bad = job({"two:80"});
  bad.relabel_configs = {{.action = RelabelAction::HashMod}};
  CHECK_FALSE(world.scraper.apply({bad}, {}));
  CHECK_FALSE(world.scraper.apply({job({"x:1"}), job({"y:1"})}, {}));
  CHECK(world.scraper.targets().at(0).target.url == "http://one:80/metrics");
}

TEST_CASE("relabelling drops targets, which stay to be seen") {
  World world;
  ScrapeConfig config = job({"one:80", "two:80"});
  config.relabel_configs = {
      {.source_labels = {"__address__"}, .regex = "two.*", .action = RelabelAction::Drop}};
  world.apply({config});
  CHECK(world.scraper.targets().size() == 1);
  REQUIRE(world.scraper.dropped_targets().size() == 1);
  CHECK(world.scraper.dropped_targets()[0].discovered_labels.get("__address__") == "two:80");
}

TEST_CASE("too many targets fail all of the job's scrapes") {
  World world;
  world.http.on_page("http://", "a 1\n");
  ScrapeConfig config = job({"one:80", "two:80"});
  config.limits.targets = 1;
  world.apply({config});
  world.advance(std::chrono::seconds(10));
  CHECK(world.http.requests.empty());
  CHECK(world.status("http://one:80/metrics").last_error.find("target_limit") == 0);
}

TEST_CASE("the first pass is done when every target was scraped") {
  World world;
  bool done = false;
  world.scraper.on_first_pass([&] { done = true; });
  world.http.on_page("http://one:80", "a 1\n");
  world.apply({job({"one:80", "down:80"})});
  CHECK_FALSE(done);
  world.advance(std::chrono::seconds(10));
  CHECK(done);
  bool again = false;
  world.scraper.on_first_pass([&] { again = true; });
  CHECK(again);
}

TEST_CASE("federation asks for what the rules need and keeps whose samples they are") {
  World world;
  ScrapeConfig config = job({"prometheus:9090"});
  config.metrics_path = "/federate";
  world.http.on("http://prometheus:9090/federate", [&](const net::HttpRequest&) {
    return FakeWeb::page("a{instance=\"pod\",job=\"linkerd-proxy\"} 1 " +
                         std::to_string(to_millis(world.clock.now()) - 1000) + "\n");
  });
  world.apply({config}, "rate(a{x!=\"1\"}[5m]) + up");
  world.advance(std::chrono::seconds(10));
  CHECK(world.http.requests.at(0).url ==
        "http://prometheus:9090/federate?match%5B%5D=%7B__name__%3D%22a%22%2Cx%21%3D%221%22%7D&"
        "match%5B%5D=%7B__name__%3D%22up%22%7D");
  CHECK(world.values("a") == Texts{R"(a{instance="pod", job="linkerd-proxy"} 1)"});
  CHECK(world.values("up") == Texts{R"(up{instance="prometheus:9090", job="j"} 1)"});
  world.apply({config}, "b");
  world.advance(std::chrono::seconds(10));
  CHECK(world.http.requests.back().url.ends_with("b%22%7D"));
}

TEST_CASE("file_sd is watched") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tocsin-sd-" + std::to_string(::getpid())))
          .string();
  World world;
  world.http.on_page("http://", "a 1\n");
  ScrapeConfig config = job({});
  config.file_sd_configs = {{.files = {path + "*"}}};
  const auto urls = [&] {
    Texts out;
    for (const auto& status : world.scraper.targets()) out.push_back(status.target.url);
    return out;
  };
  REQUIRE(write_file(path, "one:80\n"));
  world.apply({config});
  CHECK(urls() == Texts{"http://one:80/metrics"});
  CHECK(world.scraper.targets()[0].target.labels.get("from") == "file");

  REQUIRE(write_file(path, "one:80\ntwo:80\n"));
  world.advance(std::chrono::seconds(6));
  CHECK(urls() == Texts{"http://one:80/metrics", "http://two:80/metrics"});

  REQUIRE(write_file(path, "an error\n"));
  world.advance(std::chrono::seconds(6));
  CHECK(urls().size() == 2);

  REQUIRE(write_file(path + "b", "three:80\n"));
  REQUIRE(write_file(path, "two:80\n"));
  world.advance(std::chrono::seconds(6));
  CHECK(urls() == Texts{"http://three:80/metrics", "http://two:80/metrics"});

  std::filesystem::remove(path);
  world.advance(std::chrono::seconds(6));
  CHECK(urls() == Texts{"http://three:80/metrics"});
  std::filesystem::remove(path + "b");
}

TEST_CASE("http_sd is asked again, and keeps its last answer") {
  World world;
  world.http.on_page("http://sd/targets", "one:80\n");
  ScrapeConfig config = job({});
  config.http_sd_configs = {{.url = "http://sd/targets"}};
  world.apply({config});
  CHECK(world.scraper.targets().size() == 1);
  world.http.on_page("http://sd/targets", "one:80\ntwo:80\n");
  world.advance(std::chrono::seconds(61));
  CHECK(world.scraper.targets().size() == 2);
  world.http.forget("http://sd/targets");
  world.advance(std::chrono::seconds(61));
  CHECK(world.scraper.targets().size() == 2);
}

TEST_CASE("stopping marks nothing stale") {
  World world;
  world.http.on_page("http://one:80", "a 1\n");
  world.apply({job({"one:80"})});
  world.advance(std::chrono::seconds(10));
  world.scraper.stop();
  world.advance(std::chrono::seconds(20));
  CHECK(world.values("a").size() == 1);
  CHECK(world.http.requests.size() == 1);
}

}  // namespace
}  // namespace tocsin::source
