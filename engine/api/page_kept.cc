// SPDX-License-Identifier: Apache-2.0
//
// What is kept of each metric, and who asked for it: the metrics with the most series on the page,
// all of them on a page of their own.
#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

#include "api/page.h"
#include "api/page_parts.h"
#include "api/page_style.h"
#include "base/utf8.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kFewMetrics = 6;
constexpr std::size_t kFewAskers = 2;
constexpr std::size_t kManyMetrics = 50;
constexpr std::size_t kManyAskers = 8;
constexpr std::size_t kMostName = 200;  // Bytes.

using Metrics = std::span<const KeptMetric>;

// Those that are there come first.
std::size_t count_present(Metrics metrics) {
  return static_cast<std::size_t>(std::count_if(
      metrics.begin(), metrics.end(), [](const KeptMetric& metric) { return metric.series > 0; }));
}

std::string size_text(std::size_t bytes) {
  const bool is_small = bytes < 1'000'000;
  const double value = static_cast<double>(bytes) / (is_small ? 1e3 : 1e6);
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f %s", is_small || value >= 10 ? 0 : 1, value,
                is_small ? "kB" : "MB");
  return buffer.data();
}

// ---- The sentences above the table.

void write_lines(HtmlWriter& html, const Snapshot& snapshot) {
  std::size_t lines = 0;
  std::size_t kept = 0;
  for (const source::TargetStatus& target : snapshot.targets) {
    lines += target.last_samples;
    kept += target.last_kept;
  }
  if (lines > 0) {
    html.number(kept).raw(" of ").number(lines).raw(" lines of the last scrapes are kept. ");
  } else if (snapshot.scrapes.samples_scraped > 0) {
    html.number(snapshot.scrapes.samples_appended).raw(" of ");
    html.number(snapshot.scrapes.samples_scraped).raw(" samples that came in were kept. ");
  }
}

bool is_scraped(const KeptMetric& metric) {
  return metric.series > 0 &&
         std::none_of(metric.reasons.begin(), metric.reasons.end(), [](const KeepReason& r) {
           return r.why == Why::Records || r.why == Why::Own;
         });
}

// The one whose asker decides how long all the others are kept; null when there is none.
const KeptMetric* furthest_back(Metrics metrics) {
  const KeptMetric* furthest = nullptr;
  for (const KeptMetric& metric : metrics) {
    if (!is_scraped(metric) || metric.reasons.empty()) continue;
    if (!furthest || metric.history > furthest->history) furthest = &metric;
  }
  return furthest;
}

void write_histories(HtmlWriter& html, const Snapshot& snapshot) {
  Duration longest{0};
  for (const source::TargetStatus& target : snapshot.targets) {
    longest = std::max(longest, target.history);
  }
  const KeptMetric* furthest = furthest_back(snapshot.kept);
  if (longest.count() == 0 || !furthest) return;
  html.raw("The series of a target share their columns, so all are kept as long as the one that ");
  html.raw("is looked back on the furthest: up to ").text(length_text(longest));
  html.raw(", for <code>").text(clip(furthest->name, kMostName)).raw("</code>");
  const KeepReason& reason = furthest->reasons.front();
  if (reason.why == Why::Reads) html.raw(" in ").text(clip(reason.name, kMostName));
  html.raw(". ");
}

void write_head(HtmlWriter& html, const Snapshot& snapshot) {
  html.raw("<h2 id=\"kept\">What is kept <span>").number(snapshot.store.series).raw(" series");
  html.raw(" in ").text(size_text(snapshot.store.bytes)).raw("</span></h2><p class=\"soft\">");
  write_lines(html, snapshot);
  write_histories(html, snapshot);
  html.raw("What no rule and no <code>keep:</code> asks for is not stored.</p>");
}

// ---- The table.

// All but the rule's place, which stands in a span behind it.
void write_name(HtmlWriter& html, const KeepReason& reason) {
  switch (reason.why) {
    case Why::Reads:
      html.text(clip(reason.name, kMostName));
      break;
    case Why::Records:
      html.raw("recorded here");
      break;
    case Why::Keep:
      html.raw("keep: <code>").text(clip(reason.name, kMostName)).raw("</code>");
      break;
    case Why::Own:
      html.raw("Tocsin itself");
      break;
    case Why::Witness:
      html.raw("to know what its Prometheus sees");
  }
}

// In a few words, for a glance: rules with their groups.
void write_first_askers(HtmlWriter& html, const KeptMetric& metric) {
  const std::size_t shown = std::min(metric.reasons.size(), kFewAskers);
  for (std::size_t i = 0; i < shown; ++i) {
    const KeepReason& reason = metric.reasons[i];
    if (i > 0) html.raw("<br>");
    write_name(html, reason);
    if (!reason.group.empty()) html.raw(" <span>").text(reason.group).raw("</span>");
  }
  if (metric.reasons.size() <= shown) return;
  html.raw("<br><span>and ").number(metric.reasons.size() - shown).raw(" more</span>");
}

void write_place(HtmlWriter& html, const KeepReason& reason) {
  html.raw(" <span title=\"group ").text(reason.group).raw("\">").text(reason.file);
  if (reason.line > 0) html.raw(":").number(static_cast<std::size_t>(reason.line));
  if (reason.why == Why::Reads) html.raw(", ").text(length_text(reason.history));
  html.raw("</span>");
}

// Rules with their files, lines and histories.
void write_askers(HtmlWriter& html, std::span<const KeepReason> reasons) {
  html.raw("<ul>");
  for (const KeepReason& reason : reasons) {
    html.raw("<li>");
    write_name(html, reason);
    if (!reason.group.empty()) write_place(html, reason);
    html.raw("</li>");
  }
  html.raw("</ul>");
}

void write_all_askers(HtmlWriter& html, const KeptMetric& metric) {
  const std::span<const KeepReason> reasons = metric.reasons;
  const std::size_t shown = std::min(reasons.size(), kManyAskers);
  write_askers(html, reasons.first(shown));
  if (shown == reasons.size()) return;
  html.raw("<details><summary>and ").number(reasons.size() - shown).raw(" more</summary>");
  write_askers(html, reasons.subspan(shown));
  html.raw("</details>");
}

using WriteAskers = void (*)(HtmlWriter& html, const KeptMetric& metric);

void write_metric(HtmlWriter& html, const KeptMetric& metric, WriteAskers askers) {
  html.raw("<tr><th scope=\"row\" class=\"mono\">").text(clip(metric.name, kMostName));
  html.raw("</th><td class=\"n\">").number(metric.series).raw("</td><td class=\"n\">");
  if (metric.reasons.empty()) {
    html.raw("</td><td class=\"why\"><span>nobody any more: forgotten in time</span></td></tr>");
    return;
  }
  html.text(length_text(metric.history)).raw("</td><td class=\"why\">");
  askers(html, metric);
  html.raw("</td></tr>");
}

void write_table(HtmlWriter& html, Metrics metrics, WriteAskers askers) {
  html.raw("<div class=\"card\"><table class=\"kept\"><thead><tr><th scope=\"col\">Metric</th>");
  html.raw("<th scope=\"col\" class=\"n\">Series</th><th scope=\"col\" class=\"n\">Looks back");
  html.raw("</th><th scope=\"col\" class=\"why\">Asked by</th></tr></thead><tbody>");
  for (const KeptMetric& metric : metrics) write_metric(html, metric, askers);
  html.raw("</tbody></table></div>\n");
}

void write_folded(HtmlWriter& html, Metrics metrics, const std::string& title) {
  if (metrics.empty()) return;
  html.raw("<details class=\"more\"><summary>").text(title).raw("</summary>");
  write_table(html, metrics, write_all_askers);
  html.raw("</details>\n");
}

}  // namespace

void write_kept(HtmlWriter& html, const PageView& view) {
  const Metrics all = view.snapshot.kept;
  if (all.empty()) return;
  write_head(html, view.snapshot);
  const std::size_t present = count_present(all);
  const std::size_t shown = std::min(present, kFewMetrics);
  if (shown > 0) write_table(html, all.first(shown), write_first_askers);
  html.raw("<p class=\"soft\"><a href=\"kept\">Every metric, and who asked for it</a>");
  html.raw(": ").number(all.size()).raw(", of which ").number(all.size() - present);
  html.raw(" asked for and not here");
  html.raw("</p>\n");
}

std::string kept_html(const Snapshot& snapshot) {
  HtmlWriter html;
  html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
  html.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
  html.raw("<title>Tocsin: what is kept</title><style>").raw(kPageStyle);
  html.raw("</style></head>\n<body><header><b>Tocsin</b><a href=\"./\">what is firing</a>");
  html.raw("</header><main>");
  write_head(html, snapshot);
  const Metrics all = snapshot.kept;
  const std::size_t present = count_present(all);
  const std::size_t absent = all.size() - present;
  const std::size_t shown = std::min(present, kManyMetrics);
  if (shown > 0) write_table(html, all.first(shown), write_all_askers);
  write_folded(html, all.subspan(shown, present - shown),
               counted(present - shown, "metric") + " with fewer series");
  write_folded(html, all.subspan(present),
               counted(absent, "metric") + (absent == 1 ? " that is" : " that are") +
                   " asked for and not here");
  html.raw("</main><footer></footer></body></html>\n");
  return html.take();
}

}  // namespace tocsin::api
