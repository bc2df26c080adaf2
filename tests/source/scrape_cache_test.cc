// SPDX-License-Identifier: Apache-2.0
#include "source/scrape_cache.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/samples_of.h"

namespace tocsin::source {
namespace {

using exposition::Dialect;
using exposition::MetricType;

const Labels kTarget{{"instance", "i"}, {"job", "j"}};
const Timestamp kStart = from_millis(1'000'000'000);

std::shared_ptr<SampleRules> rules_for(const std::string& expression) {
  auto rules = std::make_shared<SampleRules>();
  rules->filter = std::make_shared<const KeepFilter>(testing::needs_of(expression));
  return rules;
}

// A cache whose births become series 100, 101, … at once.
class Reader {
 public:
  explicit Reader(std::shared_ptr<const SampleRules> rules) { cache.use(std::move(rules)); }

  Result<void> read(const std::string& page) {
    at += Duration(10'000);
    auto result = cache.digest(page, Dialect::Prometheus, at, digest);
    if (!result) {
      cache.sweep(at);
      return result;
    }
    for (const Digest::Birth& birth : digest.births) {
      const auto [it, is_new] = ids.try_emplace(birth.labels.text(), 100 + ids.size());
      cache.settle(birth.entry, static_cast<store::SeriesId>(it->second));
    }
    for (const auto& reading : digest.readings)
      cache.entry(reading.entry).written_ms = to_millis(at);
    cache.sweep(at);
    return result;
  }

  // "series=value" of every reading whose entry has a series.
  std::string readings() {
    std::string out;
    for (const auto& reading : digest.readings) {
      const auto& entry = cache.entry(reading.entry);
      if (entry.state != ScrapeCache::Entry::State::Live) continue;
      out += std::to_string(entry.series) + "=" + format_value(reading.value) + " ";
    }
    return out;
  }

  ScrapeCache cache{kTarget, std::chrono::minutes(4)};
  Digest digest;
  Timestamp at = kStart;
  std::map<std::string, std::size_t> ids;
};

TEST_CASE("a page that looks like the last one decodes nothing") {
  Reader reader(rules_for("a + b"));
  REQUIRE(reader.read("a{x=\"1\"} 1\na{x=\"2\"} 2\nnoise 7\nb 3\n"));
  CHECK(reader.digest.births.size() == 3);
  CHECK(reader.readings() == "100=1 101=2 102=3 ");
  REQUIRE(reader.read("a{x=\"1\"} 4\na{x=\"2\"} 5\nnoise 8\nb 6\n"));
  CHECK(reader.digest.births.empty());
  CHECK(reader.readings() == "100=4 101=5 102=6 ");
  CHECK(reader.digest.scraped == 4);
  CHECK(reader.digest.passed == 4);
}

TEST_CASE("lines that nobody asks for may come and go between those that are asked for") {
  Reader reader(rules_for("a"));
  const std::string first = "a{x=\"1\"} 1\n";
  const std::string second = "a{x=\"2\"} 2\n";
  const std::string noise = "noise{y=\"1\"} 1\n";
  const std::string other = "noise{y=\"2\"} 1\n";
  for (const std::string& page :
       {first + noise + second, first + noise + other + second, first + other + second,
        first + second, other + noise + first + noise + second, second + noise + other + first,
        first + noise + second + other, first + noise + second + other}) {
    CAPTURE(page);
    REQUIRE(reader.read(page));
    CHECK(reader.digest.scraped ==
          static_cast<std::size_t>(std::count(page.begin(), page.end(), '\n')));
    CHECK(reader.digest.passed == reader.digest.scraped);
    CHECK(reader.digest.readings.size() == 2);
  }
  CHECK(reader.cache.size() == 2);
}

TEST_CASE("lines may come, go and change places") {
  Reader reader(rules_for("a"));
  REQUIRE(reader.read("a{x=\"1\"} 1\na{x=\"2\"} 2\na{x=\"3\"} 3\n"));
  REQUIRE(reader.read("a{x=\"3\"} 3\na{x=\"1\"} 1\na{x=\"4\"} 4\n"));
  CHECK(reader.readings() == "102=3 100=1 103=4 ");
  REQUIRE(reader.read("a{x=\"2\"} 2\na{x=\"3\"} 3\n"));
  CHECK(reader.readings() == "101=2 102=3 ");
}

TEST_CASE("what is not asked for is not remembered, except for its name") {
  Reader reader(rules_for("a{x=\"1\"}"));
  REQUIRE(reader.read("a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\nc 4\n"));
  CHECK(reader.cache.size() == 2);
  CHECK(reader.readings() == "100=1 ");
}

TEST_CASE("the same series twice is counted and the first line stays") {
  Reader reader(rules_for("a"));
  REQUIRE(reader.read("a{x=\"1\",y=\"2\"} 1\na{x=\"1\",y=\"2\"} 2\na{y=\"2\",x=\"1\"} 3\n"));
  CHECK(reader.readings() == "100=1 ");
  CHECK(reader.digest.drops.duplicate == 1);
  // The other words are looked at anew on every page: the first line may be gone. TargetStore
  // counts.
  REQUIRE(reader.read("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 3\n"));
  CHECK(reader.readings() == "100=1 ");
  CHECK(reader.digest.births.size() == 1);
}

TEST_CASE("a bad line leaves no trace of its page") {
  Reader reader(rules_for("a"));
  CHECK(reader.read("a{x=\"1\"} 1\na{x=} 2\n").error().code == ErrorCode::Parse);
  CHECK(reader.cache.size() == 0);
  REQUIRE(reader.read("a{x=\"1\"} 1\n"));
  CHECK(reader.readings() == "100=1 ");
  CHECK(reader.read("a{x=\"1\"} 1\nnonsense\n").error().code == ErrorCode::Parse);
  REQUIRE(reader.read("a{x=\"1\"} 2\n"));
  CHECK(reader.readings() == "100=2 ");
}

std::string page_of(std::size_t from, std::size_t to) {
  std::string page;
  for (std::size_t i = from; i < to; ++i) page += "a{x=\"" + std::to_string(i) + "\"} 1\n";
  return page;
}

TEST_CASE("a target cannot have series without end, on one page or over time") {
  auto rules = rules_for("a");
  CHECK(rules->most_series == 2'000'000);
  rules->most_series = 100;
  rules->most_lines = 1000;
  SUBCASE("on one page") {
    Reader reader(rules);
    const auto refused = reader.read(page_of(0, 101));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("more than 100 series of metrics that rules read") == 0);
    CHECK(refused.error().message.find("sample_limit") != std::string::npos);
    CHECK(reader.cache.size() == 0);
    CHECK(reader.read(page_of(0, 100)).has_value());  // The next one is another page.
  }
  SUBCASE("unless it is said to have them") {
    rules->limits.samples = 101;
    CHECK(Reader(rules).read(page_of(0, 101)).has_value());
  }
  SUBCASE("over time") {
    Reader reader(rules);
    CHECK(reader.read(page_of(0, 50)).has_value());
    CHECK(reader.read(page_of(50, 100)).has_value());
    CHECK_FALSE(reader.read(page_of(100, 150)).has_value());
    CHECK(reader.read(page_of(50, 100)).has_value());  // What is known, it may have.
    for (int page = 0; page < 50; ++page) (void)reader.read("");
    CHECK(reader.read(page_of(100, 150)).has_value());  // Those have been forgotten.
  }
  SUBCASE("nor lines that nobody asks for") {
    Reader reader(rules);
    std::string page;
    for (int i = 0; i < 1000; ++i) page += "b 1\n";
    CHECK(reader.read(page).has_value());
    const auto refused = reader.read(page + "b 1\n");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message.find("more than 1000 lines") == 0);
  }
}

TEST_CASE("limits fail the whole page") {
  const std::string page = "a{x=\"1\"} 1\na{x=\"2\"} 2\nb{name=\"value\"} 3\n";
  const auto limited = [&](const ScrapeLimits& limits) {
    auto rules = rules_for("a");
    rules->limits = limits;
    Reader reader(rules);
    const auto result = reader.read(page);
    return result ? std::string("fine") : result.error().message;
  };
  CHECK(limited({}) == "fine");
  CHECK(limited({.samples = 3}) == "fine");
  CHECK(limited({.samples = 2}).find("sample_limit") == 0);
  CHECK(limited({.labels = 4, .label_name_length = 8, .label_value_length = 5}) == "fine");
  CHECK(limited({.labels = 3}).find("label_limit") == 0);
  CHECK(limited({.label_value_length = 4}).find("label_value_length_limit") == 0);
}

TEST_CASE("metric_relabel_configs drop and rename") {
  auto rules = rules_for("renamed");
  rules->relabel =
      *Relabeler::compile({{.source_labels = {"x"}, .regex = "2", .action = RelabelAction::Drop},
                           {.source_labels = {"__name__"},
                            .regex = "a",
                            .target_label = "__name__",
                            .replacement = "renamed"}});
  Reader reader(rules);
  REQUIRE(reader.read("a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n"));
  CHECK(reader.readings() == "100=1 ");
  CHECK(reader.ids.begin()->first == R"(renamed{instance="i", job="j", x="1"})");
  CHECK(reader.digest.scraped == 3);
  CHECK(reader.digest.passed == 2);
}

TEST_CASE("a page without a metric's name fails after relabelling") {
  auto rules = rules_for("a");
  rules->relabel = *Relabeler::compile({{.target_label = "__name__", .replacement = ""}});
  Reader reader(rules);
  CHECK(reader.read("a 1\n").error().code == ErrorCode::Parse);
}

TEST_CASE("timestamps are honoured or not, and never far ahead") {
  const std::string now = std::to_string(to_millis(kStart) + 10'000);
  const std::string later = std::to_string(to_millis(kStart) + 10'000 + 700'000);
  const std::string page = "a{x=\"1\"} 1 " + now + "\na{x=\"2\"} 2\na{x=\"3\"} 3 " + later + "\n";
  Reader honest(rules_for("a"));
  REQUIRE(honest.read(page));
  CHECK(honest.digest.timed.size() == 1);
  CHECK(honest.digest.readings.size() == 1);
  CHECK(honest.digest.drops.too_far_ahead == 1);
  auto rules = rules_for("a");
  rules->honor_timestamps = false;
  Reader strict(rules);
  REQUIRE(strict.read(page));
  CHECK(strict.digest.timed.empty());
  CHECK(strict.digest.readings.size() == 3);
}

TEST_CASE("a series id is asked for anew when the store may have given it away") {
  Reader reader(rules_for("a"));
  REQUIRE(reader.read("a 1\n"));
  reader.at += std::chrono::minutes(5);
  REQUIRE(reader.read("a 2\n"));
  CHECK(reader.digest.births.size() == 1);
  REQUIRE(reader.read("a 3\n"));
  CHECK(reader.digest.births.empty());
}

TEST_CASE("lines that are gone are forgotten") {
  Reader reader(rules_for("a{x!=\"no\"}"));
  for (int i = 0; i < 200; ++i) {
    const std::string x = std::to_string(i);
    REQUIRE(reader.read("a{x=\"" + x + "\"} 1\na{x=\"no\",y=\"" + x + "\"} 1\n"));
  }
  CHECK(reader.cache.size() < 100);
}

TEST_CASE("counters are known by their type, and else by their name") {
  CHECK(is_counter(MetricType::Counter, "x"));
  CHECK(is_counter(MetricType::Histogram, "x_bucket"));
  CHECK(is_counter(MetricType::Unknown, "response_total"));
  CHECK(is_counter(MetricType::Summary, "x_sum"));
  CHECK_FALSE(is_counter(MetricType::Summary, "x"));
  CHECK_FALSE(is_counter(MetricType::Gauge, "x_total"));
  CHECK_FALSE(is_counter(MetricType::Unknown, "up"));
}

}  // namespace
}  // namespace tocsin::source
