// SPDX-License-Identifier: Apache-2.0
#include "api/server.h"

#include <algorithm>

#include "api/handlers.h"

namespace tocsin::api {
namespace {

enum Method : unsigned { kGet = 1, kPost = 2, kPut = 4, kOptions = 8, kDelete = 16 };

struct MethodName {
  unsigned method;
  std::string_view name;
};
constexpr MethodName kMethods[] = {
    {kDelete, "DELETE"}, {kGet, "GET"}, {kOptions, "OPTIONS"}, {kPost, "POST"}, {kPut, "PUT"}};

struct Route {
  unsigned methods;
  std::string_view path;  // A `*` stands for one part, the handler's argument.
  void (*handle)(const Call& call);
};

constexpr unsigned kForm = kGet | kPost | kOptions;
constexpr unsigned kRead = kGet | kOptions;

constexpr Route kRoutes[] = {
    {kForm, "/api/v1/query", query},
    {kForm, "/api/v1/query_range", query_range},
    {kForm, "/api/v1/series", series},
    {kForm, "/api/v1/labels", label_names},
    {kRead, "/api/v1/label/*/values", label_values},
    {kForm, "/api/v1/query_exemplars", query_exemplars},
    {kForm, "/api/v1/format_query", format_query},
    {kRead, "/api/v1/metadata", metadata},
    {kRead, "/api/v1/rules", rules},
    {kRead, "/api/v1/alerts", alerts},
    {kRead, "/api/v1/targets", targets},
    {kRead, "/api/v1/replica", replica},
    {kRead, "/api/v1/status/buildinfo", build_info},
    {kRead, "/api/v1/status/tsdb", tsdb_status},
    {kPost, "/api/v1/write", write},
    {kGet | kPost, "/api/v2/silences", silences},
    {kGet | kDelete, "/api/v2/silence/*", silence},
    {kGet, "/api/v2/status", alertmanager_status},
    {kGet, "/federate", federate},
    {kGet, "/metrics", own_metrics},
    {kGet, "/-/healthy", healthy},
    {kGet, "/-/ready", ready},
    {kPost | kPut, "/-/reload", reload},
    {kGet, "/graph", graph_page},
    {kGet, "/kept", kept_page},
    {kGet, "/", web_page},
};

// What the `*` of the pattern stands for, empty without one; nothing when the path is another.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return pattern == path ? std::optional(std::string()) : std::nullopt;
  }
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after = pattern.substr(star + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after)) {
    return std::nullopt;
  }
  return std::string(path.substr(star, path.size() - before.size() - after.size()));
}

// 0 for one that no route has. HEAD is a GET whose body the server keeps to itself.
unsigned method_of(std::string_view name) {
  if (name == "HEAD") return kGet;
  const auto* it = std::find_if(std::begin(kMethods), std::end(kMethods),
                                [&](const MethodName& m) { return m.name == name; });
  return it == std::end(kMethods) ? 0 : it->method;
}

std::string allowed(unsigned methods) {
  std::string out;
  for (const MethodName& method : kMethods) {
    if ((methods & method.method) == 0) continue;
    if (!out.empty()) out += ", ";
    out += method.name;
  }
  return out;
}

// A web page of another origin (a dashboard) may read the API, as with Prometheus. It may not make
// silences.
void add_cors(net::Headers& headers) {
  headers.emplace_back("Access-Control-Allow-Headers",
                       "Accept, Authorization, Content-Type, Origin");
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  headers.emplace_back("Access-Control-Allow-Origin", "*");
  headers.emplace_back("Access-Control-Expose-Headers", "Date");
  headers.emplace_back("Vary", "Origin");
}

net::Responder with_cors(net::Responder respond) {
  return [respond = std::move(respond)](net::HttpServerResponse answer) {
    add_cors(answer.headers);
    respond(std::move(answer));
  };
}

void refuse_method(const Call& call, unsigned methods) {
  call.respond(
      {.status = 405, .body = "Method Not Allowed\n", .headers = {{"Allow", allowed(methods)}}});
}

void dispatch(Backend& backend, const net::HttpServerRequest& request, net::Responder respond) {
  const bool is_api = request.path.starts_with("/api/v1/");
  if (is_api && !request.header("Origin").empty()) respond = with_cors(std::move(respond));
  Call call{backend, request, std::move(respond), {}};
  const unsigned method = method_of(request.method);
  for (const Route& route : kRoutes) {
    auto argument = match(route.path, request.path);
    if (!argument) continue;
    if ((route.methods & method) == 0) return refuse_method(call, route.methods);
    if (method == kOptions) return call.respond({.status = 204, .body = {}, .headers = {}});
    call.argument = std::move(*argument);
    return route.handle(call);
  }
  reply_text(call, 404, "404 page not found\n");
}

}  // namespace

net::HttpHandler Api::handler() {
  return [&backend = backend_](const net::HttpServerRequest& request, net::Responder respond) {
    dispatch(backend, request, std::move(respond));
  };
}

}  // namespace tocsin::api
