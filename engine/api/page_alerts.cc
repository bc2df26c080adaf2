// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>

#include "api/page_parts.h"
#include "base/utf8.h"
#include "rule/series_family.h"
#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kMostRows = 20;
constexpr std::size_t kMostText = 600;  // Bytes of one annotation.

using Annotations = std::map<std::string, std::string>;

std::string_view annotation(const alert::Alert& alert, const std::string& name) {
  const auto it = alert.annotations.find(name);
  return it == alert.annotations.end() ? std::string_view() : std::string_view(it->second);
}

// What an alert is about comes first: namespace, workload, service, route, then its clients.
const std::vector<std::string>& label_order() {
  static const std::vector<std::string> order = [] {
    std::vector<std::string> out = {"namespace"};
    const auto add = [&out](const std::vector<std::string>& more) {
      out.insert(out.end(), more.begin(), more.end());
    };
    add(rule::kWorkloadKinds);
    add({"service", "route", "component", "client_namespace"});
    add(rule::kinds_with("client_"));
    return out;
  }();
  return order;
}

std::size_t place_of(std::string_view name) {
  const auto& order = label_order();
  return static_cast<std::size_t>(std::find(order.begin(), order.end(), name) - order.begin());
}

std::vector<LabelView> labels_in_order(const Labels& labels) {
  std::vector<LabelView> out;
  for (const LabelView& label : labels) {
    if (label.name != "alertname" && label.name != "severity") out.push_back(label);
  }
  std::stable_sort(out.begin(), out.end(), [](const LabelView& a, const LabelView& b) {
    return place_of(a.name) < place_of(b.name);
  });
  return out;
}

// The rule's own words where it has some, else four digits.
std::string value_text(const alert::Alert& alert) {
  const std::string_view own = annotation(alert, "value");
  if (!own.empty()) return std::string(own);
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.4g", alert.value);
  return buffer.data();
}

bool is_link(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

void write_labels(HtmlWriter& html, const alert::Alert& alert) {
  html.raw("<ul class=\"labels\"><li class=\"value\">").text(value_text(alert));
  const std::string_view threshold = annotation(alert, "threshold");
  if (!threshold.empty()) html.raw("<span>threshold ").text(threshold).raw("</span>");
  for (const LabelView& label : labels_in_order(alert.labels)) {
    html.raw("</li><li><span>").text(label.name).raw("</span>").text(label.value);
  }
  html.raw("</li></ul>");
}

// "logs: https://…"
void write_note(HtmlWriter& html, std::string_view name, std::string_view text) {
  html.raw("<p class=\"about\">").text(name.substr(0, name.rfind("_url"))).raw(": ");
  if (is_link(text)) {
    html.raw("<a rel=\"noreferrer\" href=\"").text(text).raw("\">").text(text).raw("</a></p>");
  } else {
    html.text(clip(text, kMostText)).raw("</p>");
  }
}

// Annotations that have no place of their own, and the configuration's links.
void write_more(HtmlWriter& html, const alert::Alert& alert, const Snapshot& snapshot) {
  static constexpr std::array<std::string_view, 4> kPlaced = {"summary", "description", "value",
                                                              "threshold"};
  for (const auto& [name, text] : alert.annotations) {
    if (std::find(kPlaced.begin(), kPlaced.end(), name) != kPlaced.end()) continue;
    write_note(html, name, text);
  }
  const auto links = snapshot.links.find(alert.labels);
  if (links == snapshot.links.end()) return;
  for (const auto& [name, link] : links->second) {
    if (!alert.annotations.contains(name)) write_note(html, name, link);
  }
}

void write_blindness(HtmlWriter& html, const alert::Alert& alert, Timestamp now) {
  if (!alert.blind) return;
  html.raw("<p class=\"blind\"><b>Cannot be seen for ");
  html.text(length_text(now - alert.blind->since)).raw(".</b> ");
  html.text(clip(alert.blind->obstacle.reason, kMostText));
  html.raw(" The alert stays until there is proof that it is over.</p>");
}

void write_sentences(HtmlWriter& html, const ActiveAlert& a) {
  const std::string_view summary = annotation(*a.alert, "summary");
  const std::string_view description = annotation(*a.alert, "description");
  if (!summary.empty())
    html.raw("<p class=\"summary\">").text(clip(summary, kMostText)).raw("</p>");
  if (!description.empty() && description != summary) {
    html.raw("<p class=\"about\">").text(clip(description, kMostText)).raw("</p>");
  }
  if (summary.empty() && description.empty()) {
    const std::string& expr = a.rule->rule->expr_text;
    html.raw("<p class=\"about mono\">").text(clip(expr, kMostText)).raw("</p>");
  }
}

// "rules/linkerd/golden-signals.yaml:25 at 1a2b3c4d5e6f"
void write_origin(HtmlWriter& html, const RuleOrigin& origin) {
  if (origin.file.empty()) return;
  html.raw("<p class=\"about\"><span class=\"soft\">Rule </span><span class=\"mono soft\">");
  html.text(origin.place());
  if (!origin.revision.empty()) html.raw(" at ").text(short_revision(origin.revision));
  html.raw("</span></p>");
}

void write_moment(HtmlWriter& html, Timestamp at, Timestamp now) {
  html.raw("<time datetime=\"").text(format_rfc3339(at)).raw("\">").text(clock_text(at, now));
  html.raw("</time>");
}

// "Silenced until 14:00 by alice: why"
void write_mute(HtmlWriter& html, const alert::Alert& alert, const Snapshot& snapshot) {
  static constexpr std::string_view kVerbs[] = {"Silenced", "Inhibited", "Muted"};
  const auto it = snapshot.muted.find(alert.labels);
  if (it == snapshot.muted.end()) return;
  const notify::Mute& mute = it->second;
  html.raw("<p class=\"about\"><b>").text(kVerbs[static_cast<std::size_t>(mute.reason)]);
  html.raw("</b> ");
  if (mute.until) {
    html.raw("until ");
    write_moment(html, *mute.until, snapshot.now);
    html.raw(" ");
  }
  html.text(clip(mute.text, kMostText)).raw("</p>");
}

void write_card(HtmlWriter& html, const ActiveAlert& a, const Snapshot& snapshot) {
  const Timestamp now = snapshot.now;
  static constexpr std::string_view kClasses[] = {"critical", "warning", "info"};
  const alert::Alert& alert = *a.alert;
  html.raw("<article class=\"alert ");
  html.text(kClasses[static_cast<std::size_t>(tone_of(alert))]).raw("\"><div class=\"head\">");
  const std::string_view severity = alert.labels.get("severity");
  if (!severity.empty()) html.raw("<span class=\"tag\">").text(severity).raw("</span>");
  html.raw("<b>").text(alert.labels.get("alertname")).raw("</b><span class=\"since\"><b>");
  html.text(length_text(now - since(alert))).raw("</b> <span class=\"soft\">since ");
  write_moment(html, since(alert), now);
  html.raw("</span></span></div>");
  write_sentences(html, a);
  write_origin(html, a.rule->origin);
  write_blindness(html, alert, now);
  write_mute(html, alert, snapshot);
  write_labels(html, alert);
  write_more(html, alert, snapshot);
  html.raw("</article>\n");
}

void write_rest(HtmlWriter& html, std::size_t all, std::size_t shown) {
  if (all <= shown) return;
  html.raw("<p class=\"soft\">and ").number(all - shown);
  html.raw(" more: <a href=\"api/v1/alerts\">all alerts</a></p>");
}

// Where an alert is, in a few words: its labels' values.
void write_place(HtmlWriter& html, const alert::Alert& alert) {
  html.raw("<span class=\"soft\">");
  bool first = true;
  for (const LabelView& label : labels_in_order(alert.labels)) {
    if (!first) html.raw(" · ");
    first = false;
    html.text(label.name).raw(" ").text(label.value);
  }
  html.raw("</span>");
}

void write_pending_row(HtmlWriter& html, const ActiveAlert& a, Timestamp now) {
  const Duration left = a.alert->active_at + a.rule->rule->for_duration - now;
  html.raw("<tr><th scope=\"row\">").text(a.alert->labels.get("alertname")).raw("<br>");
  write_place(html, *a.alert);
  if (a.alert->blind) html.raw(" <span class=\"warn\">cannot be seen</span>");
  html.raw("</th><td class=\"n\">").text(value_text(*a.alert)).raw("</td><td class=\"n wide\">");
  html.text(length_text(now - a.alert->active_at)).raw("</td><td class=\"n\">");
  html.text(left.count() > 0 ? "in " + length_text(left) : "next evaluation").raw("</td></tr>");
}

}  // namespace

void write_firing(HtmlWriter& html, const PageView& view) {
  const std::size_t shown = std::min(view.firing.size(), kMostCards);
  for (std::size_t i = 0; i < shown; ++i) {
    write_card(html, view.firing[i], view.snapshot);
  }
  write_rest(html, view.firing.size(), shown);
  if (view.held_back == 0) return;
  html.raw("<p class=\"soft\">").text(counted(view.held_back, "more alert"));
  html.raw(" held back by the limits of their groups.</p>");
}

void write_pending(HtmlWriter& html, const PageView& view) {
  if (view.pending.empty()) return;
  html.raw("<h2>Pending</h2><div class=\"card\"><table><thead><tr><th scope=\"col\">Alert</th>");
  html.raw("<th scope=\"col\" class=\"n\">Value</th>");
  html.raw("<th scope=\"col\" class=\"n wide\">Pending for</th>");
  html.raw("<th scope=\"col\" class=\"n\">Fires</th></tr></thead><tbody>");
  const std::size_t shown = std::min(view.pending.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    write_pending_row(html, view.pending[i], view.snapshot.now);
  }
  html.raw("</tbody></table></div>");
  write_rest(html, view.pending.size(), shown);
}

}  // namespace tocsin::api
