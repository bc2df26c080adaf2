// SPDX-License-Identifier: Apache-2.0
#include "notify/message.h"

#include <algorithm>
#include <array>
#include <set>

#include "tocsin/duration.h"

namespace tocsin::notify {
namespace {

struct Named {
  std::string_view label;
  std::string_view name;
};

// Where it is, in the order in which people ask.
constexpr std::array<Named, 13> kWhere{{{"cluster", "Cluster"},
                                        {"namespace", "Namespace"},
                                        {"service", "Service"},
                                        {"route", "Route"},
                                        {"deployment", "Deployment"},
                                        {"statefulset", "StatefulSet"},
                                        {"daemonset", "DaemonSet"},
                                        {"k8s_job", "Job"},
                                        {"cronjob", "CronJob"},
                                        {"replicaset", "ReplicaSet"},
                                        {"component", "Component"},
                                        {"client_namespace", "Client's namespace"},
                                        {"client_deployment", "Client"}}};

// Annotations that lead somewhere.
constexpr std::array<Named, 6> kLinks{{{"runbook_url", "Runbook"},
                                       {"dashboard_url", "Dashboard"},
                                       {"dashboard", "Dashboard"},
                                       {"logs", "Logs"},
                                       {"traces", "Traces"},
                                       {"link", "Link"}}};

struct NamedSeverity {
  std::string_view label;
  Severity severity;
};
constexpr std::array<NamedSeverity, 10> kSeverities{{{"info", Severity::Info},
                                                     {"information", Severity::Info},
                                                     {"none", Severity::Info},
                                                     {"warning", Severity::Warning},
                                                     {"warn", Severity::Warning},
                                                     {"ticket", Severity::Warning},
                                                     {"error", Severity::Error},
                                                     {"critical", Severity::Critical},
                                                     {"page", Severity::Critical},
                                                     {"emergency", Severity::Critical}}};

std::string annotation(const OutgoingAlert& alert, const std::string& name) {
  const auto it = alert.annotations.find(name);
  return it == alert.annotations.end() ? "" : it->second;
}

bool is_web_link(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

// "shop/web" of whatever the alert is about; empty if it says nothing.
std::string place_of(const Labels& labels) {
  std::string place;
  for (const Named& where : kWhere) {
    const std::string_view value = labels.get(where.label);
    if (value.empty() || where.label == "cluster" || where.label.starts_with("client")) continue;
    place += (place.empty() ? "" : "/") + std::string(value);
  }
  return place;
}

std::vector<Fact> facts_of(const OutgoingAlert& alert) {
  std::vector<Fact> facts;
  for (const Named& where : kWhere) {
    const std::string_view value = alert.labels.get(where.label);
    if (!value.empty()) facts.push_back({std::string(where.name), std::string(value)});
  }
  const std::string value = annotation(alert, "value");
  const std::string threshold = annotation(alert, "threshold");
  if (!value.empty()) {
    facts.push_back({"Value", threshold.empty() ? value : value + " (limit " + threshold + ")"});
  }
  const std::string history = annotation(alert, "sparkline");
  if (!history.empty()) facts.push_back({"Lately", history});
  facts.push_back({"Since", format_rfc3339(alert.starts_at)});
  if (alert.resolved) {
    facts.push_back(
        {"Until", format_rfc3339(alert.ends_at) + ", after " +
                      format_duration(std::max(Duration(0), alert.ends_at - alert.starts_at))});
  }
  return facts;
}

AlertText text_of(const OutgoingAlert& alert) {
  AlertText text;
  text.resolved = alert.resolved;
  text.title = annotation(alert, "summary");
  const std::string place = place_of(alert.labels);
  if (text.title.empty()) {
    text.title = std::string(alert.labels.get("alertname")) + (place.empty() ? "" : ": " + place);
  }
  text.description = annotation(alert, "description");
  text.facts = facts_of(alert);
  for (const char* note : {"blind", "flapping"}) {
    if (const std::string said = annotation(alert, note); !said.empty()) text.notes.push_back(said);
  }
  if (const std::string why = annotation(alert, "resolved_because"); !why.empty()) {
    text.notes.push_back("Over because: " + why + ".");
  }
  for (const Named& link : kLinks) {
    const std::string url = annotation(alert, std::string(link.label));
    if (is_web_link(url)) text.links.push_back({std::string(link.name), url});
  }
  if (is_web_link(alert.generator_url)) text.links.push_back({"Query", alert.generator_url});
  return text;
}

// What the title of the group says of its alerts: their names, and where, if that is one place.
std::string about(const std::vector<const OutgoingAlert*>& alerts) {
  std::set<std::string> names;
  std::set<std::string> places;
  for (const OutgoingAlert* alert : alerts) {
    names.emplace(alert->labels.get("alertname"));
    places.insert(place_of(alert->labels));
  }
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return places.size() == 1 && !places.begin()->empty() ? out + ": " + *places.begin() : out;
}

}  // namespace

Severity severity_of(std::string_view label) {
  const auto it = std::find_if(kSeverities.begin(), kSeverities.end(),
                               [&](const NamedSeverity& known) { return known.label == label; });
  return it == kSeverities.end() ? Severity::Error : it->severity;
}

std::string plain_text(const MessageText& message) {
  std::string out;
  for (const AlertText& alert : message.alerts) {
    out += (alert.resolved ? "RESOLVED " : "") + alert.title + "\n";
    if (!alert.description.empty()) out += alert.description + "\n";
    for (const Fact& fact : alert.facts) out += "  " + fact.name + ": " + fact.text + "\n";
    for (const std::string& note : alert.notes) out += "  " + note + "\n";
    for (const Link& link : alert.links) out += "  " + link.text + ": " + link.url + "\n";
    out += "\n";
  }
  if (message.left_out > 0) {
    out += "and " + std::to_string(message.left_out) + " more, on Tocsin's page\n";
  }
  return out;
}

MessageText message_of(const GroupMessage& group, std::size_t most) {
  std::vector<const OutgoingAlert*> alerts;
  for (const OutgoingAlert& alert : group.alerts) alerts.push_back(&alert);
  std::stable_sort(alerts.begin(), alerts.end(),
                   [](const auto* a, const auto* b) { return !a->resolved && b->resolved; });
  const auto firing = static_cast<std::size_t>(std::count_if(
      alerts.begin(), alerts.end(), [](const OutgoingAlert* alert) { return !alert->resolved; }));
  MessageText message;
  message.resolved = firing == 0;
  message.url = group.external_url;
  message.title = firing > 0 ? "[FIRING " + std::to_string(firing) + "] " : "[RESOLVED] ";
  message.title += about(alerts);
  for (const OutgoingAlert* alert : alerts) {
    const std::string label(alert->labels.get("severity"));
    const bool worse =
        message.severity.empty() || severity_of(label) > severity_of(message.severity);
    if (alert->resolved == message.resolved && !label.empty() && worse) message.severity = label;
    if (most == 0 || message.alerts.size() < most) {
      message.alerts.push_back(text_of(*alert));
    } else {
      ++message.left_out;
    }
  }
  return message;
}

}  // namespace tocsin::notify
