// SPDX-License-Identifier: Apache-2.0
#include "rule/linkerd_versions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string>
#include <vector>

#include "base/whole_number.h"
#include "promql/ast.h"
#include "rule/lint_parts.h"

namespace tocsin::rule {
namespace {

// The first that fits counts.
constexpr std::array<MetricVersions, 36> kVersions = {{
    {"identity_cert_expiration_timestamp_seconds", 0, 15,
     "control_identity_cert_expiration_timestamp_seconds"},
    {"identity_cert_refresh_count", 0, 14, "control_identity_cert_refreshes_total"},
    {"identity_cert_refresh_timestamp_seconds", 15, 15,
     "control_identity_cert_refresh_timestamp_seconds"},
    {"identity_cert_refreshes_total", 15, 15, "control_identity_cert_refreshes_total"},
    {"control_identity_cert_", 16, 0, "identity_cert_expiration_timestamp_seconds"},
    {"tcp_connection_duration_ms", 0, 9, "tcp_open_total"},
    {"outbound_http_route_backend_requests_total", 13, 0, "request_total"},
    {"outbound_grpc_route_backend_requests_total", 13, 0, "request_total"},
    {"outbound_http_balancer_endpoints", 13, 0, ""},
    {"outbound_http_route_backend_response_", 16, 0, "response_total"},
    {"outbound_grpc_route_backend_response_", 16, 0, "response_total"},
    {"outbound_http_route_request_statuses_total", 16, 0, "response_total"},
    {"outbound_grpc_route_request_statuses_total", 16, 0, "response_total"},
    {"outbound_http_route_request_duration_seconds", 16, 0, "response_latency_ms"},
    {"outbound_grpc_route_request_duration_seconds", 16, 0, "response_latency_ms"},
    {"outbound_http_route_retry_", 16, 0, ""},
    {"outbound_grpc_route_retry_", 16, 0, ""},
    {"inbound_http_local_ratelimit_total", 17, 0, ""},
    {"issuer_cert_ttl_seconds", 18, 0, ""},
    {"inbound_tcp_detect_http_", 18, 0, ""},
    {"inbound_tcp_transport_header_connections_total", 18, 0, ""},
    {"inbound_http_requests_total", 19, 0, "request_total"},
    {"inbound_grpc_requests_total", 19, 0, "request_total"},
    {"inbound_http_request_frame_size_bytes", 19, 0, ""},
    {"inbound_grpc_request_frame_size_bytes", 19, 0, ""},
    {"inbound_http_response_frame_size_bytes", 19, 0, ""},
    {"inbound_grpc_response_frame_size_bytes", 19, 0, ""},
    {"rustls_info", 19, 0, ""},
    {"inbound_http_statuses_total", 20, 0, "response_total"},
    {"inbound_grpc_statuses_total", 20, 0, "response_total"},
    {"inbound_http_response_duration_seconds", 20, 0, "response_latency_ms"},
    {"inbound_grpc_response_duration_seconds", 20, 0, "response_latency_ms"},
    {"inbound_http_request_duration_seconds", 20, 0, "response_latency_ms"},
    {"inbound_grpc_request_duration_seconds", 20, 0, "response_latency_ms"},
    {"inbound_http_authz_", 11, 0, ""},
    {"inbound_tcp_authz_", 11, 0, ""},
}};

// In which month stable versions came out. Edge releases are named by month, too, and those up to
// it led to it.
struct StableRelease {
  int minor;
  int year;
  int month;
};
constexpr std::array<StableRelease, 12> kStable = {{{9, 20, 11},
                                                    {10, 21, 3},
                                                    {11, 21, 9},
                                                    {12, 22, 8},
                                                    {13, 23, 4},
                                                    {14, 23, 8},
                                                    {15, 24, 2},
                                                    {16, 24, 8},
                                                    {17, 24, 11},
                                                    {18, 25, 4},
                                                    {19, 25, 10},
                                                    {20, 26, 6}}};

// Whole numbers with dots between them; nothing where it is anything else.
std::optional<std::vector<int>> numbers_of(std::string_view text) {
  std::vector<int> out;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const auto number = whole_number<std::uint16_t>(text.substr(0, end));
    if (!number) return std::nullopt;
    out.push_back(*number);
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

// Of "25.4.1".
std::optional<int> minor_of_edge(std::string_view text) {
  const auto numbers = numbers_of(text);
  const bool is_edge = numbers && numbers->size() == 3 && numbers->at(0) >= 18 &&
                       numbers->at(0) <= 99 && numbers->at(1) >= 1 && numbers->at(1) <= 12;
  if (!is_edge) return std::nullopt;
  const std::pair month(numbers->at(0), numbers->at(1));
  const auto led_to = std::find_if(kStable.begin(), kStable.end(), [&](const StableRelease& one) {
    return month <= std::pair(one.year, one.month);
  });
  return led_to == kStable.end() ? kStable.back().minor : led_to->minor;
}

std::string version_text(int minor) { return "Linkerd 2." + std::to_string(minor); }

class Versions {
 public:
  Versions(const Rule& rule, const Group& group, int minor, Diagnostics& out)
      : rule_(rule), group_(group), minor_(minor), out_(out) {}

  // Where one metric may stand in for another, neither is missed.
  void walk(const promql::Expr& expr) {
    const auto* binary = promql::as<promql::Binary>(expr);
    if (binary && binary->op == promql::BinaryOp::Or) return;
    if (const auto* selector = selector_of(expr)) check(selector->name);
    for (const promql::ExprPtr& child : promql::children_of(expr)) walk(*child);
  }

 private:
  void check(const std::string& name) {
    const MetricVersions* versions = versions_of(name);
    if (!versions || !seen_.insert(name).second) return;
    std::string why;
    if (minor_ < versions->since) why = "exists only since " + version_text(versions->since);
    if (versions->until > 0 && minor_ > versions->until) {
      why = "is gone since " + version_text(versions->until + 1);
    }
    if (why.empty()) return;
    out_.add({Severity::Warning, "lint/not-in-version", rule_.place,
              "'" + name + "' " + why + ": with " + version_text(minor_) + " this never matches",
              "rule '" + rule_.name + "', group '" + group_.name + "'",
              versions->now.empty() ? "" : "there it is " + std::string(versions->now), ""});
  }

  const Rule& rule_;
  const Group& group_;
  const int minor_;
  Diagnostics& out_;
  std::set<std::string> seen_;
};

}  // namespace

const MetricVersions* versions_of(std::string_view series_name) {
  const auto found = std::find_if(
      kVersions.begin(), kVersions.end(),
      [&](const MetricVersions& versions) { return series_name.starts_with(versions.prefix); });
  return found == kVersions.end() ? nullptr : &*found;
}

std::optional<int> linkerd_minor(std::string_view text) {
  constexpr std::string_view kEdge = "edge-";
  if (text.starts_with(kEdge)) return minor_of_edge(text.substr(kEdge.size()));
  for (const std::string_view prefix : {"stable-", "enterprise-", "v", "2."}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  int minor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minor);
  const bool ends = end == text.data() + text.size() || *end == '.';
  if (error != std::errc() || !ends || minor < 0 || minor > 99) return std::nullopt;
  return minor;
}

Diagnostics check_versions(const RuleSet& rules, int minor) {
  Diagnostics out;
  for (const Group& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      // A condition reads the metrics of all versions.
      if (rule.condition || rule.generated) continue;
      Versions(rule, group, minor, out).walk(*rule.expr);
    }
  }
  return out;
}

}  // namespace tocsin::rule
