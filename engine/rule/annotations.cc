// SPDX-License-Identifier: Apache-2.0
#include "rule/annotations.h"

#include <cmath>

#include "rule/notation.h"
#include "rule/series_family.h"
#include "tocsin/duration.h"

namespace tocsin::rule {
namespace {

using Annotations = std::map<std::string, std::string>;

constexpr std::string_view kPercent = "{{ $value | humanizePercentage }}";
constexpr std::string_view kDuration = "{{ $value | humanizeDuration }}";

// The first of the workload's labels that is there.
std::string workload_name(std::string_view prefix) {
  std::string out = "{{ or";
  for (const std::string& label : kinds_with(prefix)) out += " $labels." + label;
  return out + " \"an unknown workload\" }}";
}

std::string in_namespace(std::string_view label) {
  const std::string name = "$labels." + std::string(label);
  return "{{ if " + name + " }} in {{ " + name + " }}{{ end }}";
}

std::string route_subject(Side side) {
  const std::string whose =
      side == Side::Client ? "service {{ $labels.service }}"
                           : "{{ if $labels.service }}service {{ $labels.service }}{{ else }}" +
                                 workload_name("") + "{{ end }}";
  return "route {{ or $labels.route \"(default)\" }} of " + whose + in_namespace("namespace");
}

// Who it is about, to stand in the middle of a sentence.
std::string subject(const Condition& c) {
  switch (c.by) {
    case By::Workload:
      return workload_name("") + in_namespace("namespace");
    case By::Service:
      return "service {{ $labels.service }}" + in_namespace("namespace");
    case By::Route:
      return route_subject(c.side);
    case By::Edge:
      return workload_name("client_") + in_namespace("client_namespace") +
             " to service {{ $labels.service }}" + in_namespace("namespace");
  }
  return {};
}

std::string requests_of(const Condition& c) {
  return (c.by == By::Edge ? "requests from " : "requests to ") + subject(c);
}

std::string traffic_of(const Condition& c) {
  return (c.by == By::Edge ? "Traffic from " : "Traffic to ") + subject(c);
}

std::string seen_by(const Condition& c) {
  return c.side == Side::Client ? "as their callers saw them" : "as its own proxies counted them";
}

// Failures that no application has answered.
std::string of_the_mesh(const Condition& c) {
  return c.side == Side::Client ? ", the timeouts and fail-fasts of the mesh included" : "";
}

std::string per_over(const Condition& c) { return "over the last " + format_duration(c.over); }

Annotations of_success_rate(const Condition& c) {
  return {{"summary", subject(c) + ": only " + std::string(kPercent) + " of requests succeed"},
          {"description", "Of the " + requests_of(c) + ", " + std::string(kPercent) +
                              " succeeded " + per_over(c) + ", " + seen_by(c) + of_the_mesh(c) +
                              ". At least " + c.threshold_text + " should."},
          {"value", std::string(kPercent)}};
}

// 0.99 → "99", 0.999 → "99.9".
std::string percent_of(double quantile) {
  const double percent = std::round(quantile * 1e6) / 1e4;
  return number_text(percent);
}

Annotations of_latency(const Condition& c) {
  const std::string percent = percent_of(c.quantile);
  return {
      {"summary", subject(c) + ": slow, p" + percent + " is " + std::string(kDuration)},
      {"description", "The slowest " + percent_of(1 - c.quantile) + "% of the " + requests_of(c) +
                          " took " + std::string(kDuration) + " or longer " + per_over(c) + ", " +
                          seen_by(c) + ". The limit is " + c.threshold_text + "."},
      {"value", std::string(kDuration)}};
}

Annotations of_traffic_multiple(const Condition& c) {
  const bool above = c.comparison == Comparison::Above;
  const std::string times =
      above ? "{{ printf \"%.1f\" $value }} times" : std::string(kPercent) + " of";
  return {{"summary",
           subject(c) + ": traffic " + (above ? "spike" : "drop") + ", " + times + " the usual"},
          {"description", traffic_of(c) + " was " + times + " its usual level " + per_over(c) +
                              ". Usual is the median of the " + format_duration(c.baseline_over) +
                              " before; the limit is " + c.threshold_text + "." +
                              (above ? "" : " Callers may be failing before they get here.")},
          {"value", times + " the baseline"}};
}

Annotations of_traffic(const Condition& c) {
  if (c.unit == Unit::TimesBaseline) return of_traffic_multiple(c);
  const bool above = c.comparison == Comparison::Above;
  const std::string rate = "{{ printf \"%.2f\" $value }} requests/s";
  return {{"summary", subject(c) + ": " + (above ? "high" : "low") + " traffic, " + rate},
          {"description", traffic_of(c) + " was " + rate + " " + per_over(c) + ". The limit is " +
                              c.threshold_text + "."},
          {"value", rate}};
}

// What stops while a component is away, for whoever wonders how bad it is.
Annotations of_control_plane(const Condition&) {
  return {
      {"summary", "Linkerd's control plane is without {{ $labels.component }}"},
      {"description",
       "No replica of {{ $labels.component }} answers. "
       "{{ if eq $labels.component \"identity\" }}New pods cannot start and certificates are "
       "not renewed: the first running proxies lose their identity after 7 hours."
       "{{ else if eq $labels.component \"destination\" }}Proxies keep the endpoints they know: "
       "traffic goes on, but not to new pods."
       "{{ else if eq $labels.component \"proxy-injector\" }}New pods start without a proxy, or "
       "not at all."
       "{{ else }}New and changed pods get the default policy.{{ end }}"},
      {"value", "{{ $value }} ready"}};
}

// "29d 23h left", "1h 5m left", "expired 5m ago": two units are enough.
std::string time_left() {
  const std::string shortened =
      "reReplaceAll \"^-?([0-9]+d [0-9]+h|[0-9]+h [0-9]+m|[0-9]+m [0-9]+s|[0-9.]+m?s).*\" \"$1\" "
      "(humanizeDuration $value)";
  return "{{ if gt $value 0.0 }}{{ " + shortened + " }} left{{ else }}expired {{ " + shortened +
         " }} ago{{ end }}";
}

Annotations of_leaf(const Condition& c) {
  const std::string who = workload_name("") + in_namespace("namespace");
  return {{"summary", who + ": proxy certificates are not renewed, " + time_left()},
          {"description", "A proxy of " + who + " has a certificate that is not renewed: " +
                              time_left() + " (" + c.threshold_text +
                              "). When it ends the proxy can neither accept nor make connections "
                              "inside the mesh. Look at linkerd-identity, and at the issuer."},
          {"value", time_left()}};
}

Annotations of_certificate(const Condition& c) {
  if (c.certificate == CertificateKind::Leaf) return of_leaf(c);
  const bool webhook = c.certificate == CertificateKind::Webhook;
  const std::string which =
      "The {{ $labels.kind }} certificate{{ if ne $labels.name $labels.kind }} {{ $labels.name "
      "}}{{ end }}";
  return {
      {"summary", which + ": " + time_left()},
      {"description", which + ": " + time_left() + " (the limit is " + c.threshold_text + "). " +
                          (webhook ? "Without it the API server cannot call the webhook: pods "
                                     "start without a proxy, or not at all."
                                   : "Without it no proxy can get or keep an identity: the "
                                     "whole mesh is cut off.") +
                          " Nothing renews it by itself unless cert-manager does."},
      {"value", time_left()}};
}

// Templates compare numbers of one type only: 3 → "3.0".
std::string template_number(double number) {
  const std::string text = number_text(number);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

Annotations of_proxy_restarts(const Condition& c) {
  const std::string who =
      "{{ if or $labels.deployment $labels.statefulset $labels.daemonset $labels.k8s_job "
      "$labels.cronjob $labels.replicaset $labels.replicationcontroller }}" +
      workload_name("") + in_namespace("namespace") +
      "{{ else }}pods in {{ $labels.namespace }}{{ end }}";
  const std::string count = "{{ printf \"%.0f\" $value }}";
  const std::string too_often = "{{ if gt $value " + template_number(c.threshold) + " }}";
  return {
      {"summary", who + ": Linkerd proxies do not " + too_often + "stay{{ else }}come{{ end }} up"},
      {"description", "A Linkerd container of " + who + " " + too_often + "was restarted " + count +
                          " times " + per_over(c) +
                          ".{{ else }}does not come up: it waits in CrashLoopBackOff, or its pod "
                          "has been stuck in Init for minutes.{{ end }} Look at the logs of "
                          "linkerd-proxy and linkerd-init, and whether linkerd-identity is up."},
      {"value", too_often + count + " restarts{{ else }}not up{{ end }}"}};
}

}  // namespace

std::map<std::string, std::string> default_annotations(const Condition& c) {
  Annotations out;
  switch (c.kind) {
    case ConditionKind::SuccessRate:
      out = of_success_rate(c);
      break;
    case ConditionKind::Latency:
      out = of_latency(c);
      break;
    case ConditionKind::Traffic:
      out = of_traffic(c);
      break;
    case ConditionKind::ControlPlane:
      out = of_control_plane(c);
      break;
    case ConditionKind::Certificate:
      out = of_certificate(c);
      break;
    case ConditionKind::ProxyRestarts:
      out = of_proxy_restarts(c);
      break;
  }
  out["threshold"] = c.threshold_text;
  return out;
}

}  // namespace tocsin::rule
