// SPDX-License-Identifier: Apache-2.0
#include "api/params.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/whole_number.h"
#include "promql/ast.h"
#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

constexpr std::string_view kMatch = "match[]";
// How the parser refuses a selector that matches everything.
constexpr std::string_view kEmptyMatcher = "must contain at least one non-empty matcher";
// Where a number of seconds no longer fits in Prometheus' nanoseconds.
constexpr double kMaxSeconds = 9'223'372'036.0;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::optional<Duration> duration_in(const std::string& text) {
  if (const auto seconds = whole_number<double>(text)) {
    if (!(std::abs(*seconds) < kMaxSeconds)) return std::nullopt;
    return Duration(std::llround(*seconds * 1000.0));
  }
  return parse_duration(text);
}

// "1:4: parse error: unexpected end of input"
std::string problem_text(std::string_view text, const promql::Problem& problem) {
  const std::string_view before = text.substr(0, std::min(problem.begin, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0.
  return std::to_string(line) + ":" + std::to_string(before.size() - line_start + 1) +
         ": parse error: " + problem.message;
}

bool is_selector(const promql::Expr& expr) {
  const auto* selector = std::get_if<promql::VectorSelector>(&expr.node);
  return selector != nullptr && selector->shift.offset.count() == 0 &&
         selector->shift.at.kind == promql::AtModifier::Kind::None;
}

}  // namespace

tl::unexpected<Error> invalid_parameter(std::string_view name, std::string_view message) {
  return fail(ErrorCode::InvalidArgument,
              "invalid parameter " + quoted(name) + ": " + std::string(message));
}

Result<Timestamp> required_time(const net::HttpServerRequest& request, std::string_view name) {
  const std::string_view text = request.param(name);
  if (const auto time = parse_time(text)) return *time;
  return invalid_parameter(name, "cannot parse " + quoted(text) + " to a valid timestamp");
}

Result<std::optional<Timestamp>> optional_time(const net::HttpServerRequest& request,
                                               std::string_view name) {
  const std::string_view text = request.param(name);
  if (text.empty()) return std::nullopt;
  if (const auto time = parse_time(text)) return time;
  return invalid_parameter(name, "invalid time value for '" + std::string(name) +
                                     "': cannot parse " + quoted(text) + " to a valid timestamp");
}

Result<Duration> required_duration(const net::HttpServerRequest& request, std::string_view name) {
  const std::string text(request.param(name));
  if (const auto duration = duration_in(text)) return *duration;
  return invalid_parameter(name, "cannot parse " + quoted(text) + " to a valid duration");
}

Result<std::optional<Duration>> optional_duration(const net::HttpServerRequest& request,
                                                  std::string_view name) {
  if (request.param(name).empty()) return std::nullopt;
  const auto duration = required_duration(request, name);
  if (!duration) return fail(duration.error());
  return *duration;
}

Result<std::size_t> limit_of(const net::HttpServerRequest& request) {
  const std::string text(request.param("limit"));
  if (text.empty()) return 0;
  const auto limit = whole_number<std::int64_t>(text);
  if (!limit) return invalid_parameter("limit", "cannot parse " + quoted(text) + " to a number");
  if (*limit < 0) return invalid_parameter("limit", "limit must be non-negative");
  return static_cast<std::size_t>(*limit);
}

Result<bool> flag_of(const net::HttpServerRequest& request, std::string_view name) {
  static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::array<std::string_view, 6> kFalse = {"0",     "f",     "F",
                                                             "false", "FALSE", "False"};
  const std::string_view text = request.param(name);
  if (text.empty()) return false;
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return invalid_parameter(name, "cannot parse " + quoted(text) + " to a boolean");
}

Error parse_error(std::string_view text, const promql::Problem& problem) {
  return {ErrorCode::InvalidArgument, problem_text(text, problem)};
}

Result<promql::ExprPtr> query_of(const net::HttpServerRequest& request) {
  const std::string_view text = request.param("query");
  const auto expr = promql::parse(text);
  if (!expr) return invalid_parameter("query", problem_text(text, expr.error()));
  return *expr;
}

Result<Matchers> parse_selector(const std::string& text) {
  const auto expr = promql::parse(text);
  if (!expr) return fail(ErrorCode::InvalidArgument, problem_text(text, expr.error()));
  if (!is_selector(**expr)) {
    return fail(ErrorCode::InvalidArgument, "1:1: parse error: not a series selector");
  }
  return std::get<promql::VectorSelector>((*expr)->node).matchers;
}

Result<std::vector<std::string>> selectors_of(const net::HttpServerRequest& request) {
  std::vector<std::string> texts = request.all_params(kMatch);
  for (const std::string& text : texts) {
    const auto matchers = parse_selector(text);
    if (matchers) continue;
    const bool is_empty = matchers.error().message.find(kEmptyMatcher) != std::string::npos;
    return invalid_parameter(kMatch, is_empty
                                         ? "match[] must contain at least one non-empty matcher"
                                         : matchers.error().message);
  }
  return texts;
}

}  // namespace tocsin::api
