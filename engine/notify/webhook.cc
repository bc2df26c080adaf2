// SPDX-License-Identifier: Apache-2.0
//
// A webhook gets Alertmanager's version "4", unless the configuration has a template for its body.
#include <boost/json.hpp>

#include "alert/message_template.h"
#include "notify/channel_kinds.h"
#include "notify/webhook_template.h"
#include "tocsin/duration.h"

namespace tocsin::notify {
namespace {

using alert::make_list;
using alert::make_map;
using alert::StringMap;
using alert::TemplateValue;
using alert::ValueList;
using alert::ValueMap;

TemplateValue value_of(const OutgoingAlert& one) {
  ValueMap out;
  out["Status"] = one.resolved ? "resolved" : "firing";
  out["Labels"] = alert::to_map(one.labels);
  out["Annotations"] = StringMap(one.annotations);
  out["StartsAt"] = format_rfc3339(one.starts_at);
  out["EndsAt"] = one.resolved ? format_rfc3339(one.ends_at) : "0001-01-01T00:00:00Z";
  out["GeneratorURL"] = one.generator_url;
  out["Fingerprint"] = fingerprint(one.labels);
  return make_map(std::move(out));
}

// What a template may look at, by Alertmanager's names.
TemplateValue value_of(const GroupMessage& group) {
  ValueList alerts;
  bool fires = false;
  for (const OutgoingAlert& one : group.alerts) {
    alerts.push_back(value_of(one));
    fires = fires || !one.resolved;
  }
  ValueMap out;
  out["Receiver"] = group.receiver;
  out["Status"] = fires ? "firing" : "resolved";
  out["Alerts"] = make_list(std::move(alerts));
  out["GroupKey"] = group.group_key;
  out["GroupLabels"] = alert::to_map(group.group_labels);
  out["CommonLabels"] = common_labels(group);
  out["CommonAnnotations"] = common_annotations(group);
  out["ExternalURL"] = group.external_url;
  return make_map(std::move(out));
}

bool is_json_type(const ChannelConfig& config) {
  for (const auto& [name, value] : config.client.headers) {
    if (net::equal_ignoring_case(name, "Content-Type")) {
      return value.find("json") != std::string::npos;
    }
  }
  return true;
}

}  // namespace

Result<std::string> webhook_text(const GroupMessage& group, const ChannelConfig& config) {
  auto text = alert::expand_over(config.option("body"), value_of(group));
  if (!text || !is_json_type(config)) return text;
  boost::system::error_code error;
  (void)boost::json::parse(*text, error);
  if (error) return fail(ErrorCode::Parse, "the body is not JSON: " + error.message());
  return text;
}

ChannelRequest webhook_request(const GroupMessage& group, const OpenChannel& channel) {
  ChannelRequest out{channel.url, {}, {}};
  if (!channel.config.option("body").empty()) {
    auto text = webhook_text(group, channel.config);
    if (text) {
      out.body = std::move(*text);
      return out;
    }
    out.flaw = text.error().message;
  }
  out.body = webhook_body(group, channel.config.max_alerts);
  return out;
}

GroupMessage sample_group() {
  GroupMessage out{"team", "{}:{}", Labels{{"alertname", "SuccessRateLow"}}, {}, "http://tocsin"};
  for (const bool resolved : {false, true}) {
    OutgoingAlert one;
    one.labels = Labels{{"alertname", "SuccessRateLow"},
                        {"deployment", resolved ? "api" : "web"},
                        {"namespace", "shop"},
                        {"severity", "critical"}};
    one.annotations = {{"summary", "only \"87%\" of requests\nsucceed"}};
    one.resolved = resolved;
    out.alerts.push_back(std::move(one));
  }
  return out;
}

}  // namespace tocsin::notify
