// SPDX-License-Identifier: Apache-2.0
#include "rule/series_family.h"

#include <algorithm>

#include "tocsin/diagnostics.h"
#include "tocsin/duration.h"
#include "tocsin/labels.h"

namespace tocsin::rule {

const std::vector<std::string> kWorkloadKinds = {
    "deployment", "statefulset",          "daemonset", "k8s_job", "cronjob",
    "replicaset", "replicationcontroller"};

namespace {

// Not the proxy's own port, not the kubelet's probes. Negative, so that they do no harm where a
// label is missing.
constexpr std::string_view kNotAdmin = R"(target_port!="4191")";
constexpr std::string_view kNotProbe = R"(,route_name!="probe")";
constexpr std::string_view kInfrastructure = "linkerd|linkerd-viz";
constexpr std::string_view kGrpcFailure =
    "UNKNOWN|DEADLINE_EXCEEDED|PERMISSION_DENIED|INTERNAL|UNAVAILABLE|DATA_LOSS";
// error="UNKNOWN" or "CANCEL" behind a good status is a client that went away.
constexpr std::string_view kNoError = "|UNKNOWN|CANCEL";

using Names = std::map<std::string, std::string>;

// Own labels are those that the scrape gives a proxy.
Names own_names(std::string_view prefix) {
  Names names{{std::string(prefix) + "namespace", "namespace"}};
  for (const std::string& kind : kWorkloadKinds) names[std::string(prefix) + kind] = kind;
  return names;
}

Names with(Names names, const Names& more) {
  names.insert(more.begin(), more.end());
  return names;
}

Names destination_names() {
  Names names{{"namespace", "dst_namespace"}, {"service", "dst_service"}};
  for (const std::string& kind : kWorkloadKinds) names[kind] = "dst_" + kind;
  return names;
}

std::string error_not(std::string_view errors) { return "error!~" + quote(errors); }

Family endpoint_family(FamilyId id, std::string_view direction, Names names) {
  Family f{.id = id, .names = std::move(names), .bucket_seconds = 0.001};
  f.matchers = "direction=" + quote(direction) + "," + std::string(kNotAdmin);
  if (id == FamilyId::Inbound) f.matchers += kNotProbe;
  f.totals = {{"response_total", ""}};
  f.failures = {{"response_total", R"(classification="failure")"}};
  f.starts = {{"request_total", ""}};
  f.buckets = {{"response_latency_ms_bucket", ""}};
  f.counts = {{"response_latency_ms_count", ""}};
  return f;
}

Family profile_family(FamilyId id, std::string_view direction, Names names) {
  Family f{.id = id, .names = std::move(names), .in_dst = true, .bucket_seconds = 0.001};
  f.names["route"] = "rt_route";
  f.matchers = "direction=" + quote(direction);
  f.totals = {{"route_response_total", ""}};
  f.failures = {{"route_response_total", R"(classification="failure")"}};
  f.starts = {{"route_request_total", ""}};
  f.buckets = {{"route_response_latency_ms_bucket", ""}};
  f.counts = {{"route_response_latency_ms_count", ""}};
  return f;
}

Family route_family() {
  const std::string http = "outbound_http_route_";
  const std::string grpc = "outbound_grpc_route_";
  const std::string http_statuses = http + "request_statuses_total";
  const std::string grpc_statuses = grpc + "request_statuses_total";
  Family f{.id = FamilyId::OutboundRoute,
           .matchers = R"(parent_kind="Service")",
           .names = with(own_names("client_"), {{"namespace", "parent_namespace"},
                                                {"service", "parent_name"},
                                                {"route", "route_name"}}),
           .apart = "route_kind"};
  f.totals = {{http_statuses, ""}, {grpc_statuses, ""}};
  f.failures = {
      {http_statuses, R"(http_status=~"5..")"},
      {http_statuses, R"(http_status="",error!="")"},
      {http_statuses, R"(http_status=~"[1-4]..",)" + error_not(kNoError)},
      {grpc_statuses, "grpc_status=~" + quote(kGrpcFailure) + R"(,error!~"UNKNOWN|CANCEL")"},
      {grpc_statuses, "grpc_status!~" + quote(kGrpcFailure) + "," + error_not(kNoError)}};
  f.starts = {{http + "backend_requests_total", ""}, {grpc + "backend_requests_total", ""}};
  f.buckets = {{http + "request_duration_seconds_bucket", ""},
               {grpc + "request_duration_seconds_bucket", ""}};
  f.counts = {{http + "request_duration_seconds_count", ""},
              {grpc + "request_duration_seconds_count", ""}};
  return f;
}

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      endpoint_family(FamilyId::Inbound, "inbound", with(own_names(""), {{"route", "route_name"}})),
      profile_family(FamilyId::InboundProfile, "inbound", own_names("")),
      route_family(),
      profile_family(FamilyId::OutboundProfile, "outbound", own_names("client_")),
      endpoint_family(FamilyId::Outbound, "outbound",
                      with(own_names("client_"), destination_names())),
  };
  return all;
}

// Words that some family knows; any other label of `where` is a label of the series as it stands.
bool is_word(const std::string& label) {
  return std::any_of(families().begin(), families().end(),
                     [&](const Family& f) { return f.knows(label); });
}

std::string matcher(const std::string& label, std::string_view op, std::string_view value) {
  return label + std::string(op) + quote(value);
}

void append(std::string& list, const std::string& more) {
  if (more.empty()) return;
  if (!list.empty()) list += ",";
  list += more;
}

// `dst` is "service.namespace.svc.domain:port"; an empty expression is any.
std::string dst_matcher(const std::string& service, const std::string& name_space) {
  if (service.empty() && name_space.empty()) return {};
  const auto part = [](const std::string& expression) {
    return expression.empty() ? std::string("[^.]+") : "(?:" + expression + ")";
  };
  return matcher("dst", "=~", part(service) + "\\." + part(name_space) + "\\..*");
}

std::string without_infrastructure(const Family& f) {
  if (f.id == FamilyId::OutboundProfile) {
    return matcher("dst", "!~", "[^.]+\\.(?:" + std::string(kInfrastructure) + ")\\..*");
  }
  return matcher(f.names.at("namespace"), "!~", kInfrastructure);
}

std::string call(std::string_view function, const std::string& rows, const std::string& to,
                 const std::string& from) {
  return std::string(function) + "(" + rows + ", " + quote(to) + ", \"\", " + quote(from) + ")";
}

std::string from_dst(const std::string& rows, const std::string& to, std::string_view regex) {
  return "label_replace(" + rows + ", " + quote(to) + ", \"$1\", \"dst\", " + quote(regex) + ")";
}

}  // namespace

std::vector<std::string> kinds_with(std::string_view prefix) {
  std::vector<std::string> out;
  for (const std::string& kind : kWorkloadKinds) out.push_back(std::string(prefix) + kind);
  return out;
}

bool Family::knows(const std::string& word) const {
  return names.contains(word) || (in_dst && (word == "service" || word == "namespace"));
}

const Family& family(FamilyId id) {
  return *std::find_if(families().begin(), families().end(),
                       [&](const Family& f) { return f.id == id; });
}

View view_of(By by, Side side) {
  std::vector<std::string> workload = kinds_with("");
  workload.insert(workload.begin(), "namespace");
  const std::vector<std::string> service = {"namespace", "service"};
  if (by == By::Workload) {
    return {workload, workload, {side == Side::Server ? FamilyId::Inbound : FamilyId::Outbound}};
  }
  if (by == By::Service) {
    return {
        service, service, {FamilyId::OutboundRoute, FamilyId::OutboundProfile, FamilyId::Outbound}};
  }
  if (by == By::Route && side == Side::Server) {
    std::vector<std::string> labels = workload;
    labels.insert(labels.end(), {"service", "route"});
    return {labels, workload, {FamilyId::InboundProfile, FamilyId::Inbound}};
  }
  if (by == By::Route) {
    return {{"namespace", "service", "route"},
            service,
            {FamilyId::OutboundRoute, FamilyId::OutboundProfile}};
  }
  std::vector<std::string> edge = kinds_with("client_");
  edge.insert(edge.begin(), "client_namespace");
  edge.insert(edge.end(), {"namespace", "service"});
  std::vector<std::string> labels = edge;
  labels.insert(labels.end(), {"deployment", "statefulset", "daemonset"});
  return {labels, edge, {FamilyId::OutboundRoute, FamilyId::OutboundProfile, FamilyId::Outbound}};
}

std::optional<std::string> where_matchers(const Family& f,
                                          const std::map<std::string, std::string>& where) {
  std::string out;
  std::string dst_service;
  std::string dst_namespace;
  for (const auto& [label, expression] : where) {
    const auto name = f.names.find(label);
    if (name != f.names.end()) {
      append(out, matcher(name->second, "=~", expression));
    } else if (f.knows(label)) {
      (label == "service" ? dst_service : dst_namespace) = expression;
    } else if (is_word(label)) {
      return std::nullopt;
    } else {
      append(out, matcher(label, "=~", expression));
    }
  }
  append(out, dst_matcher(dst_service, dst_namespace));
  if (!where.contains("namespace")) append(out, without_infrastructure(f));
  return out;
}

std::string presence_matcher(const Family& f, const View& view) {
  const auto has = [&](std::string_view word) {
    return std::find(view.labels.begin(), view.labels.end(), word) != view.labels.end();
  };
  if (f.id == FamilyId::Inbound && has("route")) return R"(route_name!="")";
  if (f.id == FamilyId::Outbound) {
    return has("service") ? R"(dst_service!="")" : R"(dst_namespace!="")";
  }
  return {};
}

std::string nearest_label(const std::string& label) {
  // Those that no family has a word for.
  std::vector<std::string> known = {
      "pod",        "node",      "instance",        "job",         "container",   "cluster",
      "tls",        "authority", "target_port",     "target_addr", "target_ip",   "status_code",
      "server_id",  "client_id", "srv_name",        "srv_kind",    "srv_group",   "authz_name",
      "authz_kind", "dst_pod",   "route_name",      "route_kind",  "grpc_status", "http_status",
      "dst_port",   "hostname",  "parent_name",     "parent_kind", "error",       "rt_route",
      "zone",       "version",   "control_plane_ns"};
  for (const Family& f : families()) {
    for (const auto& [word, name] : f.names) known.insert(known.end(), {word, name});
  }
  return std::find(known.begin(), known.end(), label) == known.end() ? nearest(label, known) : "";
}

std::string comma_list(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string sum_by(const std::vector<std::string>& labels, const std::string& rows) {
  return "sum by (" + comma_list(labels) + ") (" + rows + ")";
}

std::string Sum::selector(const Metric& metric) const {
  std::string matchers = family_->matchers;
  append(matchers, metric.matchers);
  append(matchers, where_);
  return metric.name + "{" + matchers + "}";
}

// The labels of the series that the words come from.
std::vector<std::string> Sum::own_labels() const {
  std::vector<std::string> out;
  const auto add = [&](const std::string& label) {
    if (std::find(out.begin(), out.end(), label) == out.end()) out.push_back(label);
  };
  for (const std::string& word : labels_) {
    const auto name = family_->names.find(word);
    if (name != family_->names.end()) {
      add(name->second);
    } else if (family_->knows(word)) {
      add("dst");
    } else if (word == "le") {
      add("le");
    }
  }
  if (!family_->apart.empty()) add(family_->apart);
  return out;
}

bool Sum::needs_renaming() const {
  return std::any_of(labels_.begin(), labels_.end(), [&](const std::string& word) {
    const auto name = family_->names.find(word);
    return name != family_->names.end() ? name->second != word : family_->knows(word);
  });
}

// Copies each label to the name that the alert gives it. A client's labels come first, before its
// `namespace` is overwritten by the server's.
std::string Sum::rename(std::string rows) const {
  std::vector<std::string> words = labels_;
  std::stable_partition(words.begin(), words.end(),
                        [](const std::string& word) { return word.starts_with("client_"); });
  for (const std::string& word : words) {
    const auto name = family_->names.find(word);
    if (name != family_->names.end()) {
      if (name->second != word) rows = call("label_join", rows, word, name->second);
    } else if (family_->knows(word)) {
      rows = from_dst(rows, word, word == "service" ? "([^.]+)\\..*" : "[^.]+\\.([^.]+)\\..*");
    }
  }
  return rows;
}

std::string Sum::rows(const std::vector<Metric>& metrics, std::string_view function,
                      Duration over) const {
  std::string sums;
  std::string sources;
  std::string_view family_name;
  for (const Metric& metric : metrics) {
    const std::string range =
        std::string(function) + "(" + selector(metric) + "[" + format_duration(over) + "])";
    // Series of one metric are added series by series; those of two are kept apart.
    if (metric.name == family_name) {
      sources += " or " + range;
      continue;
    }
    if (!sources.empty()) sums += sum_by(own_labels(), sources) + " or ";
    family_name = metric.name;
    sources = range;
  }
  return rename(sums + sum_by(own_labels(), sources));
}

std::string Sum::of(const std::vector<Metric>& metrics, std::string_view function,
                    Duration over) const {
  const std::string inner = rows(metrics, function, over);
  const bool plain = !needs_renaming() && family_->apart.empty() && metrics.size() == 1;
  return plain ? inner : sum_by(labels(), inner);
}

std::vector<std::string> Sum::labels() const {
  std::vector<std::string> out;
  for (const std::string& word : labels_) {
    if (word == "le" || family_->knows(word)) out.push_back(word);
  }
  return out;
}

}  // namespace tocsin::rule
