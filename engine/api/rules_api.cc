// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/rules and /api/v1/alerts. Prometheus' keys, and beside them what Tocsin knows more of:
// "blindSince" and "blindReason" of an alert that cannot be seen, "mutedBy" (silence, inhibition or
// time_interval), "mutedBecause" and "mutedUntil" of one that nobody is told of, "heldBack" of a
// rule whose group has reached its limit, "generated" of a recording that no file has,
// "iterationsMissed" of a group.
#include <algorithm>
#include <set>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/params.h"
#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

using rule::RuleKind;

struct Filter {
  std::optional<RuleKind> kind;
  std::set<std::string> names;
  std::set<std::string> groups;
  std::set<std::string> files;
  std::vector<Matchers> selectors;  // Any of them, on the rule's labels.
  bool exclude_alerts = false;

  bool wants(const GroupStatus& group) const {
    return (groups.empty() || groups.contains(group.name)) &&
           (files.empty() || files.contains(group.file));
  }

  bool wants(const rule::Rule& rule) const {
    return (!kind || *kind == rule.kind) && (names.empty() || names.contains(rule.name)) &&
           has_labels(rule);
  }

 private:
  bool has_labels(const rule::Rule& rule) const {
    if (selectors.empty()) return true;
    LabelsBuilder builder;
    for (const auto& [name, value] : rule.labels) builder.set(name, value);
    const Labels labels = builder.build();
    return std::any_of(selectors.begin(), selectors.end(),
                       [&](const Matchers& matchers) { return matches_all(matchers, labels); });
  }
};

std::set<std::string> set_of(const net::HttpServerRequest& request, std::string_view name) {
  const std::vector<std::string> all = request.all_params(name);
  return {all.begin(), all.end()};
}

Result<std::optional<RuleKind>> kind_in(const net::HttpServerRequest& request) {
  const std::string_view type = request.param("type");
  if (type.empty()) return std::nullopt;
  if (net::equal_ignoring_case(type, "alert")) return RuleKind::Alert;
  if (net::equal_ignoring_case(type, "record")) return RuleKind::Record;
  return invalid_parameter("type", "not supported value \"" + std::string(type) + "\"");
}

Result<Filter> read_filter(const net::HttpServerRequest& request) {
  const auto kind = kind_in(request);
  if (!kind) return fail(kind.error());
  const auto exclude = flag_of(request, "exclude_alerts");
  if (!exclude) return fail(exclude.error());
  const auto selectors = selectors_of(request);
  if (!selectors) return fail(selectors.error());
  Filter out{.kind = *kind,
             .names = set_of(request, "rule_name[]"),
             .groups = set_of(request, "rule_group[]"),
             .files = set_of(request, "file[]"),
             .exclude_alerts = *exclude};
  for (const std::string& selector : *selectors) {
    out.selectors.push_back(*parse_selector(selector));
  }
  return out;
}

void write_mute(JsonWriter& json, const notify::Mute& mute) {
  json.key("mutedBy").text(notify::name_of(mute.reason)).key("mutedBecause").text(mute.text);
  if (mute.until) json.key("mutedUntil").text(format_rfc3339(*mute.until));
}

void write_alert(JsonWriter& json, const alert::Alert& alert, const Backend& backend) {
  json.begin_object().key("labels").labels(alert.labels);
  json.key("annotations").texts(alert.annotations);
  json.key("state").text(alert::name_of(alert.state));
  json.key("activeAt").text(format_rfc3339(alert.active_at));
  if (alert.keep_firing_since) {
    json.key("keepFiringSince").text(format_rfc3339(*alert.keep_firing_since));
  }
  json.key("value").text(format_exponent(alert.value));
  if (alert.blind) {
    json.key("blindSince").text(format_rfc3339(alert.blind->since));
    json.key("blindReason").text(alert.blind->obstacle.reason);
  }
  if (const auto mute = backend.mute_of(alert)) write_mute(json, *mute);
  json.end_object();
}

void write_alerts(JsonWriter& json, const std::vector<alert::Alert>& alerts,
                  const Backend& backend) {
  for (const alert::Alert& alert : alerts) {
    if (alert.state != alert::State::Inactive) write_alert(json, alert, backend);
  }
}

void write_health(JsonWriter& json, const RuleStatus& status) {
  json.key("health").text(name_of(status.health));
  if (!status.last_error.empty()) json.key("lastError").text(status.last_error);
  json.key("evaluationTime").number(status.evaluation_seconds);
  json.key("lastEvaluation").text(moment_text(status.last_evaluation));
}

void write_origin(JsonWriter& json, const RuleOrigin& origin) {
  if (origin.line > 0) json.key("line").integer(static_cast<std::uint64_t>(origin.line));
  if (!origin.revision.empty()) json.key("revision").text(origin.revision);
}

void write_alerting_rule(JsonWriter& json, const RuleStatus& status, const Filter& filter,
                         const Backend& backend) {
  const rule::Rule& rule = *status.rule;
  json.begin_object().key("state").text(alert::name_of(status.state));
  json.key("name").text(rule.name).key("query").text(rule.expr_text);
  json.key("duration").number(to_seconds(rule.for_duration));
  json.key("keepFiringFor").number(to_seconds(rule.keep_firing_for));
  json.key("labels").texts(rule.labels).key("annotations").texts(rule.annotations);
  json.key("alerts").begin_array();
  if (!filter.exclude_alerts) write_alerts(json, status.alerts, backend);
  json.end_array();
  write_health(json, status);
  write_origin(json, status.origin);
  json.key("type").text("alerting");
  if (status.held_back > 0) json.key("heldBack").integer(status.held_back);
  json.end_object();
}

void write_recording_rule(JsonWriter& json, const RuleStatus& status) {
  const rule::Rule& rule = *status.rule;
  json.begin_object().key("name").text(rule.name).key("query").text(rule.expr_text);
  if (!rule.labels.empty()) json.key("labels").texts(rule.labels);
  write_health(json, status);
  write_origin(json, status.origin);
  json.key("type").text("recording");
  if (rule.generated) json.key("generated").boolean(true);
  json.end_object();
}

void write_group(JsonWriter& json, const GroupStatus& group, const Filter& filter,
                 const Backend& backend) {
  json.begin_object().key("name").text(group.name).key("file").text(group.file);
  json.key("rules").begin_array();
  for (const RuleStatus& status : group.rules) {
    if (!filter.wants(*status.rule)) continue;
    if (status.rule->kind == RuleKind::Alert) {
      write_alerting_rule(json, status, filter, backend);
    } else {
      write_recording_rule(json, status);
    }
  }
  json.end_array().key("interval").number(to_seconds(group.interval));
  json.key("limit").integer(group.limit);
  json.key("evaluationTime").number(group.evaluation_seconds);
  json.key("lastEvaluation").text(moment_text(group.last_evaluation));
  json.key("iterationsMissed").integer(group.iterations_missed).end_object();
}

// As in Prometheus, a group of which the filter leaves nothing is left out.
bool has_wanted_rule(const GroupStatus& group, const Filter& filter) {
  return filter.wants(group) &&
         std::any_of(group.rules.begin(), group.rules.end(),
                     [&](const RuleStatus& status) { return filter.wants(*status.rule); });
}

}  // namespace

void rules(const Call& call) {
  const auto filter = read_filter(call.request);
  if (!filter) return reply_error(call, filter.error());
  std::string data;
  JsonWriter json(data);
  json.begin_object().key("groups").begin_array();
  for (const GroupStatus& group : call.backend.groups()) {
    if (has_wanted_rule(group, *filter)) write_group(json, group, *filter, call.backend);
  }
  json.end_array().end_object();
  reply_data(call, data);
}

void alerts(const Call& call) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().key("alerts").begin_array();
  for (const GroupStatus& group : call.backend.groups()) {
    for (const RuleStatus& status : group.rules) write_alerts(json, status.alerts, call.backend);
  }
  json.end_array().end_object();
  reply_data(call, data);
}

}  // namespace tocsin::api
