// SPDX-License-Identifier: Apache-2.0
#include "daemon/outgoing.h"

#include "alert/sparkline.h"
#include "base/utf8.h"
#include "net/url.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

// Browsers and pagers cut longer links off; then the page itself must do.
constexpr std::size_t kLongestLink = 2000;

std::string generator_url(const std::string& external_url, const std::string& expr) {
  const std::string link =
      net::join_url(external_url, "/graph") + "?g0.expr=" + net::url_encode(expr) + "&g0.tab=1";
  return link.size() <= kLongestLink ? link : net::join_url(external_url, "/");
}

// From a while before the trouble began until its end, or now.
std::pair<Timestamp, Timestamp> span_of(const alert::Alert& alert, Timestamp now) {
  constexpr Duration kBefore = std::chrono::minutes(15);
  return {alert.active_at - kBefore, alert.resolved_at.value_or(now)};
}

}  // namespace

Labels outgoing_labels(const Labels& labels,
                       const std::map<std::string, std::string>& external_labels) {
  LabelsBuilder out(labels);
  for (const auto& [name, value] : external_labels) {
    if (!out.has(name)) out.set(name, value);
  }
  for (const LabelView& label : labels) {
    if (std::string sound = well_formed(label.value); sound != label.value) {
      out.set(label.name, sound);
    }
  }
  return out.build();
}

std::map<std::string, std::string> links_of(const alert::Alert& alert, const Labels& labels,
                                            const OutgoingContext& context) {
  std::map<std::string, std::string> out;
  if (context.links.empty()) return out;
  alert::TemplateData data;
  data.labels = labels;
  data.external_labels = context.external_labels;
  data.external_url = context.external_url;
  data.value = alert.value;
  data.at = context.decided_at;
  data.span = span_of(alert, context.decided_at);
  for (const auto& [name, link] : context.links) out[name] = well_formed(link.expand(data));
  return out;
}

notify::OutgoingAlert make_outgoing(const rule::Rule& rule, const alert::Alert& alert,
                                    const OutgoingContext& context) {
  notify::OutgoingAlert out;
  out.labels = outgoing_labels(alert.labels, context.external_labels);
  // JSON takes nothing else, and the bytes may come from anywhere: a receiver that refuses them
  // would refuse the alert.
  for (const auto& [name, text] : alert.annotations) out.annotations[name] = well_formed(text);
  if (const std::string line = alert::sparkline(alert.values); !line.empty()) {
    out.annotations.try_emplace("sparkline", line);
  }
  out.annotations.merge(links_of(alert, out.labels, context));
  if (!context.origin.file.empty()) {
    out.annotations.try_emplace("rule_file", context.origin.place());
  }
  if (!context.origin.revision.empty()) {
    out.annotations.try_emplace("rule_revision", context.origin.revision);
  }
  out.blind = alert.blind.has_value();
  if (alert.blind) {
    out.annotations["blind"] = "Not seen since " + format_rfc3339(alert.blind->since) +
                               ", because " + well_formed(alert.blind->obstacle.reason) +
                               ". The alert stays until fresh data says that it is over.";
  }
  if (alert.flapping_since) {
    out.annotations["flapping"] = "Coming and going since " +
                                  format_rfc3339(*alert.flapping_since) +
                                  ". It counts as firing until it keeps still.";
  }
  out.resolved = alert.state == alert::State::Inactive;
  out.starts_at = alert.fired_at.value_or(alert.active_at);
  out.ends_at = out.resolved ? alert.resolved_at.value_or(context.decided_at) : context.valid_until;
  out.decided_at = context.decided_at;
  out.generator_url = generator_url(context.external_url, rule.expr_text);
  return out;
}

std::vector<notify::OutgoingAlert> make_outgoing(const rule::Rule& rule,
                                                 const std::vector<alert::Alert>& alerts,
                                                 const OutgoingContext& context,
                                                 const source::Relabeler& relabeler) {
  std::vector<notify::OutgoingAlert> out;
  for (const alert::Alert& alert : alerts) {
    notify::OutgoingAlert outgoing = make_outgoing(rule, alert, context);
    auto labels = relabeler.apply(outgoing.labels);
    if (!labels) continue;
    outgoing.labels = std::move(*labels);
    out.push_back(std::move(outgoing));
  }
  return out;
}

}  // namespace tocsin::daemon
