// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/replaced.h"
#include "replay/report.h"
#include "tocsin/duration.h"
#include "tocsin/sample.h"

namespace tocsin::replay {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Replay</title>
<style>
:root { color-scheme: light dark; --text: #1c2330; --faint: #5b6575; --line: #d9dee6;
  --back: #fff; --track: #f3f5f8; --critical: #c62828; --warning: #c77700; --other: #2f6db5; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ef; --faint: #9aa5b5; --line: #343c49;
  --back: #14181f; --track: #1d232c; --critical: #ef6a62; --warning: #e5a53d; --other: #6ea8e6; } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back);
  max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 .2rem; }
p { margin: .2rem 0 1.2rem; color: var(--faint); }
.row { display: grid; grid-template-columns: 15rem 1fr; gap: .8rem; align-items: center;
  border-top: 1px solid var(--line); padding: .35rem 0; }
.name { overflow-wrap: anywhere; }
.name small { color: var(--faint); display: block; }
.track { position: relative; background: var(--track); border-radius: 3px; }
.track i { position: absolute; top: 0; bottom: 0; border-left: 1px solid var(--line); }
.bar { position: absolute; height: 10px; min-width: 3px; border-radius: 2px;
  background: var(--other); }
.bar.pending { opacity: .35; border-radius: 2px 0 0 2px; }
.critical { background: var(--critical); } .warning { background: var(--warning); }
.axis { position: relative; height: 1.4rem; color: var(--faint); font-size: 12px; }
.axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.axis span:first-child { transform: none; } .axis span:last-child { transform: translateX(-100%); }
@media (max-width: 640px) { .row { grid-template-columns: 1fr; gap: .2rem; }
  .axis span:nth-child(even) { display: none; } }
</style>
)";

constexpr int kTicks = 6;
constexpr std::size_t kLane = 14;  // Pixels.

std::string escaped(std::string_view text) {
  return replaced(text, {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}});
}

class Drawing {
 public:
  explicit Drawing(const Outcome& outcome) : outcome_(outcome) {}

  std::string draw() {
    out_ = kHead;
    out_ += "<h1>" + std::to_string(outcome_.episodes.size()) + " alerts, " +
            std::to_string(outcome_.pages.size()) + " notifications</h1>\n<p>" +
            moment_text(outcome_.from) + " to " + moment_text(outcome_.to) + " (" +
            length_text(outcome_.to - outcome_.from) +
            "). Pale: pending. Point at a bar to read what it is about.</p>\n";
    axis();
    for (std::size_t rule = 0; rule < outcome_.rules.size(); ++rule) row(rule);
    return std::move(out_);
  }

 private:
  std::string percent(Timestamp at) const {
    const double share = to_seconds(std::clamp(at, outcome_.from, outcome_.to) - outcome_.from) /
                         std::max(1.0, to_seconds(outcome_.to - outcome_.from));
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f%%", share * 100);
    return text.data();
  }
  std::string width(Timestamp from, Timestamp to) const {
    const double share = to_seconds(std::min(to, outcome_.to) - std::max(from, outcome_.from)) /
                         std::max(1.0, to_seconds(outcome_.to - outcome_.from));
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f%%", std::max(0.0, share) * 100);
    return text.data();
  }

  Timestamp tick(int i) const { return outcome_.from + (outcome_.to - outcome_.from) / kTicks * i; }

  // Days where there are many, else the time of day.
  std::string tick_text(int i) const {
    const std::string text = format_rfc3339(tick(i));
    const bool days = outcome_.to - outcome_.from > std::chrono::hours(48);
    return days ? text.substr(5, 5) + " " + text.substr(11, 5) : text.substr(11, 5);
  }

  void axis() {
    out_ += "<div class=\"row\"><div></div><div class=\"axis\">";
    for (int i = 0; i <= kTicks; ++i) {
      out_ += "<span style=\"left:" + percent(tick(i)) + "\">" + tick_text(i) + "</span>";
    }
    out_ += "</div></div>\n";
  }

  void row(std::size_t rule) {
    std::vector<const Episode*> episodes;
    for (const Episode& episode : outcome_.episodes) {
      if (episode.rule == rule) episodes.push_back(&episode);
    }
    if (episodes.empty()) return;
    const std::vector<std::size_t> lanes = lanes_of(episodes);
    const std::size_t height = (*std::max_element(lanes.begin(), lanes.end()) + 1) * kLane;
    out_ += "<div class=\"row\"><div class=\"name\">" + escaped(outcome_.rules[rule].rule.name) +
            "<small>" + std::to_string(episodes.size()) +
            (episodes.size() == 1 ? " alert" : " alerts") +
            "</small></div><div class=\"track\" style=\"height:" + std::to_string(height) + "px\">";
    for (int i = 0; i <= kTicks; ++i) out_ += "<i style=\"left:" + percent(tick(i)) + "\"></i>";
    for (std::size_t i = 0; i < episodes.size(); ++i) bars(*episodes[i], lanes[i]);
    out_ += "</div></div>\n";
  }

  // Alerts that overlap are drawn one below the other.
  std::vector<std::size_t> lanes_of(const std::vector<const Episode*>& episodes) const {
    std::vector<Timestamp> ends;  // Of the last bar of each lane.
    std::vector<std::size_t> lanes;
    for (const Episode* episode : episodes) {
      const auto free = std::find_if(ends.begin(), ends.end(),
                                     [&](Timestamp end) { return end < episode->pending_at; });
      lanes.push_back(static_cast<std::size_t>(free - ends.begin()));
      if (free == ends.end()) ends.emplace_back();
      ends[lanes.back()] = episode->ended_at.value_or(outcome_.to);
    }
    return lanes;
  }

  void bars(const Episode& episode, std::size_t lane) {
    const Timestamp end = episode.ended_at.value_or(outcome_.to);
    const auto severity = outcome_.rules[episode.rule].rule.labels.find("severity");
    const std::string color = severity == outcome_.rules[episode.rule].rule.labels.end()
                                  ? ""
                                  : " " + escaped(severity->second);
    const std::string title = escaped(
        (episode.summary.empty() ? "" : episode.summary + "\n") + subject_of(episode, outcome_) +
        "\nfired " + moment_text(episode.fired_at) + " for " + length_text(end - episode.fired_at) +
        ", at worst " + format_number(episode.peak));
    const std::string top = ";top:" + std::to_string(lane * kLane + 2) + "px\" title=\"";
    const auto bar = [&](const std::string& style, Timestamp from, Timestamp to) {
      out_ += "<div class=\"bar" + style + color + "\" style=\"left:" + percent(from) +
              ";width:" + width(from, to) + top + title + "\"></div>";
    };
    if (episode.pending_at < episode.fired_at)
      bar(" pending", episode.pending_at, episode.fired_at);
    bar("", episode.fired_at, end);
  }

  const Outcome& outcome_;
  std::string out_;
};

}  // namespace

std::string timeline_html(const Outcome& outcome) { return Drawing(outcome).draw(); }

}  // namespace tocsin::replay
