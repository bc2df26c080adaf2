// SPDX-License-Identifier: Apache-2.0
#include "notify/codec.h"

#include <boost/json.hpp>

namespace tocsin::notify {
namespace json = boost::json;
namespace {

// ---- Out.

json::object text_map(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [name, text] : texts) out[name] = text;
  return out;
}

json::object label_map(const Labels& labels) {
  json::object out;
  for (const LabelView& label : labels) out[label.name] = label.value;
  return out;
}

json::object to_json(const OutgoingAlert& alert) {
  return {{"labels", label_map(alert.labels)},
          {"annotations", text_map(alert.annotations)},
          {"starts_at", to_millis(alert.starts_at)},
          {"ends_at", to_millis(alert.ends_at)},
          {"resolved", alert.resolved},
          {"generator_url", alert.generator_url},
          {"decided_at", to_millis(alert.decided_at)}};
}

json::object to_json(const GroupedAlert& alert) {
  json::object out = to_json(alert.alert);
  out["news"] = alert.news;
  out["told"] = alert.told;
  out["held"] = alert.held;
  return out;
}

json::object to_json(const GroupMessage& group) {
  json::array alerts;
  for (const OutgoingAlert& alert : group.alerts) alerts.push_back(to_json(alert));
  return {{"receiver", group.receiver},
          {"group_key", group.group_key},
          {"group_labels", label_map(group.group_labels)},
          {"external_url", group.external_url},
          {"alerts", std::move(alerts)}};
}

// ---- In. A wrong type throws; decode() turns that into an error.

std::string text_of(const json::value& value) {
  const json::string& text = value.as_string();
  return {text.data(), text.size()};
}

template <class T>
T get(const json::object& in, std::string_view name) {
  return json::value_to<T>(in.at(name));
}

Timestamp get_time(const json::object& in, std::string_view name) {
  return from_millis(get<std::int64_t>(in, name));
}

Labels get_labels(const json::object& in, std::string_view name) {
  LabelsBuilder out;
  for (const auto& [label, value] : in.at(name).as_object()) {
    out.set(std::string_view(label.data(), label.size()), text_of(value));
  }
  return out.build();
}

std::map<std::string, std::string> get_texts(const json::object& in, std::string_view name) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : in.at(name).as_object()) {
    out[std::string(key.data(), key.size())] = text_of(value);
  }
  return out;
}

OutgoingAlert to_alert(const json::object& in) {
  OutgoingAlert out;
  out.labels = get_labels(in, "labels");
  out.annotations = get_texts(in, "annotations");
  out.starts_at = get_time(in, "starts_at");
  out.ends_at = get_time(in, "ends_at");
  out.resolved = get<bool>(in, "resolved");
  out.generator_url = get<std::string>(in, "generator_url");
  out.decided_at = get_time(in, "decided_at");
  return out;
}

GroupMessage to_group_message(const json::object& in) {
  GroupMessage out;
  out.receiver = get<std::string>(in, "receiver");
  out.group_key = get<std::string>(in, "group_key");
  out.group_labels = get_labels(in, "group_labels");
  out.external_url = get<std::string>(in, "external_url");
  for (const json::value& alert : in.at("alerts").as_array()) {
    out.alerts.push_back(to_alert(alert.as_object()));
  }
  return out;
}

std::vector<std::string> names_of(const json::object& in, std::string_view name) {
  const json::value* value = in.if_contains(name);
  return value ? json::value_to<std::vector<std::string>>(*value) : std::vector<std::string>{};
}

// An older Tocsin did not know of each alert what the receiver knew, only of the group.
GroupedAlert to_grouped_alert(const json::object& in, const GroupState& group, bool changed) {
  const auto flag = [&](std::string_view name, bool absent) {
    return in.if_contains(name) ? get<bool>(in, name) : absent;
  };
  GroupedAlert out{to_alert(in)};
  out.news = flag("news", changed);
  out.told = flag("told", group.last_flush != Timestamp{});
  out.held = flag("held", false);
  return out;
}

GroupState to_group_state(const json::object& in) {
  GroupState out;
  out.timing.receiver = get<std::string>(in, "receiver");
  out.timing.group_wait = Duration(get<std::int64_t>(in, "group_wait"));
  out.timing.group_interval = Duration(get<std::int64_t>(in, "group_interval"));
  out.timing.repeat_interval = Duration(get<std::int64_t>(in, "repeat_interval"));
  out.timing.mute_time_intervals = names_of(in, "mute_time_intervals");
  out.timing.active_time_intervals = names_of(in, "active_time_intervals");
  out.labels = get_labels(in, "labels");
  out.last_flush = get_time(in, "last_flush");
  const bool changed = get<bool>(in, "changed");
  for (const json::value& item : in.at("alerts").as_array()) {
    GroupedAlert alert = to_grouped_alert(item.as_object(), out, changed);
    Labels labels = alert.alert.labels;
    out.alerts.emplace(std::move(labels), std::move(alert));
  }
  return out;
}

template <class Read>
auto decode(std::string_view text, Read read)
    -> Result<decltype(read(std::declval<const json::object&>()))> {
  try {
    return read(json::parse(json::string_view(text.data(), text.size())).as_object());
  } catch (const std::exception& e) {
    return fail(ErrorCode::Parse, std::string("not a message of the outbox: ") + e.what());
  }
}

}  // namespace

std::string encode(const Content& content) {
  if (const auto* alert = std::get_if<OutgoingAlert>(&content)) {
    return json::serialize(json::object{{"alert", to_json(*alert)}});
  }
  return json::serialize(json::object{{"group", to_json(std::get<GroupMessage>(content))}});
}

Result<Content> decode_content(std::string_view text) {
  return decode(text, [](const json::object& in) -> Content {
    if (const json::value* alert = in.if_contains("alert")) return to_alert(alert->as_object());
    return to_group_message(in.at("group").as_object());
  });
}

std::string encode(const GroupState& group) {
  json::array alerts;
  bool changed = false;  // For older Tocsins.
  for (const auto& [labels, alert] : group.alerts) {
    changed = changed || alert.news;
    alerts.push_back(to_json(alert));
  }
  return json::serialize(
      json::object{{"receiver", group.timing.receiver},
                   {"group_wait", group.timing.group_wait.count()},
                   {"group_interval", group.timing.group_interval.count()},
                   {"repeat_interval", group.timing.repeat_interval.count()},
                   {"mute_time_intervals", json::value_from(group.timing.mute_time_intervals)},
                   {"active_time_intervals", json::value_from(group.timing.active_time_intervals)},
                   {"labels", label_map(group.labels)},
                   {"changed", changed},
                   {"last_flush", to_millis(group.last_flush)},
                   {"alerts", std::move(alerts)}});
}

Result<GroupState> decode_group(std::string_view text) { return decode(text, to_group_state); }

}  // namespace tocsin::notify
