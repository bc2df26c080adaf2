// SPDX-License-Identifier: Apache-2.0
#include "source/target_store.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/allocations.h"
#include "support/samples_of.h"

namespace tocsin::source {
namespace {

using Texts = std::vector<std::string>;

const Timestamp kStart = from_millis(1'000'000'000);

// One target that is scraped every ten seconds.
class Scraped {
 public:
  explicit Scraped(const std::string& expression) { ask(expression); }

  void ask(const std::string& expression) {
    auto next = std::make_shared<SampleRules>();
    next->filter = std::make_shared<const KeepFilter>(testing::needs_of(expression));
    next->honor_labels = honor_labels;
    rules = next;
  }

  ScrapeReport page(const std::string& body, const std::string& type = "text/plain") {
    at += Duration(10'000);
    return target.accept({at, 0.5, FetchedPage{body, type}}, rules);
  }
  ScrapeReport failure() {
    at += Duration(10'000);
    return target.accept({at, 0.5, fail(ErrorCode::Timeout, "too slow")}, rules);
  }
  Texts values(const std::string& selector) const {
    return testing::values_at(store, selector, at);
  }
  Texts samples(const std::string& selector) const {
    return testing::samples_of(store, selector, kStart, at);
  }
  std::string stamp(std::int64_t seconds_ago) const {
    return std::to_string(to_millis(at) + 10'000 - seconds_ago * 1000);
  }

  bool honor_labels = false;
  store::Store store;
  TargetStore target{store, Labels{{"instance", "i"}, {"job", "j"}}, Duration(10'000)};
  std::shared_ptr<const SampleRules> rules;
  Timestamp at = kStart;
};

TEST_CASE("a page becomes a column, and its reports stand beside it") {
  Scraped scraped("a + up + scrape_samples_scraped + scrape_duration_seconds");
  const auto report = scraped.page("a{x=\"1\"} 1\nb 2\n");
  CHECK(report.error.empty());
  CHECK(report.scraped == 2);
  CHECK(report.kept == 1);
  CHECK(report.appended == 4);
  CHECK(report.history >= std::chrono::minutes(5));
  CHECK(scraped.values("a") == Texts{R"(a{instance="i", job="j", x="1"} 1)"});
  CHECK(scraped.values("up") == Texts{R"(up{instance="i", job="j"} 1)"});
  CHECK(scraped.values("scrape_samples_scraped").at(0).ends_with("} 2"));
  CHECK(scraped.values("scrape_duration_seconds").at(0).ends_with("} 0.5"));
  CHECK(scraped.values("scrape_series_added").empty());
}

// A page of many counters and a histogram, which have grown since the last one.
std::string page_after(int scrapes) {
  std::string page = "# TYPE requests_total counter\n";
  for (int i = 0; i < 100; ++i) {
    page +=
        "requests_total{path=\"/" + std::to_string(i) + "\"} " + std::to_string(scrapes * i) + "\n";
  }
  page += "# TYPE latency histogram\n";
  for (const char* bound : {"1", "10", "+Inf"}) {
    page += "latency_bucket{le=\"" + std::string(bound) + "\"} " + std::to_string(scrapes) + "\n";
  }
  return page + "unwanted 1\n";
}

TEST_CASE("the scrapes of a target that is known allocate nothing") {
  Scraped scraped("requests_total + latency_bucket + up");
  for (int i = 0; i < 200; ++i) {
    const Attempt attempt{scraped.at += Duration(10'000), 0.5,
                          FetchedPage{page_after(i), "text/plain"}};
    const std::size_t before = testing::allocations();
    const ScrapeReport report = scraped.target.accept(attempt, scraped.rules);
    const std::size_t allocated = testing::allocations() - before;
    CHECK(report.appended == 104);
    if (i == 0) CHECK(allocated > 0);
    if (i >= 100) CHECK(allocated == 0);
    scraped.store.collect_garbage(scraped.at);
  }
}

TEST_CASE("a series whose labels are written in another order goes on") {
  for (const bool with_times : {false, true}) {
    CAPTURE(with_times);
    Scraped scraped("a");
    const auto line = [&](const std::string& labels, int value) {
      const auto at = to_millis(scraped.at) + 10'000;
      return "a{" + labels + "} " + std::to_string(value) +
             (with_times ? " " + std::to_string(at) : "") + "\n";
    };
    const std::string one = R"(x="1",y="2")";
    const std::string other = R"(y="2",x="1")";
    CHECK(scraped.page(line(one, 1)).kept == 1);
    CHECK(scraped.page(line(other, 2)).kept == 1);
    CHECK(scraped.page(line(other, 3)).kept == 1);
    CHECK(scraped.page(line(one, 4) + line(other, 5)).drops.duplicate == 1);
    CHECK(scraped.page(line(one, 6)).kept == 1);
    const Texts samples = scraped.samples("a");
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].find("stale") == std::string::npos);
    CHECK(scraped.values("a").at(0).ends_with("} 6"));
  }
}

TEST_CASE("of a series that a page has twice the first line counts, whichever came first before") {
  for (const char* before : {"a 1\n", "a{x=\"\"} 1\n", "a 1\na{x=\"\"} 7\n", "b 1\n"}) {
    CAPTURE(before);
    Scraped scraped("a");
    scraped.page(before);
    for (const int value : {2, 3}) {
      const std::string first = std::to_string(value);
      CHECK(scraped.page("a{x=\"\"} " + first + "\na 9\n").drops.duplicate == 1);
      CHECK(scraped.values("a").at(0).ends_with("} " + first));
    }
  }
}

TEST_CASE("a failed scrape marks every series stale and says that the target is down") {
  Scraped scraped("a + up");
  scraped.page("a 1\n");
  const auto report = scraped.failure();
  CHECK(report.error == "too slow");
  CHECK(scraped.values("a").empty());
  CHECK(scraped.values("up").at(0).ends_with("} 0"));
  scraped.page("a 2\n");
  CHECK(scraped.samples("a").at(0).ends_with("} 1 2"));
  CHECK(scraped.samples("up").at(0).ends_with("} 1 0 1"));
}

TEST_CASE("a line is the same series beside others as alone") {
  const Texts lines = {
      R"(h_bucket{a="1",b="x,y",le="0.5"} 1)",
      R"(h_bucket{a="1",b="x,y",le="1"} 2)",
      R"(h_bucket{a="1",b="x,y",le="+Inf"} 3)",
      R"(h_bucket{a="1",b="x,y",c="2",le="1"} 4)",
      R"(h_bucket{a="1",b="x,y",le="1",c="3"} 5)",
      R"(h_bucket{a="1",b="x,y",le="9",job="own"} 6)",
      R"(h_bucket{a="1",b="x,y",instance="own",le="8"} 7)",
      R"(h_bucket{le="1",a=",le="} 8)",
      R"(h_bucket{le="2",a=",le="} 9)",
      R"(h_bucket{le="1",a=",le=\"1"} 10)",
      R"(h_bucket{le="1"} 11)",
      R"(h_bucket{le="2"} 12)",
      R"(i_bucket{a="1",b="x,y",le="1"} 13)",
      R"(h_sum{a="1",b="x,y"} 14)",
      R"(h_bucket{a="1",b="x,y",le=""} 15)",
      R"({"h_bucket",a="1",le="3"} 16)",
      R"({"h_bucket",a="1",le="4"} 17)",
  };
  const std::string any = "{__name__=~\"[hi]_.*\"}";
  for (const bool honor : {false, true}) {
    Texts alone;
    std::string page;
    for (const std::string& line : lines) {
      Scraped one(any);
      one.honor_labels = honor;
      one.ask(any);
      REQUIRE(one.page(line + "\n").error.empty());
      for (std::string& value : one.values(any)) alone.push_back(std::move(value));
      page += line + "\n";
    }
    Scraped all(any);
    all.honor_labels = honor;
    all.ask(any);
    const auto report = all.page(page);
    CHECK(report.error.empty());
    CHECK(report.kept == lines.size());
    Texts together = all.values(any);
    std::sort(together.begin(), together.end());
    std::sort(alone.begin(), alone.end());
    CHECK(together == alone);
  }
  Scraped bad(any);
  CHECK_FALSE(bad.page(lines[0] + "\nh_bucket{a=\"1\",b=\"x,y\",le=} 1\n").error.empty());
  CHECK(bad.page(lines[0] + "\nh_bucket{a=\"1\",b=\"x,y\",le=\"1\" 1\n").error.find("line 2") == 0);
}

TEST_CASE("nothing of a broken page is kept") {
  Scraped scraped("a + up");
  for (const std::string page : {"a 1\nb{ 2\n", "<html></html>\n", "a 1\na{x=\"1\",x=\"2\"} 2\n"}) {
    CAPTURE(page);
    CHECK_FALSE(scraped.page(page).error.empty());
    CHECK(scraped.values("a").empty());
    CHECK(scraped.values("up").at(0).ends_with("} 0"));
  }
  CHECK(scraped.page("a 1\n", "text/html").error.find("Content-Type") != std::string::npos);
  CHECK(scraped.page("a 1\n", "application/openmetrics-text").error.find("EOF") !=
        std::string::npos);
  CHECK(scraped.page("a 1\n# EOF\n", "application/openmetrics-text").error.empty());
}

TEST_CASE("a series that leaves the page ends") {
  Scraped scraped("a");
  scraped.page("a{x=\"1\"} 1\na{x=\"2\"} 2\n");
  scraped.page("a{x=\"2\"} 3\n");
  CHECK(scraped.values("a") == Texts{R"(a{instance="i", job="j", x="2"} 3)"});
}

TEST_CASE("the first increment of a newborn counter counts") {
  Scraped scraped("rate(a_total[1m])");
  scraped.page("a_total{x=\"old\"} 5\n");
  scraped.page("a_total{x=\"old\"} 5\na_total{x=\"new\"} 1\n");
  CHECK(scraped.samples(R"(a_total{x="new"})").at(0).ends_with("} 0 1"));
}

TEST_CASE("a counter was not born when nobody looked") {
  const std::string both = "a_total{x=\"old\"} 5\na_total{x=\"new\"} 7\n";
  Scraped scraped("rate(a_total[1m])");
  SUBCASE("because the target was not scraped before") { scraped.page(both); }
  SUBCASE("because the scrape before failed") {
    scraped.page("a_total{x=\"old\"} 5\n");
    scraped.failure();
    scraped.page(both);
  }
  SUBCASE("because the process restarted") {
    scraped.page("a_total{x=\"old\"} 5\nprocess_start_time_seconds 1\n");
    scraped.page(both + "process_start_time_seconds 2\n");
  }
  SUBCASE("because no rule asked for it before") {
    scraped.ask("rate(a_total{x=\"old\"}[1m])");
    scraped.page(both);
    scraped.ask("rate(a_total[1m])");
    scraped.page(both);
  }
  CHECK(scraped.samples(R"(a_total{x="new"})").at(0).ends_with("} 7"));
  CHECK_FALSE(scraped.samples(R"(a_total{x="new"})").at(0).ends_with(" 0 7"));
}

TEST_CASE("a reload keeps the samples of what is still asked for") {
  Scraped scraped("a + b");
  scraped.page("a 1\nb 1\n");
  scraped.ask("a");
  scraped.page("a 2\nb 2\n");
  CHECK(scraped.samples("a").at(0).ends_with("} 1 2"));
  CHECK(scraped.values("b").empty());
}

TEST_CASE("history is as long as the longest look back") {
  Scraped scraped("a");
  scraped.page("a 1\nb 1\n");
  const Duration before = scraped.target.history();
  CHECK(before >= std::chrono::minutes(5));
  CHECK(before < std::chrono::minutes(7));
  scraped.ask("rate(b[1h])");
  scraped.page("a 1\nb 1\n");
  CHECK(scraped.target.history() >= std::chrono::minutes(60));
}

TEST_CASE("samples keep the timestamps that they bring") {
  Scraped scraped("a + up");
  scraped.honor_labels = true;
  scraped.ask("a + up");
  const std::string stamp = scraped.stamp(3);
  const auto report = scraped.page("a{instance=\"x\",job=\"y\"} 1 " + stamp + "\n");
  CHECK(report.appended == 2);
  const auto lock = scraped.store.lock_for_read();
  const auto ids = scraped.store.select(testing::matchers_of("a"));
  REQUIRE(ids.size() == 1);
  CHECK(scraped.store.labels(ids[0]).text() == R"(a{instance="x", job="y"})");
  std::vector<Sample> samples;
  scraped.store.read(ids[0], kStart, scraped.at, samples);
  REQUIRE(samples.size() == 1);
  CHECK(std::to_string(to_millis(samples[0].at)) == stamp);
}

TEST_CASE("series with timestamps of their own end when the page leaves them out") {
  Scraped scraped("a");
  scraped.honor_labels = true;
  scraped.ask("a");
  const auto line = [&](const std::string& instance) {
    return "a{instance=\"" + instance + "\"} 1 " + scraped.stamp(2) + "\n";
  };
  scraped.page(line("x") + line("y"));
  CHECK(scraped.values("a").size() == 2);
  scraped.page(line("y"));
  CHECK(scraped.values("a") == Texts{R"(a{instance="y", job="j"} 1)"});
  SUBCASE("and when the page cannot be had") {
    scraped.failure();
    CHECK(scraped.values("a").empty());
    scraped.page(line("x") + line("y"));
    CHECK(scraped.values("a").size() == 2);
  }
  SUBCASE("and when the target goes") {
    scraped.at += Duration(10'000);
    scraped.target.end(scraped.at);
    CHECK(scraped.values("a").empty());
  }
}

TEST_CASE("a sample that was seen before is not an error") {
  Scraped scraped("a");
  const std::string page = "a 1 " + scraped.stamp(0) + "\n";
  CHECK(scraped.page(page).drops.out_of_order == 0);
  CHECK(scraped.page(page).drops.out_of_order == 0);
  CHECK(scraped.samples("a").at(0).ends_with("} 1"));
}

TEST_CASE("a target that ends is stale, and forgotten when it is removed") {
  Scraped scraped("a + up");
  scraped.page("a 1\n");
  scraped.at += Duration(10'000);
  scraped.target.end(scraped.at);
  CHECK(scraped.values("a").empty());
  CHECK(scraped.values("up").empty());
  CHECK(scraped.store.stats().series == 2);
  scraped.target.remove();
  CHECK(scraped.store.stats().series == 0);
  CHECK(scraped.store.stats().blocks == 0);
  scraped.page("a 3\n");
  CHECK(scraped.values("a").size() == 1);
}

TEST_CASE("ids that the store gave away are never written to") {
  Scraped scraped("a + up");
  scraped.page("a{x=\"1\"} 1\n");
  for (int i = 0; i < 60; ++i) {
    scraped.failure();
    scraped.store.collect_garbage(scraped.at);
  }
  CHECK(scraped.store.stats().series == 1);
  const auto other = scraped.store.add_block({});
  scraped.store.add_series(other, {{"__name__", "other"}}, false);
  scraped.page("a{x=\"1\"} 2\n");
  CHECK(scraped.values("a") == Texts{R"(a{instance="i", job="j", x="1"} 2)"});
  CHECK(scraped.values("other").empty());
}

TEST_CASE("blocks of federated instances go when the instances have gone") {
  Scraped scraped("a");
  scraped.honor_labels = true;
  scraped.ask("a");
  for (int i = 0; i < 200; ++i) {
    scraped.page("a{instance=\"" + std::to_string(i) + "\"} 1 " + scraped.stamp(0) + "\n");
    scraped.store.collect_garbage(scraped.at);
  }
  CHECK(scraped.store.stats().blocks < 60);
}

}  // namespace
}  // namespace tocsin::source
