// SPDX-License-Identifier: Apache-2.0
#include "replay/report.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "api/json_writer.h"
#include "tocsin/duration.h"
#include "tocsin/sample.h"

namespace tocsin::replay {
namespace {

constexpr Duration kFlap = std::chrono::minutes(15);
constexpr double kDay = 86400;

Timestamp end_of(const Episode& episode, const Outcome& outcome) {
  return episode.ended_at.value_or(outcome.to);
}

// Whether they are about the same thing, as far as both say.
bool may_be_one_fault(const Labels& a, const Labels& b) {
  static constexpr std::array<std::string_view, 9> kSubject{
      "namespace", "deployment", "statefulset", "daemonset", "service",
      "route",     "k8s_job",    "component",   "job"};
  bool agree = false;
  for (const std::string_view name : kSubject) {
    if (!a.has(name) || !b.has(name)) continue;
    if (a.get(name) != b.get(name)) return false;
    agree = true;
  }
  return agree;
}

bool overlap(const Episode& a, const Episode& b, const Outcome& outcome) {
  return a.rule != b.rule && a.fired_at < end_of(b, outcome) && b.fired_at < end_of(a, outcome) &&
         may_be_one_fault(a.labels, b.labels);
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

double pages_per_day(const Totals& totals, const Outcome& outcome) {
  const double days = std::max(to_seconds(outcome.to - outcome.from), 1.0) / kDay;
  return static_cast<double>(totals.pages) / days;
}

std::string names_of(const std::map<std::size_t, std::size_t>& rules, const Outcome& outcome) {
  std::string out;
  for (const auto& [rule, count] : rules) {
    out += (out.empty() ? "" : ", ") + outcome.rules[rule].rule.name + " " + std::to_string(count);
  }
  return out.empty() ? "-" : out;
}

std::string subject_of(const Labels& of, std::size_t rule, const Outcome& outcome) {
  LabelsBuilder labels(of);
  labels.remove("alertname");
  for (const auto& [name, value] : outcome.rules[rule].rule.labels) labels.remove(name);
  return labels.build().text();
}

std::string alerts_table(const Outcome& outcome) {
  const std::vector<std::vector<Telling>> tellings = tellings_of(outcome);
  std::vector<std::vector<std::string>> rows{
      {"ALERT", "PENDING", "FIRED", "ENDED", "FOR", "PEAK", "TOLD", "ABOUT"}};
  for (std::size_t i = 0; i < outcome.episodes.size(); ++i) {
    const Episode& episode = outcome.episodes[i];
    rows.push_back({outcome.rules[episode.rule].rule.name, moment_text(episode.pending_at),
                    moment_text(episode.fired_at),
                    episode.ended_at ? moment_text(*episode.ended_at) : "still firing",
                    length_text(length_of(episode, outcome)), short_number(episode.peak),
                    std::to_string(tellings[i].size()), subject_of(episode, outcome)});
  }
  return text_table(rows);
}

std::map<std::size_t, std::size_t> by_rule(const std::vector<ToldAlert>& told) {
  std::map<std::size_t, std::size_t> out;
  for (const ToldAlert& alert : told) ++out[alert.rule];
  return out;
}

// One alert is named whole, several are counted.
std::string told_text(const std::vector<ToldAlert>& told, const Outcome& outcome) {
  if (told.size() != 1) return names_of(by_rule(told), outcome);
  const ToldAlert& alert = told.front();
  return outcome.rules[alert.rule].rule.name + " " + subject_of(alert.labels, alert.rule, outcome);
}

std::string notifications_table(const Outcome& outcome) {
  std::vector<std::vector<std::string>> rows{{"NOTIFICATION", "TO", "FIRING", "OVER"}};
  for (const Page& page : outcome.pages) {
    rows.push_back({moment_text(page.at), page.receiver, told_text(page.firing, outcome),
                    told_text(page.resolved, outcome)});
  }
  return text_table(rows);
}

std::string totals_table(const Outcome& outcome) {
  const std::vector<Totals> totals = totals_of(outcome);
  std::vector<std::vector<std::string>> rows{{"RULE", "ALERTS", "PAGES", "PER DAY", "SHORTEST",
                                              "MEDIAN", "LONGEST", "FLAPS", "ONLY PENDING",
                                              "TOGETHER WITH"}};
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const Totals& t = totals[i];
    const ReplayedRule& rule = outcome.rules[i];
    if (t.alerts == 0 && rule.pending_only == 0) continue;
    const auto length = [&](Duration d) { return t.alerts > 0 ? length_text(d) : "-"; };
    rows.push_back({rule.rule.name, std::to_string(t.alerts), std::to_string(t.pages),
                    short_number(pages_per_day(t, outcome)), length(t.shortest), length(t.median),
                    length(t.longest), std::to_string(t.flaps), std::to_string(rule.pending_only),
                    names_of(t.overlaps, outcome)});
  }
  return rows.size() > 1 ? text_table(rows) : "";
}

std::string quiet_rules(const Outcome& outcome) {
  const std::vector<Totals> totals = totals_of(outcome);
  std::size_t quiet = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    quiet += totals[i].alerts == 0 && outcome.rules[i].pending_only == 0 ? 1 : 0;
  }
  return std::to_string(outcome.episodes.size()) + " alerts, " +
         std::to_string(outcome.pages.size()) + " notifications; " + std::to_string(quiet) +
         " of " + std::to_string(outcome.rules.size()) + " rules kept quiet\n";
}

std::string failures(const Outcome& outcome) {
  std::string out;
  for (const ReplayedRule& rule : outcome.rules) {
    if (rule.failures == 0) continue;
    out += "rule " + rule.rule.name + " could not be evaluated " + std::to_string(rule.failures) +
           " times: " + rule.failure + "\n";
  }
  return out;
}

void write_episode(api::JsonWriter& json, const Episode& episode,
                   const std::vector<Telling>& tellings, const Outcome& outcome) {
  json.begin_object().key("labels").labels(episode.labels);
  json.key("activeAt").text(format_rfc3339(episode.pending_at));
  json.key("firedAt").text(format_rfc3339(episode.fired_at));
  if (episode.ended_at) json.key("resolvedAt").text(format_rfc3339(*episode.ended_at));
  json.key("seconds").number(to_seconds(length_of(episode, outcome)));
  json.key("peak").text(format_value(episode.peak));
  if (!episode.summary.empty()) json.key("summary").text(episode.summary);
  json.key("notifications").begin_array();
  for (const Telling& telling : tellings) {
    json.begin_object().key("at").text(format_rfc3339(telling.at));
    json.key("receiver").text(telling.receiver);
    json.key("status").text(telling.resolved ? "resolved" : "firing").end_object();
  }
  json.end_array().end_object();
}

void write_rule(api::JsonWriter& json, std::size_t index, const Totals& totals,
                const Outcome& outcome) {
  const ReplayedRule& rule = outcome.rules[index];
  json.begin_object().key("name").text(rule.rule.name).key("group").text(rule.group);
  json.key("file").text(rule.rule.place.file);
  json.key("alerts").integer(totals.alerts).key("pages").integer(totals.pages);
  json.key("pagesPerDay").number(pages_per_day(totals, outcome));
  json.key("shortestSeconds").number(to_seconds(totals.shortest));
  json.key("medianSeconds").number(to_seconds(totals.median));
  json.key("longestSeconds").number(to_seconds(totals.longest));
  json.key("flaps").integer(totals.flaps).key("onlyPending").integer(rule.pending_only);
  json.key("failures").integer(rule.failures).key("overlaps").begin_object();
  for (const auto& [other, count] : totals.overlaps) {
    json.key(outcome.rules[other].rule.name).integer(count);
  }
  json.end_object().end_object();
}

void write_page(api::JsonWriter& json, const Page& page, const Outcome& outcome) {
  json.begin_object().key("at").text(format_rfc3339(page.at)).key("receiver").text(page.receiver);
  const auto counts = [&](std::string_view key, const std::vector<ToldAlert>& told) {
    json.key(key).begin_object();
    for (const auto& [rule, count] : by_rule(told))
      json.key(outcome.rules[rule].rule.name).integer(count);
    json.end_object();
  };
  counts("firing", page.firing);
  counts("resolved", page.resolved);
  json.end_object();
}

}  // namespace

std::string moment_text(Timestamp at) {
  return format_rfc3339(at).substr(0, std::string_view("2026-11-23T12:00:00").size()) + "Z";
}

std::string length_text(Duration d) {
  return format_duration(
      std::chrono::duration_cast<Duration>(std::chrono::round<std::chrono::seconds>(d)));
}

Duration length_of(const Episode& episode, const Outcome& outcome) {
  return end_of(episode, outcome) - episode.fired_at;
}

std::string subject_of(const Episode& episode, const Outcome& outcome) {
  return subject_of(episode.labels, episode.rule, outcome);
}

std::vector<std::vector<Telling>> tellings_of(const Outcome& outcome) {
  std::vector<std::vector<Telling>> out(outcome.episodes.size());
  std::map<ToldAlert, std::vector<std::size_t>> episodes;  // By when they fired.
  for (std::size_t i = 0; i < outcome.episodes.size(); ++i) {
    episodes[{outcome.episodes[i].rule, outcome.episodes[i].labels}].push_back(i);
  }
  for (const Page& page : outcome.pages) {
    const auto tell = [&](const ToldAlert& alert, bool resolved) {
      const std::vector<std::size_t>& lives = episodes[alert];
      const auto after = std::upper_bound(
          lives.begin(), lives.end(), page.at,
          [&](Timestamp at, std::size_t i) { return at < outcome.episodes[i].fired_at; });
      if (after == lives.begin()) return;
      out[*std::prev(after)].push_back({page.at, page.receiver, resolved});
    };
    for (const ToldAlert& alert : page.firing) tell(alert, false);
    for (const ToldAlert& alert : page.resolved) tell(alert, true);
  }
  return out;
}

std::vector<Totals> totals_of(const Outcome& outcome) {
  std::vector<Totals> out(outcome.rules.size());
  std::vector<std::vector<Duration>> lengths(outcome.rules.size());
  std::map<Labels, Timestamp> last_end;
  for (const Episode& episode : outcome.episodes) {
    Totals& totals = out[episode.rule];
    ++totals.alerts;
    lengths[episode.rule].push_back(length_of(episode, outcome));
    const auto before = last_end.find(episode.labels);
    if (before != last_end.end() && episode.fired_at - before->second < kFlap) ++totals.flaps;
    last_end[episode.labels] = end_of(episode, outcome);
    for (const Episode& other : outcome.episodes) {
      if (overlap(episode, other, outcome)) ++totals.overlaps[other.rule];
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (lengths[i].empty()) continue;
    std::sort(lengths[i].begin(), lengths[i].end());
    out[i].shortest = lengths[i].front();
    out[i].median = lengths[i][lengths[i].size() / 2];
    out[i].longest = lengths[i].back();
  }
  for (const Page& page : outcome.pages) {
    for (const auto& [rule, count] : by_rule(page.firing)) ++out[rule].pages;
  }
  return out;
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string report_text(const Outcome& outcome) {
  std::string out = "from " + moment_text(outcome.from) + " to " + moment_text(outcome.to) + " (" +
                    length_text(outcome.to - outcome.from) + ")\n\n";
  if (!outcome.episodes.empty()) out += alerts_table(outcome) + "\n";
  if (!outcome.pages.empty()) out += notifications_table(outcome) + "\n";
  const std::string totals = totals_table(outcome);
  if (!totals.empty()) out += totals + "\n";
  return out + quiet_rules(outcome) + failures(outcome);
}

std::string report_json(const Outcome& outcome) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object().key("from").text(format_rfc3339(outcome.from));
  json.key("to").text(format_rfc3339(outcome.to)).key("alerts").begin_array();
  const std::vector<std::vector<Telling>> tellings = tellings_of(outcome);
  for (std::size_t i = 0; i < tellings.size(); ++i) {
    write_episode(json, outcome.episodes[i], tellings[i], outcome);
  }
  json.end_array().key("rules").begin_array();
  const std::vector<Totals> totals = totals_of(outcome);
  for (std::size_t i = 0; i < totals.size(); ++i) write_rule(json, i, totals[i], outcome);
  json.end_array().key("notifications").begin_array();
  for (const Page& page : outcome.pages) write_page(json, page, outcome);
  json.end_array().end_object();
  return out + "\n";
}

}  // namespace tocsin::replay
