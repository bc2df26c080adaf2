// SPDX-License-Identifier: Apache-2.0
#include "notify/payload.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>

#include "alert/template_value.h"
#include "tocsin/duration.h"

namespace tocsin::notify {
namespace json = boost::json;
namespace {

json::object to_json(const Labels& labels) {
  json::object out;
  for (const LabelView& label : labels) out[label.name] = label.value;
  return out;
}

json::object to_json(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [name, text] : texts) out[name] = text;
  return out;
}

// The entries that all maps agree on.
std::map<std::string, std::string> common(
    const std::vector<std::map<std::string, std::string>>& all) {
  if (all.empty()) return {};
  std::map<std::string, std::string> out = all.front();
  for (const auto& texts : all) {
    std::erase_if(out, [&](const auto& entry) {
      const auto it = texts.find(entry.first);
      return it == texts.end() || it->second != entry.second;
    });
  }
  return out;
}

json::object webhook_alert(const OutgoingAlert& alert) {
  json::object out;
  out["status"] = alert.resolved ? "resolved" : "firing";
  out["labels"] = to_json(alert.labels);
  out["annotations"] = to_json(alert.annotations);
  out["startsAt"] = format_rfc3339(alert.starts_at);
  // Alertmanager's zero time: a firing alert has no end yet.
  out["endsAt"] = alert.resolved ? format_rfc3339(alert.ends_at) : "0001-01-01T00:00:00Z";
  out["generatorURL"] = alert.generator_url;
  out["fingerprint"] = fingerprint(alert.labels);
  return out;
}

}  // namespace

std::string fingerprint(const Labels& labels) {
  std::array<char, 20> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%016llx",
                static_cast<unsigned long long>(labels.hash()));
  return buffer.data();
}

std::string alertmanager_body(const std::vector<const OutgoingAlert*>& alerts) {
  json::array out;
  for (const OutgoingAlert* alert : alerts) {
    json::object item;
    item["labels"] = to_json(alert->labels);
    if (!alert->annotations.empty()) item["annotations"] = to_json(alert->annotations);
    // It refuses what ends before it begins, as what fires does once the clock is set back.
    item["startsAt"] = format_rfc3339(std::min(alert->starts_at, alert->ends_at));
    item["endsAt"] = format_rfc3339(alert->ends_at);
    item["generatorURL"] = alert->generator_url;
    out.push_back(std::move(item));
  }
  return json::serialize(out);
}

std::optional<GroupMessage> with_ends_of(const GroupMessage& older, const GroupMessage& newer,
                                         Timestamp since) {
  GroupMessage whole = newer;
  for (const OutgoingAlert& alert : older.alerts) {
    const bool is_told = std::any_of(newer.alerts.begin(), newer.alerts.end(),
                                     [&](const auto& a) { return a.labels == alert.labels; });
    if (alert.resolved && alert.ends_at >= since && !is_told) whole.alerts.push_back(alert);
  }
  if (whole.alerts.size() == newer.alerts.size()) return std::nullopt;
  return whole;
}

std::map<std::string, std::string> common_labels(const GroupMessage& group) {
  std::vector<std::map<std::string, std::string>> all;
  for (const OutgoingAlert& one : group.alerts) all.push_back(alert::to_map(one.labels));
  return common(all);
}

std::map<std::string, std::string> common_annotations(const GroupMessage& group) {
  std::vector<std::map<std::string, std::string>> all;
  for (const OutgoingAlert& one : group.alerts) all.push_back(one.annotations);
  return common(all);
}

std::string webhook_body(const GroupMessage& group, std::size_t max_alerts) {
  const bool firing = std::any_of(group.alerts.begin(), group.alerts.end(),
                                  [](const OutgoingAlert& alert) { return !alert.resolved; });
  const std::size_t shown =
      max_alerts == 0 ? group.alerts.size() : std::min(max_alerts, group.alerts.size());
  json::array alerts;
  for (std::size_t i = 0; i < shown; ++i) alerts.push_back(webhook_alert(group.alerts[i]));
  json::object out;
  out["version"] = "4";
  out["receiver"] = group.receiver;
  out["status"] = firing ? "firing" : "resolved";
  out["alerts"] = std::move(alerts);
  out["groupLabels"] = to_json(group.group_labels);
  out["commonLabels"] = to_json(common_labels(group));
  out["commonAnnotations"] = to_json(common_annotations(group));
  out["externalURL"] = group.external_url;
  out["groupKey"] = group.group_key;
  out["truncatedAlerts"] = group.alerts.size() - shown;
  return json::serialize(out);
}

}  // namespace tocsin::notify
