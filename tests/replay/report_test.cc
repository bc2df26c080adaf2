// SPDX-License-Identifier: Apache-2.0
#include "replay/report.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "base/file.h"
#include "replay/outcomes.h"
#include "replay/timeline.h"

namespace tocsin::replay {
namespace {

using std::chrono::minutes;

// Whether `text` is what the file holds; TOCSIN_UPDATE_GOLDEN=1 writes it there.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(TOCSIN_SOURCE_DIR) + "/tests/replay/testdata/" + name;
  if (std::getenv("TOCSIN_UPDATE_GOLDEN")) REQUIRE(write_file(path, text));
  const auto golden = read_file(path);
  REQUIRE(golden);
  CHECK(text == *golden);
}

TEST_CASE("a rule's totals are those of its alerts") {
  const std::vector<Totals> totals = totals_of(an_hour());
  REQUIRE(totals.size() == 3);
  CHECK(totals[0].alerts == 3);
  CHECK(totals[0].pages == 3);
  CHECK(totals[0].shortest == minutes(2));
  CHECK(totals[0].median == minutes(5));
  CHECK(totals[0].longest == minutes(30));
  CHECK(totals[2].alerts == 0);
}

TEST_CASE("an alert that fires again within a quarter of an hour flaps") {
  Outcome outcome = an_hour();
  CHECK(totals_of(outcome)[0].flaps == 1);
  outcome.episodes[1].fired_at = minute(25);
  CHECK(totals_of(outcome)[0].flaps == 0);
}

TEST_CASE("rules overlap where they fire about the same at the same time") {
  Outcome outcome = an_hour();
  CHECK(totals_of(outcome)[0].overlaps == std::map<std::size_t, std::size_t>{{1, 1}});
  CHECK(totals_of(outcome)[1].overlaps == std::map<std::size_t, std::size_t>{{0, 1}});
  outcome.episodes[2].labels = Labels{{"alertname", "Slow"}, {"deployment", "other"}};
  CHECK(totals_of(outcome)[0].overlaps.empty());
}

TEST_CASE("an alert that goes on is as long as the replay is") {
  const Outcome outcome = an_hour();
  CHECK(length_of(outcome.episodes[3], outcome) == minutes(30));
}

TEST_CASE("what an alert is about are the labels that its rule does not say") {
  const Outcome outcome = an_hour();
  CHECK(subject_of(outcome.episodes[0], outcome) == R"({deployment="web"})");
}

TEST_CASE("a message tells of the alert's life that it falls into") {
  const Outcome outcome = an_hour();
  const auto tellings = tellings_of(outcome);
  REQUIRE(tellings.size() == 4);
  for (const int i : {0, 1}) {  // The same labels, twice.
    const auto& life = tellings[static_cast<std::size_t>(i)];
    REQUIRE(life.size() == 2);
    CHECK(life[0].at == outcome.episodes[static_cast<std::size_t>(i)].fired_at);
    CHECK_FALSE(life[0].resolved);
    CHECK(life[1].at == outcome.episodes[static_cast<std::size_t>(i)].ended_at);
    CHECK(life[1].resolved);
  }
  CHECK(tellings[3].size() == 1);
}

TEST_CASE("the report has a row for each alert and for each rule that gave one") {
  Outcome outcome = an_hour();
  outcome.rules[2].failures = 2;
  outcome.rules[2].failure = "many-to-many matching not allowed";
  check_golden("report.txt", report_text(outcome));
  check_golden("report.json", report_json(outcome));
}

TEST_CASE("a replay without an alert says so") {
  Outcome outcome = an_hour();
  outcome.episodes.clear();
  outcome.pages.clear();
  outcome.rules[1].pending_only = 0;
  CHECK(report_text(outcome) ==
        "from 2025-11-26T12:00:00Z to 2025-11-26T13:00:00Z (1h)\n\n"
        "0 alerts, 0 notifications; 3 of 3 rules kept quiet\n");
}

TEST_CASE("the timeline has a bar for each alert, and one for the time before it fired") {
  const std::string html = timeline_html(an_hour());
  check_golden("timeline.html", html);
  CHECK(html.find("web &lt;is&gt; bad") != std::string::npos);
  CHECK(html.find(">Full<") == std::string::npos);
}

}  // namespace
}  // namespace tocsin::replay
