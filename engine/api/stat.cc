// SPDX-License-Identifier: Apache-2.0
#include "api/stat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

namespace tocsin::api {
namespace {

constexpr std::size_t kColumns = 6;
constexpr std::size_t kGap = 3;  // Spaces between two columns.

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
    case StatResource::Pod:
      out.push_back(or_dash(labels.get("pod")));
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

std::vector<std::string> header_of(const StatOptions& options) {
  std::vector<std::string> out = {"NAMESPACE", "NAME"};
  if (options.resource == StatResource::Route) out.emplace_back("ROUTE");
  out.emplace_back("SUCCESS");
  out.emplace_back(options.window.count() > 0 ? "RPS" : "REQUESTS");
  for (const char* column : {"LATENCY_P50", "LATENCY_P95", "LATENCY_P99"}) {
    out.emplace_back(column);
  }
  if (options.resource != StatResource::Route) out.emplace_back("TCP_CONN");
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
      if (window.count() == 0) return fixed(*value, 0);
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

std::string stat_table(const StatOptions& options, const std::vector<StatQuery>& queries,
                       const std::vector<promql::Vector>& answers) {
  const std::map<Labels, Row> rows = rows_of(queries, answers);
  if (rows.empty()) return "No traffic found.\n";
  const std::vector<std::string> header = header_of(options);
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
