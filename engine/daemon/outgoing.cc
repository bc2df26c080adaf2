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

}  // namespace

notify::OutgoingAlert make_outgoing(const rule::Rule& rule, const alert::Alert& alert,
                                    const OutgoingContext& context) {
  notify::OutgoingAlert out;
  LabelsBuilder labels(alert.labels);
  for (const auto& [name, value] : context.external_labels) {
    if (!labels.has(name)) labels.set(name, value);
  }
  for (const LabelView& label : alert.labels) {
    if (std::string sound = well_formed(label.value); sound != label.value) {
      labels.set(label.name, sound);
    }
  }
  out.labels = labels.build();
  // JSON takes nothing else, and the bytes may come from anywhere: a receiver that refuses them
  // would refuse the alert.
  for (const auto& [name, text] : alert.annotations) out.annotations[name] = well_formed(text);
  if (const std::string line = alert::sparkline(alert.values); !line.empty()) {
    out.annotations.try_emplace("sparkline", line);
  }
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

}  // namespace tocsin::daemon
