// SPDX-License-Identifier: Apache-2.0
//
// What Tocsin says about itself: build, health, readiness, its own metrics, the web page; and the
// order to read its configuration again.
#include <algorithm>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/metrics.h"
#include "api/page.h"
#include "api/params.h"
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

// As many metrics as Prometheus lists where nobody says how many.
constexpr std::size_t kMostNames = 10;

std::uint64_t millis_of(Timestamp at) { return static_cast<std::uint64_t>(to_millis(at)); }

// How far back a query can see.
Timestamp oldest_kept(const Snapshot& snapshot) {
  Duration history{0};
  for (const KeptMetric& metric : snapshot.kept) history = std::max(history, metric.history);
  return std::max(snapshot.status.started, snapshot.now - history);
}

void write_series_counts(JsonWriter& json, const std::vector<KeptMetric>& metrics,
                         std::size_t limit) {
  json.begin_array();
  for (const KeptMetric& metric : metrics) {
    if (metric.series == 0 || limit-- == 0) break;
    json.begin_object().key("name").text(metric.name).key("value").integer(metric.series);
    json.end_object();
  }
  json.end_array();
}

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

// Differs from Prometheus: of labels and chunks nothing is counted; the lists are empty.
void tsdb_status(const Call& call) {
  const auto limit = limit_of(call.request);
  if (!limit) return reply_error(call, limit.error());
  const Snapshot snapshot = take_snapshot(call.backend);
  std::string data;
  JsonWriter json(data);
  json.begin_object().key("headStats").begin_object();
  json.key("numSeries").integer(snapshot.store.series).key("numLabelPairs").integer(0);
  json.key("chunkCount").integer(0);
  json.key("minTime").integer(millis_of(oldest_kept(snapshot)));
  json.key("maxTime").integer(millis_of(snapshot.now)).end_object();
  json.key("seriesCountByMetricName");
  write_series_counts(json, snapshot.kept, *limit > 0 ? *limit : kMostNames);
  for (const std::string_view key :
       {"labelValueCountByLabelName", "memoryInBytesByLabelName", "seriesCountByLabelValuePair"}) {
    json.key(key).begin_array().end_array();
  }
  json.end_object();
  reply_data(call, data);
}

void healthy(const Call& call) { reply_text(call, 200, "Tocsin is Healthy.\n"); }

namespace {

std::string ready_text(const ServerStatus& status) {
  std::string out = "Tocsin is Ready.\n";
  if (!status.replica) return out;
  return out + "It is the " + std::string(status.replica->role()) + " of two replicas, and " +
         (status.replica->tells ? "tells receivers.\n" : "silent.\n");
}

}  // namespace

void replica(const Call& call) {
  auto report = call.backend.replica_report();
  if (!report) return reply_text(call, 404, "no other replica is configured: standby\n");
  call.respond({.status = 200,
                .body = std::move(*report),
                .headers = {{"Content-Type", "application/json"}}});
}

void ready(const Call& call) {
  if (call.backend.is_ready()) return reply_text(call, 200, ready_text(call.backend.status()));
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

void web_page(const Call& call) { reply_html(call, html_page(take_page_snapshot(call.backend))); }

void kept_page(const Call& call) { reply_html(call, kept_html(take_snapshot(call.backend))); }

}  // namespace tocsin::api
