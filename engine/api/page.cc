// SPDX-License-Identifier: Apache-2.0
#include "api/page.h"

#include "api/page_parts.h"
#include "api/page_style.h"
#include "tocsin/duration.h"
#include "tocsin/version.h"

namespace tocsin::api {
namespace {

// What the page says at first sight.
struct Headline {
  std::string text;
  std::string_view tone;  // A class of the style sheet; empty is calm.
};

Headline headline_of(const PageView& view) {
  if (!view.firing.empty()) {
    static constexpr std::string_view kTones[] = {"critical", "warning", "info"};
    const Tone worst = tone_of(*view.firing.front().alert);
    return {counted(view.firing.size(), "alert") + " firing",
            kTones[static_cast<std::size_t>(worst)]};
  }
  if (!view.snapshot.ready) return {"Starting: nothing is known yet", "info"};
  if (view.rules == 0) return {"Nothing can fire: no rules are loaded", "warning"};
  if (view.impaired()) return {"Nothing is firing, as far as Tocsin can see", "warning"};
  return {"Nothing is firing", {}};
}

void write_head(HtmlWriter& html, const PageView& view) {
  html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
  html.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
  html.raw("<meta http-equiv=\"refresh\" content=\"10\"><title>");
  if (!view.firing.empty()) html.raw("(").number(view.firing.size()).raw(") ");
  html.raw("Tocsin</title><link rel=\"icon\" href=\"data:image/svg+xml,");
  html.raw(
      "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' ");
  html.raw("r='4' fill='%23");
  html.text(view.firing.empty() ? "2e9e5b" : "d92d20").raw("'/%3E%3C/svg%3E\"><style>");
  html.raw(kPageStyle).raw("</style></head>\n<body>");
}

void write_header(HtmlWriter& html, const Snapshot& snapshot) {
  html.raw("<header><b>Tocsin</b>");
  for (const auto& [name, value] : snapshot.status.external_labels) {
    html.raw("<span class=\"soft\">").text(name).raw(" ").text(value).raw("</span>");
  }
  const std::string now = format_rfc3339(snapshot.now);
  html.raw("<time class=\"soft\" datetime=\"").text(now).raw("\">").text(now.substr(0, 10));
  html.raw(" ").text(now.substr(11, 8)).raw(" UTC</time></header>\n");
}

void write_ages(HtmlWriter& html, const PageView& view) {
  Timestamp newest = since(*view.firing.front().alert);
  Timestamp oldest = newest;
  for (const ActiveAlert& a : view.firing) {
    newest = std::max(newest, since(*a.alert));
    oldest = std::min(oldest, since(*a.alert));
  }
  const Timestamp now = view.snapshot.now;
  if (view.firing.size() == 1) {
    html.raw("Since ").text(clock_text(oldest, now)).raw(". ");
    return;
  }
  html.raw("The newest since ").text(clock_text(newest, now)).raw(", the oldest since ");
  html.text(clock_text(oldest, now)).raw(". ");
}

void write_state(HtmlWriter& html, const PageView& view) {
  const Headline headline = headline_of(view);
  html.raw("<section class=\"state ").text(headline.tone).raw("\"><h1>").text(headline.text);
  html.raw("</h1><p>");
  if (!view.firing.empty()) write_ages(html, view);
  if (!view.pending.empty()) html.text(counted(view.pending.size(), "alert")).raw(" pending. ");
  html.text(counted(view.rules, "rule")).raw(" in ");
  html.text(counted(view.snapshot.groups.size(), "group")).raw(", last evaluated ");
  html.text(ago(view.last_evaluation, view.snapshot.now)).raw(".");
  if (view.targets.all() > 0) {
    html.raw(" ").number(view.targets.up).raw(" of ").text(counted(view.targets.all(), "target"));
    html.raw(" up.");
  }
  if (view.heartbeats > 0) html.raw(" The heartbeat beats.");
  html.raw("</p></section>\n");
}

void write_footer(HtmlWriter& html, const Snapshot& snapshot) {
  html.raw("</main><footer><p><a href=\"api/v1/alerts\">Alerts</a><a href=\"api/v1/rules\">Rules");
  html.raw("</a><a href=\"api/v1/targets\">Targets</a><a href=\"metrics\">Metrics</a></p><p>");
  html.raw("Tocsin ").text(version()).raw(" (").text(revision()).raw("), up for ");
  html.text(length_text(snapshot.now - snapshot.status.started)).raw(", ");
  if (snapshot.status.prometheus_url.empty()) {
    html.number(snapshot.store.series).raw(" series in memory. ");
  } else {
    html.raw("rules are evaluated by ").text(snapshot.status.prometheus_url).raw(". ");
  }
  for (const std::string& revision : snapshot.status.reload.revisions) {
    html.raw("Rules of revision <span class=\"mono\">").text(short_revision(revision));
    html.raw("</span>. ");
  }
  if (!snapshot.status.state.is_kept) {
    html.raw("State is kept in memory only: a restart forgets what is pending. ");
  }
  if (const auto& replica = snapshot.status.replica) {
    html.raw("The ").text(replica->role()).raw(" of two replicas, which ");
    html.text(replica->tells ? "tells the receivers" : "is silent").raw("; the other one is ");
    html.text(replica->peer).raw(". ");
  }
  html.raw("This page renews itself every 10 seconds.</p></footer></body></html>\n");
}

}  // namespace

std::string html_page(const Snapshot& snapshot) {
  const PageView view(snapshot);
  HtmlWriter html;
  write_head(html, view);
  write_header(html, snapshot);
  html.raw("<main>");
  write_state(html, view);
  write_problems(html, view);
  write_firing(html, view);
  write_pending(html, view);
  write_history(html, view);
  write_groups(html, view);
  write_targets(html, view);
  write_receivers(html, view);
  write_kept(html, view);
  write_footer(html, snapshot);
  return html.take();
}

}  // namespace tocsin::api
