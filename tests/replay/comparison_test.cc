// SPDX-License-Identifier: Apache-2.0
#include "replay/comparison.h"

#include <doctest/doctest.h>

#include "replay/outcomes.h"

namespace tocsin::replay {
namespace {

TEST_CASE("the same past under the same rules is the same") {
  const Comparison same = compare(an_hour(), an_hour());
  CHECK(same.gained.empty());
  CHECK(same.lost.empty());
  CHECK(same.moved.empty());
  CHECK(verdict(same) == "over 1h: the same 4 alerts");
}

TEST_CASE("an alert that only the new rules give is gained, one that only the old give is lost") {
  Outcome after = an_hour();
  after.episodes.erase(after.episodes.begin() + 1);
  after.episodes.push_back(alert_of(2, after.rules[2], "db", 40, 45));
  after.pages.emplace_back();
  const Comparison c = compare(an_hour(), after);
  REQUIRE(c.gained.size() == 1);
  CHECK(c.gained[0].rule == "Full");
  CHECK_FALSE(c.gained[0].before);
  REQUIRE(c.lost.size() == 1);
  CHECK(c.lost[0].before->fired_at == minute(20));
  CHECK_FALSE(c.lost[0].after);
  CHECK(verdict(c) == "over 1h: 1 alert gained, 1 lost, 0 moved; 7 -> 8 notifications");
}

TEST_CASE("an alert has moved when it begins or ends two minutes from where it did") {
  Outcome after = an_hour();
  after.episodes[0].fired_at += std::chrono::seconds(119);
  CHECK(compare(an_hour(), after).moved.empty());
  after.episodes[0].fired_at += std::chrono::seconds(1);
  CHECK(compare(an_hour(), after).moved.size() == 1);
}

TEST_CASE("alerts are the same where their rule's index is another") {
  Outcome after = an_hour();
  std::swap(after.rules[0], after.rules[2]);
  for (Episode& episode : after.episodes) {
    if (episode.rule == 0) episode.rule = 2;
  }
  CHECK(verdict(compare(an_hour(), after)) == "over 1h: the same 4 alerts");
}

TEST_CASE("a rule that says another severity gives the same alerts") {
  Outcome after = an_hour();
  after.rules[0] = alerting("Failing", "warning");
  for (Episode& episode : after.episodes) {
    if (episode.rule == 0) episode.labels = episode.labels.without("severity");
  }
  CHECK(compare(an_hour(), after).gained.empty());
}

TEST_CASE("the table for a pull request escapes what Markdown reads, and folds when it is long") {
  Outcome after = an_hour();
  after.episodes.push_back(alert_of(2, after.rules[2], "a|b<c", 40, 45));
  const std::string one = comparison_markdown(compare(an_hour(), after));
  CHECK(
      one.find("| gained | Full | {deployment=\"a&#124;b&lt;c\"} |  | 2025-11-26T12:40:00Z for 5m "
               "|") != std::string::npos);
  CHECK(one.find("<details>") == std::string::npos);
  for (int i = 0; i < 12; ++i) {
    after.episodes.push_back(alert_of(2, after.rules[2], "d" + std::to_string(i), 40, 45));
  }
  CHECK(comparison_markdown(compare(an_hour(), after)).find("<summary>13 alerts</summary>") !=
        std::string::npos);
}

TEST_CASE("the table for a terminal marks what is gained, lost and moved") {
  Outcome after = an_hour();
  after.episodes[0].ended_at = minute(15);
  CHECK(comparison_text(compare(an_hour(), after)) ==
        "over 1h: 0 alerts gained, 0 lost, 1 moved; 7 -> 7 notifications\n"
        "~  Failing  {deployment=\"web\"}  2025-11-26T12:05:00Z for 5m  ->  "
        "2025-11-26T12:05:00Z for 10m\n");
}

}  // namespace
}  // namespace tocsin::replay
