// SPDX-License-Identifier: Apache-2.0
#include "api/stat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "rule/compile.h"
#include "rule/series_family.h"
#include "tocsin/duration.h"
#include "tocsin/rule_set.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kColumns = 6;
constexpr std::size_t kGap = 3;  // Spaces between two columns.

// ---- The queries.

rule::By by_of(StatResource resource) {
  switch (resource) {
    case StatResource::Workload:
      return rule::By::Workload;
    case StatResource::Service:
      return rule::By::Service;
    case StatResource::Route:
      return rule::By::Route;
  }
  return rule::By::Workload;
}

rule::Condition condition_of(const StatOptions& options, rule::ConditionKind kind) {
  rule::Condition out;
  out.kind = kind;
  out.by = by_of(options.resource);
  out.side = options.resource == StatResource::Workload ? rule::Side::Server : rule::Side::Client;
  out.over = options.window;
  out.where = options.where;
  return out;
}

std::string latency_expr(const StatOptions& options, double quantile) {
  rule::Condition condition = condition_of(options, rule::ConditionKind::Latency);
  condition.quantile = quantile;
  return rule::compile_latency(condition).value;
}

// Connections are gauges that every proxy counts on both of its sides: the peer's is the one that
// comes from the network. Routes have none.
std::string connections_expr(const StatOptions& options) {
  const bool own = options.resource == StatResource::Workload;
  const rule::Family& family =
      rule::family(own ? rule::FamilyId::Inbound : rule::FamilyId::Outbound);
  const auto where = rule::where_matchers(family, options.where);
  if (!where || options.resource == StatResource::Route) return {};
  const std::string side = own ? R"(direction="inbound",peer="src",)"
                               : R"(direction="outbound",peer="dst",dst_service!="",)";
  const std::string selector =
      "tcp_open_connections{" + side + R"(target_port!="4191",)" + *where + "}";
  if (own)
    return rule::sum_by(rule::view_of(rule::By::Workload, rule::Side::Server).labels, selector);
  const std::string sums = rule::sum_by({"dst_namespace", "dst_service"}, selector);
  return rule::sum_by({"namespace", "service"},
                      "label_join(label_join(" + sums +
                          R"(, "namespace", "", "dst_namespace"), "service", "", "dst_service"))");
}

// ---- The table.

struct Row {
  std::array<std::optional<double>, kColumns> values;
};

// "deploy/web" and the like, as Linkerd's command line has it.
struct Kind {
  std::string_view label;
  std::string_view prefix;
};
constexpr Kind kKinds[] = {
    {"deployment", "deploy/"},
    {"statefulset", "sts/"},
    {"daemonset", "ds/"},
    {"k8s_job", "job/"},
    {"cronjob", "cj/"},
    {"replicaset", "rs/"},
    {"replicationcontroller", "rc/"},
};

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

std::string workload_name(const Labels& labels) {
  for (const Kind& kind : kKinds) {
    if (labels.has(kind.label)) return std::string(kind.prefix).append(labels.get(kind.label));
  }
  return "-";
}

// The cells that say what a row is about.
std::vector<std::string> name_cells(StatResource resource, const Labels& labels) {
  std::vector<std::string> out = {or_dash(labels.get("namespace"))};
  switch (resource) {
    case StatResource::Workload:
      out.push_back(workload_name(labels));
      break;
    case StatResource::Route:
      out.push_back(or_dash(labels.get("service")));
      out.push_back(labels.has("route") ? std::string(labels.get("route")) : "(default)");
      break;
    case StatResource::Service:
      out.push_back(or_dash(labels.get("service")));
  }
  return out;
}

std::vector<std::string> header_of(StatResource resource) {
  std::vector<std::string> out = {"NAMESPACE", "NAME"};
  if (resource == StatResource::Route) out.emplace_back("ROUTE");
  for (const char* column : {"SUCCESS", "RPS", "LATENCY_P50", "LATENCY_P95", "LATENCY_P99"}) {
    out.emplace_back(column);
  }
  if (resource != StatResource::Route) out.emplace_back("TCP_CONN");
  return out;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

std::string cell(StatColumn column, std::optional<double> value, Duration window) {
  if (!value || std::isnan(*value)) return "-";
  switch (column) {
    case StatColumn::SuccessRate:
      return fixed(*value * 100, 2) + "%";
    case StatColumn::Requests:
      return fixed(*value / to_seconds(window), 1) + "rps";
    case StatColumn::Connections:
      return fixed(*value, 0);
    default:
      return fixed(*value * 1000, 0) + "ms";
  }
}

std::map<Labels, Row> rows_of(const std::vector<StatQuery>& queries,
                              const std::vector<promql::Vector>& answers) {
  std::map<Labels, Row> out;
  for (std::size_t i = 0; i < std::min(queries.size(), answers.size()); ++i) {
    for (const promql::Element& element : answers[i]) {
      Row& row = out[element.labels.without(kMetricName)];
      row.values[static_cast<std::size_t>(queries[i].column)] = element.sample.value;
    }
  }
  return out;
}

using Table = std::vector<std::vector<std::string>>;

// Names to the left, numbers to the right; no spaces at the end of a line.
std::string aligned(const Table& table, std::size_t name_columns) {
  std::vector<std::size_t> widths(table.front().size());
  for (const auto& line : table) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string out;
  for (const auto& line : table) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) text.append(kGap, ' ');
      const std::string padding(widths[i] - line[i].size(), ' ');
      text += i < name_columns ? line[i] + padding : padding + line[i];
    }
    out += text + "\n";
  }
  return out;
}

}  // namespace

std::vector<StatQuery> stat_queries(const StatOptions& options) {
  const rule::Compiled rates =
      rule::compile_success_rate(condition_of(options, rule::ConditionKind::SuccessRate));
  std::vector<StatQuery> out = {{StatColumn::SuccessRate, rates.value},
                                {StatColumn::Requests, rates.requests},
                                {StatColumn::P50, latency_expr(options, 0.5)},
                                {StatColumn::P95, latency_expr(options, 0.95)},
                                {StatColumn::P99, latency_expr(options, 0.99)}};
  const std::string connections = connections_expr(options);
  if (!connections.empty()) out.push_back({StatColumn::Connections, connections});
  return out;
}

std::string stat_table(const StatOptions& options, const std::vector<StatQuery>& queries,
                       const std::vector<promql::Vector>& answers) {
  const std::map<Labels, Row> rows = rows_of(queries, answers);
  if (rows.empty()) return "No traffic found.\n";
  const std::vector<std::string> header = header_of(options.resource);
  const std::size_t name_columns = options.resource == StatResource::Route ? 3 : 2;
  Table body;
  for (const auto& [labels, row] : rows) {
    std::vector<std::string> line = name_cells(options.resource, labels);
    for (std::size_t i = 0; line.size() < header.size(); ++i) {
      line.push_back(cell(static_cast<StatColumn>(i), row.values[i], options.window));
    }
    body.push_back(std::move(line));
  }
  std::sort(body.begin(), body.end());
  body.insert(body.begin(), header);
  return aligned(body, name_columns);
}

}  // namespace tocsin::api
