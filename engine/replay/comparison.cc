// SPDX-License-Identifier: Apache-2.0
#include "replay/comparison.h"

#include <algorithm>

#include "base/counted.h"
#include "base/replaced.h"
#include "replay/report.h"
#include "tocsin/duration.h"

namespace tocsin::replay {
namespace {

// Less than this may be the slots of another group.
constexpr Duration kMoved = std::chrono::minutes(2);
// More rows than this are folded in a comment.
constexpr std::size_t kFold = 10;

std::string key_of(const Episode& episode, const Outcome& outcome) {
  return outcome.rules[episode.rule].rule.name + subject_of(episode, outcome);
}

Timestamp end_of(const Episode& episode, Timestamp to) { return episode.ended_at.value_or(to); }

bool meet(const Episode& a, const Episode& b, Timestamp to) {
  return a.fired_at <= end_of(b, to) && b.fired_at <= end_of(a, to);
}

bool has_moved(const Episode& a, const Episode& b, Timestamp to) {
  const auto far = [](Timestamp x, Timestamp y) { return std::chrono::abs(x - y) >= kMoved; };
  return far(a.fired_at, b.fired_at) || far(end_of(a, to), end_of(b, to));
}

AlertChange change_of(const Episode& episode, const Outcome& outcome) {
  return {outcome.rules[episode.rule].rule.name, subject_of(episode, outcome), {}, {}};
}

std::string length(const Episode& episode, Timestamp to) {
  return length_text(end_of(episode, to) - episode.fired_at) + (episode.ended_at ? "" : " and on");
}

std::string span(const std::optional<Episode>& episode, Timestamp to) {
  return episode ? moment_text(episode->fired_at) + " for " + length(*episode, to) : "";
}

struct Section {
  std::string_view mark;
  std::string_view word;
  const std::vector<AlertChange>& changes;
};

std::vector<Section> sections_of(const Comparison& c) {
  return {{"+", "gained", c.gained}, {"-", "lost", c.lost}, {"~", "moved", c.moved}};
}

std::string for_cell(const std::string& text) { return markdown_cell(text, " "); }

}  // namespace

Comparison compare(const Outcome& before, const Outcome& after) {
  Comparison out{after.from,
                 after.to,
                 before.episodes.size(),
                 after.episodes.size(),
                 before.pages.size(),
                 after.pages.size(),
                 {},
                 {},
                 {}};
  std::multimap<std::string, const Episode*> old;
  for (const Episode& episode : before.episodes) old.emplace(key_of(episode, before), &episode);
  for (const Episode& episode : after.episodes) {
    AlertChange change = change_of(episode, after);
    change.after = episode;
    const auto [first, last] = old.equal_range(key_of(episode, after));
    const auto same = std::find_if(
        first, last, [&](const auto& entry) { return meet(*entry.second, episode, out.to); });
    if (same == last) {
      out.gained.push_back(std::move(change));
      continue;
    }
    change.before = *same->second;
    if (has_moved(*change.before, episode, out.to)) out.moved.push_back(std::move(change));
    old.erase(same);
  }
  for (const auto& [key, episode] : old) {
    out.lost.push_back(change_of(*episode, before));
    out.lost.back().before = *episode;
  }
  std::sort(out.lost.begin(), out.lost.end(), [](const AlertChange& a, const AlertChange& b) {
    return a.before->fired_at < b.before->fired_at;
  });
  return out;
}

std::string verdict(const Comparison& c) {
  const std::string over = "over " + length_text(c.to - c.from) + ": ";
  const std::string pages =
      "; " + std::to_string(c.pages_before) + " -> " + counted(c.pages_after, "notification");
  if (c.gained.empty() && c.lost.empty() && c.moved.empty()) {
    return over + "the same " + counted(c.alerts_after, "alert") +
           (c.pages_before == c.pages_after ? "" : pages);
  }
  return over + counted(c.gained.size(), "alert") + " gained, " + std::to_string(c.lost.size()) +
         " lost, " + std::to_string(c.moved.size()) + " moved" + pages;
}

std::string comparison_text(const Comparison& c) {
  std::vector<std::vector<std::string>> rows;
  for (const Section& section : sections_of(c)) {
    for (const AlertChange& change : section.changes) {
      rows.push_back({std::string(section.mark), change.rule, change.subject,
                      span(change.before, c.to), change.before && change.after ? "->" : "",
                      span(change.after, c.to)});
    }
  }
  return verdict(c) + "\n" + text_table(rows);
}

std::string comparison_markdown(const Comparison& c) {
  std::string out = "**" + verdict(c) + "**\n";
  std::string table;
  std::size_t rows = 0;
  for (const Section& section : sections_of(c)) {
    for (const AlertChange& change : section.changes) {
      table += "| " + std::string(section.word) + " | " + for_cell(change.rule) + " | " +
               for_cell(change.subject) + " | " + span(change.before, c.to) + " | " +
               span(change.after, c.to) + " |\n";
      ++rows;
    }
  }
  if (rows == 0) return out;
  table = "\n| alert | rule | about | before | after |\n| --- | --- | --- | --- | --- |\n" + table;
  if (rows <= kFold) return out + table;
  return out + "\n<details><summary>" + std::to_string(rows) + " alerts</summary>\n" + table +
         "\n</details>\n";
}

}  // namespace tocsin::replay
