// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/page_parts.h"
#include "base/utf8.h"
#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kMostDown = 20;
constexpr std::size_t kMostError = 300;  // Bytes.

// ---- Groups.

void write_counts(HtmlWriter& html, const GroupStatus& group) {
  std::size_t firing = 0;
  std::size_t pending = 0;
  for (const RuleStatus& rule : group.rules) {
    firing += rule.state == alert::State::Firing ? 1 : 0;
    pending += rule.state == alert::State::Pending ? 1 : 0;
  }
  html.number(group.rules.size());
  if (firing > 0) html.raw("<br><span class=\"bad\">").number(firing).raw(" firing</span>");
  if (pending > 0) html.raw("<br><span class=\"warn\">").number(pending).raw(" pending</span>");
}

void write_failing_rules(HtmlWriter& html, const GroupStatus& group) {
  for (const RuleStatus& rule : group.rules) {
    if (rule.health != RuleHealth::Failing) continue;
    html.raw("<tr class=\"sub\"><td colspan=\"6\"><b>")
        .text(rule.rule->name)
        .raw("</b> cannot be ");
    html.raw("evaluated<span class=\"error mono\">").text(clip(rule.last_error, kMostError));
    html.raw("</span></td></tr>");
  }
}

void write_group(HtmlWriter& html, const GroupStatus& group, Timestamp now) {
  const bool slow = group.evaluation_seconds > to_seconds(group.interval);
  html.raw("<tr><th scope=\"row\">").text(group.name).raw("<br><span class=\"soft\">");
  html.text(group.file).raw("</span></th><td class=\"n\">");
  write_counts(html, group);
  html.raw("</td><td class=\"n\">");
  if (slow) html.raw("<b class=\"bad\">");
  html.text(took(group.evaluation_seconds));
  if (slow) html.raw("</b>");
  html.raw("</td><td class=\"n wide\">").text(format_duration(group.interval));
  html.raw("</td><td class=\"n\">");
  if (group.iterations_missed > 0) {
    html.raw("<b class=\"warn\">").number(group.iterations_missed).raw("</b>");
  } else {
    html.raw("0");
  }
  html.raw("</td><td class=\"n wide\">").text(ago(group.last_evaluation, now)).raw("</td></tr>");
  write_failing_rules(html, group);
}

// ---- Targets.

void write_job(HtmlWriter& html, const std::string& job, const TargetCount& count) {
  html.raw("<tr><th scope=\"row\">").text(job).raw("</th><td class=\"n\">");
  html.number(count.up).raw(" of ").number(count.all()).raw(" up</td><td class=\"n\">");
  if (count.down > 0) html.raw("<b class=\"bad\">").number(count.down).raw(" down</b>");
  if (count.unknown > 0) {
    html.raw(" <span class=\"soft\">").number(count.unknown).raw(" not scraped yet</span>");
  }
  if (count.down + count.unknown == 0) html.raw("<span class=\"ok\">all up</span>");
  html.raw("</td></tr>");
}

void write_down(HtmlWriter& html, const source::TargetStatus& status, Timestamp now) {
  html.raw("<tr class=\"sub\"><td colspan=\"3\">").text(status.target.url);
  html.raw(" <span class=\"soft\">scraped ").text(ago(status.last_scrape, now));
  html.raw("</span><span class=\"error mono\">").text(clip(status.last_error, kMostError));
  html.raw("</span></td></tr>");
}

void write_receiver(HtmlWriter& html, const notify::Notifier::ReceiverStatus& receiver) {
  const notify::DeliveryStats& stats = receiver.stats;
  html.raw("<tr><th scope=\"row\">").text(receiver.name);
  if (!stats.last_error.empty()) {
    html.raw("<span class=\"error mono\">").text(clip(stats.last_error, kMostError));
    html.raw("</span>");
  }
  html.raw("</th><td class=\"n\">").number(stats.sent).raw("</td><td class=\"n\">");
  html.number(stats.failed).raw("</td><td class=\"n wide\">").number(stats.given_up);
  html.raw("</td><td class=\"n\">");
  if (stats.waiting > 0) html.raw("<b class=\"warn\">").number(stats.waiting).raw("</b>");
  if (stats.waiting == 0) html.raw("0");
  html.raw("</td></tr>");
}

}  // namespace

void write_groups(HtmlWriter& html, const PageView& view) {
  if (view.snapshot.groups.empty()) return;
  html.raw("<h2 id=\"groups\">Rule groups</h2><div class=\"card\"><table><thead><tr>");
  html.raw("<th scope=\"col\">Group</th><th scope=\"col\" class=\"n\">Rules</th>");
  html.raw("<th scope=\"col\" class=\"n\">Took</th><th scope=\"col\" class=\"n wide\">Every</th>");
  html.raw("<th scope=\"col\" class=\"n\">Missed</th>");
  html.raw("<th scope=\"col\" class=\"n wide\">Last</th></tr></thead><tbody>");
  for (const GroupStatus& group : view.snapshot.groups) {
    write_group(html, group, view.snapshot.now);
  }
  html.raw("</tbody></table></div>\n");
}

void write_targets(HtmlWriter& html, const PageView& view) {
  if (view.targets.all() == 0) return;
  html.raw("<h2 id=\"targets\">Targets</h2><div class=\"card\"><table><tbody>");
  std::size_t shown = 0;
  for (const auto& [job, count] : view.jobs) {
    write_job(html, job, count);
    for (const source::TargetStatus* status : view.down) {
      if (status->target.job != job || shown >= kMostDown) continue;
      write_down(html, *status, view.snapshot.now);
      ++shown;
    }
  }
  html.raw("</tbody></table></div>\n");
  if (view.down.size() <= shown) return;
  html.raw("<p class=\"soft\">and ").number(view.down.size() - shown);
  html.raw(" more: <a href=\"api/v1/targets\">all targets</a></p>");
}

void write_receivers(HtmlWriter& html, const PageView& view) {
  if (view.snapshot.receivers.empty()) return;
  html.raw("<h2 id=\"receivers\">Receivers</h2><div class=\"card\"><table><thead><tr>");
  html.raw("<th scope=\"col\">Receiver</th><th scope=\"col\" class=\"n\">Sent</th>");
  html.raw("<th scope=\"col\" class=\"n\">Failed tries</th>");
  html.raw("<th scope=\"col\" class=\"n wide\">Given up</th>");
  html.raw("<th scope=\"col\" class=\"n\">Waiting</th></tr></thead><tbody>");
  for (const auto& receiver : view.snapshot.receivers) write_receiver(html, receiver);
  html.raw("</tbody></table></div>\n");
}

}  // namespace tocsin::api
