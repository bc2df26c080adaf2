// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/page_parts.h"
#include "base/utf8.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kMostEntries = 20;
constexpr std::size_t kMostText = 160;

bool is_told(const state::HistoryEntry& entry) {
  const bool fires = entry.to == alert::State::Firing || entry.from == alert::State::Firing;
  return fires && entry.labels.get("severity") != "none";
}

void write_entry(HtmlWriter& html, const state::HistoryEntry& entry, Timestamp now) {
  const bool fires = entry.to == alert::State::Firing;
  html.raw("<tr><th scope=\"row\">");
  if (fires) {
    html.raw("<b class=\"bad\">firing</b> ");
  } else {
    html.raw("<span class=\"ok\">resolved</span> ");
  }
  html.text(entry.rule_name).raw("<span class=\"soft\"> ");
  html.text(clip(entry.summary.empty() ? entry.labels.text() : entry.summary, kMostText));
  html.raw("</span></th><td class=\"n\">").text(ago(entry.at, now)).raw("</td></tr>");
}

}  // namespace

void write_history(HtmlWriter& html, const PageView& view) {
  std::vector<const state::HistoryEntry*> told;
  for (const state::HistoryEntry& entry : view.snapshot.history) {
    if (is_told(entry) && told.size() < kMostEntries) told.push_back(&entry);
  }
  if (told.empty()) return;
  html.raw("<h2 id=\"history\">What happened</h2><div class=\"card\"><table><tbody>");
  for (const state::HistoryEntry* entry : told) write_entry(html, *entry, view.snapshot.now);
  html.raw("</tbody></table></div>\n");
}

}  // namespace tocsin::api
