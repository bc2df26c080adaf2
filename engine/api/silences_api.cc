// SPDX-License-Identifier: Apache-2.0
//
// /api/v2/silences, /api/v2/silence/{id} and /api/v2/status: as much of Alertmanager's API as
// amtool needs to make, list and end silences. Errors are JSON texts, as there.
#include <algorithm>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "notify/matcher_text.h"
#include "tocsin/duration.h"
#include "tocsin/version.h"

namespace tocsin::api {
namespace {

using notify::Silence;

void reply_json(const Call& call, int status, std::string body) {
  call.respond({.status = status,
                .content_type = "application/json",
                .body = std::move(body),
                .headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}}});
}

void reply_problem(const Call& call, int status, std::string_view message) {
  std::string body;
  JsonWriter(body).text(message);
  reply_json(call, status, body + "\n");
}

void reply_problem(const Call& call, const Error& error) {
  reply_problem(call, error.code == ErrorCode::NotFound ? 404 : 400, error.message);
}

// A form of another site can post text; it cannot say that it is JSON.
bool is_json(const net::HttpServerRequest& request) {
  return request.header("Content-Type").starts_with("application/json");
}

bool may_write(const Call& call) {
  if (call.backend.status().takes_silences) return true;
  reply_problem(call, 404, "silences need to be enabled with silences: {enabled: true}");
  return false;
}

// Alertmanager's way to look for silences: by the matchers that they have, as if these were labels.
bool has_matcher(const Silence& silence, const Matcher& wanted) {
  std::string_view value;
  bool found = false;
  for (const Matcher& own : silence.matchers) {
    if (own.name() != wanted.name()) continue;
    value = own.value();
    found = true;
  }
  const bool negative =
      wanted.op() == Matcher::Op::NotEqual || wanted.op() == Matcher::Op::NotRegex;
  if (wanted.value().empty() && found == negative) return true;
  return wanted.matches(value);
}

Result<Matchers> filter_of(const net::HttpServerRequest& request) {
  Matchers out;
  for (const std::string& text : request.all_params("filter")) {
    auto matchers = notify::parse_matchers(text);
    if (!matchers) return fail(matchers.error().in("bad filter"));
    out.insert(out.end(), matchers->begin(), matchers->end());
  }
  return out;
}

void list(const Call& call) {
  const auto filter = filter_of(call.request);
  if (!filter) return reply_problem(call, filter.error());
  std::string body;
  JsonWriter json(body);
  json.begin_array();
  for (const Silence& silence : call.backend.silences()) {
    const bool wanted = std::all_of(filter->begin(), filter->end(),
                                    [&](const Matcher& m) { return has_matcher(silence, m); });
    if (wanted) json.raw(notify::silence_json(silence, call.backend.now()));
  }
  json.end_array();
  reply_json(call, 200, std::move(body));
}

void put(const Call& call) {
  if (!may_write(call)) return;
  if (!is_json(call.request)) return reply_problem(call, 415, "this is not application/json");
  auto silence = notify::parse_silence(call.request.body);
  if (!silence) return reply_problem(call, silence.error());
  call.backend.put_silence(std::move(*silence), [call](const Result<std::string>& id) {
    if (!id) return reply_problem(call, id.error());
    std::string body;
    JsonWriter(body).begin_object().key("silenceID").text(*id).end_object();
    reply_json(call, 200, std::move(body));
  });
}

void expire(const Call& call) {
  if (!may_write(call)) return;
  call.backend.expire_silence(call.argument, [call](const Result<std::string>& id) {
    if (id) return reply_json(call, 200, "");
    // Of what cannot be ended Alertmanager says 500; clients know no other.
    reply_problem(call, id.error().code == ErrorCode::NotFound ? 404 : 500, id.error().message);
  });
}

}  // namespace

void silences(const Call& call) {
  if (call.request.method == "POST") return put(call);
  list(call);
}

void silence(const Call& call) {
  if (call.request.method == "DELETE") return expire(call);
  const std::vector<Silence> all = call.backend.silences();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const Silence& s) { return s.id == call.argument; });
  if (it == all.end()) return reply_problem(call, 404, "silence not found");
  reply_json(call, 200, notify::silence_json(*it, call.backend.now()));
}

void alertmanager_status(const Call& call) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("cluster").begin_object().key("status").text("disabled");
  json.key("peers").begin_array().end_array().end_object();
  json.key("config").begin_object().key("original").text("").end_object();
  json.key("uptime").text(format_rfc3339(call.backend.status().started));
  json.key("versionInfo").begin_object();
  json.key("version").text(version()).key("revision").text(revision());
  for (const std::string_view key : {"branch", "buildUser", "buildDate", "goVersion"}) {
    json.key(key).text("");
  }
  json.end_object().end_object();
  reply_json(call, 200, std::move(body));
}

}  // namespace tocsin::api
