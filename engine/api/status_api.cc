// SPDX-License-Identifier: Apache-2.0
//
// What Tocsin says about itself: build, health, readiness, its own metrics, the web page; and the
// order to read its configuration again.
#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/metrics.h"
#include "api/page.h"
#include "api/process.h"
#include "api/snapshot.h"
#include "api/text_format.h"
#include "tocsin/version.h"

namespace tocsin::api {
namespace {

// The page needs its own style sheet and icon, which are in it, and nothing else from anywhere.
constexpr const char* kPagePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

void build_info(const Call& call) {
  std::string data;
  JsonWriter json(data);
  json.begin_object().key("version").text(version()).key("revision").text(revision());
  // Prometheus' other keys; clients expect them to be there.
  for (const std::string_view key : {"branch", "buildUser", "buildDate", "goVersion"}) {
    json.key(key).text("");
  }
  json.end_object();
  reply_data(call, data);
}

void healthy(const Call& call) { reply_text(call, 200, "Tocsin is Healthy.\n"); }

void ready(const Call& call) {
  if (call.backend.is_ready()) return reply_text(call, 200, "Tocsin is Ready.\n");
  reply_text(call, 503, "Tocsin is not ready yet.\n");
}

void reload(const Call& call) {
  call.backend.reload([call](const Result<void>& done) {
    if (done) return reply_text(call, 200, "");
    reply_text(call, 500, "failed to reload config:\n" + done.error().message + "\n");
  });
}

void own_metrics(const Call& call) {
  call.respond({.status = 200,
                .content_type = std::string(kTextFormat),
                .body = metrics_text(take_snapshot(call.backend), process_usage()),
                .headers = {}});
}

void reply_html(const Call& call, std::string body) {
  call.respond({.status = 200,
                .content_type = "text/html; charset=utf-8",
                .body = std::move(body),
                .headers = {{"Content-Security-Policy", kPagePolicy},
                            {"X-Content-Type-Options", "nosniff"},
                            {"Referrer-Policy", "no-referrer"},
                            {"Cache-Control", "no-store"}}});
}

void web_page(const Call& call) { reply_html(call, html_page(take_snapshot(call.backend))); }

}  // namespace tocsin::api
