// SPDX-License-Identifier: Apache-2.0
#include "notify/inhibitor.h"

#include <doctest/doctest.h>

#include "notify/matcher_text.h"

namespace tocsin::notify {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow = from_millis(1'795'369'320'000);

InhibitRule rule(const char* source, const char* target, std::vector<std::string> equal = {}) {
  return {*parse_matchers(source), *parse_matchers(target), std::move(equal)};
}

Inhibitor with(std::vector<InhibitRule> rules) {
  Inhibitor out;
  out.use(std::move(rules));
  return out;
}

const Labels kCritical{{"alertname", "Down"}, {"severity", "critical"}, {"namespace", "shop"}};
const Labels kWarning{{"alertname", "Slow"}, {"severity", "warning"}, {"namespace", "shop"}};
const Labels kElsewhere{{"alertname", "Slow"}, {"severity", "warning"}, {"namespace", "blog"}};

TEST_CASE("a source that fires inhibits the targets with equal labels, and no others") {
  Inhibitor inhibitor =
      with({rule("severity=critical", "severity=warning", {"namespace", "cluster"})});
  CHECK_FALSE(inhibitor.source_for(kWarning, kNow).has_value());
  inhibitor.note_firing(kCritical, kNow + 4min, kNow);
  CHECK(inhibitor.source_for(kWarning, kNow) == kCritical);
  CHECK_FALSE(inhibitor.source_for(kElsewhere, kNow).has_value());
  CHECK_FALSE(inhibitor.source_for(kCritical, kNow).has_value());
}

TEST_CASE("a source inhibits until it is resolved, or until nobody has confirmed it") {
  Inhibitor inhibitor = with({rule("severity=critical", "severity=warning", {"namespace"})});
  inhibitor.note_firing(kCritical, kNow + 4min, kNow);
  CHECK(inhibitor.source_for(kWarning, kNow + 4min).has_value());
  CHECK_FALSE(inhibitor.source_for(kWarning, kNow + 5min).has_value());
  inhibitor.note_firing(kCritical, kNow + 9min, kNow + 5min);
  CHECK(inhibitor.source_for(kWarning, kNow + 5min).has_value());
  inhibitor.note_resolved(kCritical);
  CHECK_FALSE(inhibitor.source_for(kWarning, kNow + 5min).has_value());
  CHECK(inhibitor.firing_count() == 0);
}

TEST_CASE("a label that is absent is an empty one") {
  Inhibitor inhibitor = with({rule("severity=critical", "severity=warning", {"cluster"})});
  inhibitor.note_firing(kCritical, kNow + 4min, kNow);
  CHECK(inhibitor.source_for(kWarning, kNow).has_value());
  CHECK_FALSE(inhibitor.source_for(kWarning.with("cluster", "eu"), kNow).has_value());
}

TEST_CASE("what matches both sides inhibits what matches one, and nothing that matches both") {
  Inhibitor inhibitor =
      with({rule("severity=~\"critical|warning\"", "severity=~\"warning|info\"")});
  const Labels info{{"alertname", "Note"}, {"severity", "info"}};
  inhibitor.note_firing(kWarning, kNow + 4min, kNow);
  CHECK_FALSE(inhibitor.source_for(kWarning, kNow).has_value());
  CHECK_FALSE(inhibitor.source_for(kElsewhere, kNow).has_value());
  CHECK(inhibitor.source_for(info, kNow) == kWarning);
  inhibitor.note_firing(kCritical, kNow + 4min, kNow);
  CHECK(inhibitor.source_for(kWarning, kNow) == kCritical);
}

TEST_CASE("alerts that are known inhibit under new rules, too") {
  Inhibitor inhibitor;
  inhibitor.note_firing(kCritical, kNow + 4min, kNow);
  CHECK_FALSE(inhibitor.source_for(kWarning, kNow).has_value());
  inhibitor.use({rule("alertname=Down", "alertname=Slow", {"namespace"})});
  CHECK(inhibitor.source_for(kWarning, kNow) == kCritical);
  inhibitor.use({});
  CHECK_FALSE(inhibitor.source_for(kWarning, kNow).has_value());
}

TEST_CASE("ten thousand alerts under twenty rules are asked about without looking at each other") {
  std::vector<InhibitRule> rules;
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    rules.push_back(rule(("kind=\"source\",rule=\"" + number + "\"").c_str(),
                         ("kind=target,rule=" + number).c_str(), {"pod"}));
  }
  Inhibitor inhibitor = with(std::move(rules));
  const auto alert = [](const char* kind, int i) {
    return Labels{{"kind", kind}, {"pod", std::to_string(i)}, {"rule", std::to_string(i % 20)}};
  };
  for (int i = 0; i < 10'000; ++i) inhibitor.note_firing(alert("source", i), kNow + 4min, kNow);
  int inhibited = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (inhibitor.source_for(alert("target", i), kNow)) ++inhibited;
  }
  CHECK(inhibited == 10'000);
}

TEST_CASE("alerts that ended without a word are forgotten in time") {
  Inhibitor inhibitor;
  for (int i = 0; i < 10'000; ++i) {
    const Timestamp at = kNow + i * 1min;
    inhibitor.note_firing(Labels{{"pod", std::to_string(i)}}, at + 4min, at);
  }
  CHECK(inhibitor.firing_count() < 4000);
}

TEST_CASE("matchers are read as alertmanager.yml and amtool write them") {
  struct Case {
    const char* text;
    const char* read;
  };
  for (const Case& c : {Case{"a=b", R"(a="b")"},
                        {R"(a="b")", R"(a="b")"},
                        {R"( {a = "b", c!=d} )", R"(a="b" c!="d")"},
                        {R"(a=~"x|y,z",b!~c.*)", R"(a=~"x|y,z" b!~"c.*")"},
                        {R"(a="quo\"te")", R"(a="quo\"te")"},
                        {R"(a=~"\d+")", R"(a=~"\\d+")"},
                        {"a=", R"(a="")"},
                        {R"(a="")", R"(a="")"}}) {
    CAPTURE(c.text);
    const auto matchers = parse_matchers(c.text);
    REQUIRE(matchers.has_value());
    std::string read;
    for (const Matcher& m : *matchers) read += (read.empty() ? "" : " ") + m.text();
    CHECK(read == c.read);
  }
  for (const char* bad : {"", "{}", "a", "=b", "a=\"b", "a=b\"", "{a=b", "a~b", "a=~(", "1a=b",
                          "a=b,,c=d", "a!b", "a=\"b\"c\""}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_matchers(bad).has_value());
  }
}

}  // namespace
}  // namespace tocsin::notify
