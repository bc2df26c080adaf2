// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/targets: what discovery found, what is scraped of it, and what came of that.
#include <algorithm>
#include <array>
#include <map>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "net/url.h"
#include "tocsin/duration.h"

namespace tocsin::api {
namespace {

// The URL as another machine may reach it: our own host's name in place of "localhost".
std::string global_url(const std::string& scrape_url, const std::string& external_url) {
  static constexpr std::array<std::string_view, 3> kLocal = {"127.0.0.1", "localhost", "::1"};
  auto url = net::parse_url(scrape_url);
  const auto external = net::parse_url(external_url);
  if (!url || !external) return scrape_url;
  if (std::find(kLocal.begin(), kLocal.end(), url->host) == kLocal.end()) return scrape_url;
  url->host = external->host;
  return url->text();
}

void write_active(JsonWriter& json, const source::TargetStatus& status, const std::string& url) {
  const source::Target& target = status.target;
  json.begin_object().key("discoveredLabels").labels(target.discovered_labels);
  json.key("labels").labels(target.labels).key("scrapePool").text(target.job);
  json.key("scrapeUrl").text(target.url).key("globalUrl").text(url);
  json.key("lastError").text(status.last_error);
  json.key("lastScrape").text(moment_text(status.last_scrape));
  json.key("lastScrapeDuration").number(to_seconds(status.last_duration));
  json.key("health").text(source::health_name(status.health));
  json.key("scrapeInterval").text(format_duration(target.interval));
  json.key("scrapeTimeout").text(format_duration(target.timeout)).end_object();
}

class TargetsWriter {
 public:
  explicit TargetsWriter(const Call& call)
      : call_(call), state_(call.request.param("state")), pool_(call.request.param("scrapePool")) {}

  std::string write() {
    json_.begin_object().key("activeTargets").begin_array();
    if (wants("active")) write_active_targets();
    json_.end_array().key("droppedTargets").begin_array();
    if (wants("dropped")) write_dropped_targets();
    json_.end_array();
    if (wants("dropped")) write_dropped_counts();
    json_.end_object();
    return std::move(out_);
  }

 private:
  bool wants(std::string_view state) const {
    return state_.empty() || state_ == "any" || state_ == state;
  }
  bool wants_pool(const std::string& job) const { return pool_.empty() || pool_ == job; }

  void write_active_targets() {
    const std::string external_url = call_.backend.status().external_url;
    std::vector<source::TargetStatus> targets = call_.backend.targets();
    std::stable_sort(targets.begin(), targets.end(),
                     [](const auto& a, const auto& b) { return a.target.job < b.target.job; });
    for (const source::TargetStatus& status : targets) {
      if (!wants_pool(status.target.job)) continue;
      write_active(json_, status, global_url(status.target.url, external_url));
    }
  }

  void write_dropped_targets() {
    for (const source::DroppedTarget& target : call_.backend.dropped_targets()) {
      if (!wants_pool(target.job)) continue;
      ++dropped_[target.job];
      json_.begin_object().key("discoveredLabels").labels(target.discovered_labels);
      json_.key("scrapePool").text(target.job).end_object();
    }
  }

  void write_dropped_counts() {
    json_.key("droppedTargetCounts").begin_object();
    for (const auto& [job, count] : dropped_) json_.key(job).integer(count);
    json_.end_object();
  }

  const Call& call_;
  const std::string state_;
  const std::string pool_;
  std::map<std::string, std::size_t> dropped_;
  std::string out_;
  JsonWriter json_{out_};
};

}  // namespace

void targets(const Call& call) { reply_data(call, TargetsWriter(call).write()); }

}  // namespace tocsin::api
