// SPDX-License-Identifier: Apache-2.0
//
// A daemon that a test fills in: what it knows are members, queries run over a small store.
// Everything is answered at once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/backend.h"
#include "tocsin/rule_set.h"

namespace tocsin::testing {

class FakeBackend : public api::Backend {
 public:
  static constexpr Timestamp kNow = from_millis(1'795'369'320'000);  // 2026-11-22T17:42:00Z

  FakeBackend() : block_(store_.add_block({.history = std::chrono::hours(1)})) {
    info.started = kNow - std::chrono::hours(26);
    info.reload.last_success = info.started;
    info.external_url = "https://tocsin.example.org";
  }

  // ---- What it knows.
  Timestamp moment = kNow;
  api::ServerStatus info;
  bool is_ready_now = true;
  std::vector<api::GroupStatus> all_groups;
  std::vector<source::TargetStatus> all_targets;
  std::vector<source::DroppedTarget> all_dropped;
  source::ScrapeStats scraping;
  std::vector<notify::Notifier::ReceiverStatus> all_receivers;
  notify::LatencyHistogram latency;
  notify::MuteCounts muted_counts{};
  std::map<Labels, notify::Mute> mutes;      // By the alert's labels.
  std::map<std::string, std::string> links;  // Of every alert.
  notify::SilenceBook silence_book;
  std::vector<api::KeptMetric> all_kept;
  std::vector<state::HistoryEntry> all_history;
  Result<void> reload_result;
  Result<source::WriteReport> write_result;
  std::optional<Error> query_error;
  std::optional<std::string> report;  // For the other replica.

  // ---- What it was asked.
  std::vector<api::QueryRequest> requests;
  std::vector<api::SeriesRequest> series_requests;
  std::vector<std::string> written;
  int reloads = 0;

  // A sample of a gauge.
  void sample(const Labels& labels, double value, Timestamp at = kNow) {
    store_.append_sample(store_.add_series(block_, labels, false), at, value);
  }

  Timestamp now() const override { return moment; }
  api::ServerStatus status() const override { return info; }
  bool is_ready() const override { return is_ready_now; }
  std::vector<api::GroupStatus> groups() const override { return all_groups; }
  std::vector<source::TargetStatus> targets() const override { return all_targets; }
  std::vector<source::DroppedTarget> dropped_targets() const override { return all_dropped; }
  source::ScrapeStats scrape_stats() const override { return scraping; }
  std::vector<notify::Notifier::ReceiverStatus> receivers() const override { return all_receivers; }
  notify::LatencyHistogram notification_latency() const override { return latency; }
  notify::MuteCounts notifications_muted() const override { return muted_counts; }
  std::optional<std::string> replica_report() const override { return report; }
  std::vector<notify::Silence> silences() const override { return silence_book.all(moment); }
  void put_silence(notify::Silence silence, api::SilenceCallback done) override {
    const auto new_id = [this] { return "id-" + std::to_string(++silence_ids_); };
    auto changed = silence_book.put(std::move(silence), moment, new_id);
    if (!changed) return done(fail(changed.error()));
    done(changed->back().id);
  }
  void expire_silence(const std::string& id, api::SilenceCallback done) override {
    const auto ended = silence_book.expire(id, moment);
    done(ended ? Result<std::string>(id) : fail(ended.error()));
  }
  std::optional<notify::Mute> mute_of(const alert::Alert& alert) const override {
    const auto it = mutes.find(alert.labels);
    return it == mutes.end() ? std::nullopt : std::optional(it->second);
  }
  std::map<std::string, std::string> links_of(const alert::Alert&) const override { return links; }
  std::vector<state::HistoryEntry> history() const override { return all_history; }
  store::Stats store_stats() const override { return store_.stats(); }
  std::vector<api::KeptMetric> kept() const override { return all_kept; }

  void query(const api::QueryRequest& request, api::QueryCallback done) override {
    requests.push_back(request);
    done(answer(request));
  }

  void series(const api::SeriesRequest& request, api::SeriesCallback done) override {
    series_requests.push_back(request);
    done(find(request));
  }
  void label_names(const api::SeriesRequest& request, api::TextsCallback done) override {
    const auto found = find(request);
    if (!found) return done(fail(found.error()));
    api::Texts texts;
    for (const Labels& labels : *found) {
      for (const LabelView& label : labels) texts.emplace(label.name);
    }
    done(std::move(texts));
  }
  void label_values(const std::string& label, const api::SeriesRequest& request,
                    api::TextsCallback done) override {
    const auto found = find(request);
    if (!found) return done(fail(found.error()));
    api::Texts texts;
    for (const Labels& labels : *found) {
      if (labels.has(label)) texts.emplace(labels.get(label));
    }
    done(std::move(texts));
  }

  void write(std::string body, api::WriteCallback done) override {
    written.push_back(std::move(body));
    done(write_result);
  }

  void reload(std::function<void(Result<void>)> done) override {
    ++reloads;
    done(reload_result);
  }

 private:
  Result<std::vector<Labels>> find(const api::SeriesRequest& request) const {
    std::vector<Matchers> wanted;
    for (const std::string& selector : request.selectors) {
      const auto expr = promql::parse(selector);
      if (!expr) return fail(ErrorCode::Parse, expr.error().message);
      wanted.push_back(promql::needs_of(**expr).at(0).matchers);
    }
    if (wanted.empty()) wanted.emplace_back();
    std::set<Labels> found;
    for (const Matchers& matchers : wanted) {
      for (const store::SeriesId id : store_.select(matchers)) found.insert(store_.labels(id));
    }
    return std::vector<Labels>(found.begin(), found.end());
  }

  Result<promql::Answer> answer(const api::QueryRequest& request) {
    if (query_error) return fail(*query_error);
    const auto expr = promql::parse(request.expr);
    if (!expr) return fail(ErrorCode::Parse, expr.error().message);
    auto query = promql::Query::prepare(*expr);
    if (request.step.count() == 0) return query.evaluate(store_, request.start);
    return query.evaluate_range(store_, request.start, request.end, request.step);
  }

  int silence_ids_ = 0;
  store::Store store_;
  store::BlockId block_;
};

// ---- Pieces to fill it with.

inline std::shared_ptr<const rule::Rule> alerting_rule(const std::string& name,
                                                       const std::string& expr,
                                                       Duration for_duration = Duration(0)) {
  auto rule = std::make_shared<rule::Rule>();
  rule->name = name;
  rule->expr_text = expr;
  rule->for_duration = for_duration;
  return rule;
}

inline std::shared_ptr<const rule::Rule> recording_rule(const std::string& name,
                                                        const std::string& expr) {
  auto rule = std::make_shared<rule::Rule>();
  rule->kind = rule::RuleKind::Record;
  rule->name = name;
  rule->expr_text = expr;
  return rule;
}

inline api::KeepReason asker(api::Why why, const std::string& name, int line, Duration history) {
  return {why, "rules/linkerd/golden-signals.yaml", line, "golden-signals", name, history};
}

// What a mesh's rules ask for, the metric with the most series first.
inline std::vector<api::KeptMetric> kept_metrics() {
  using api::Why;
  using std::chrono::minutes;
  const auto reads = [](const std::string& name, int line, Duration history) {
    return asker(Why::Reads, name, line, history);
  };
  return {
      {"response_latency_ms_bucket", 98'400, minutes(5), {reads("LatencyHigh", 24, minutes(5))}},
      {"response_total",
       7200,
       minutes(65),
       {reads("TrafficSpike", 38, minutes(65)), reads("SuccessRateLow", 10, minutes(10)),
        reads("SuccessRateLow", 17, minutes(5)), reads("LatencyHigh", 24, minutes(5))}},
      {"tcp_open_connections",
       480,
       minutes(5),
       {{Why::Keep, "", 0, "", R"({__name__=~"tcp_.+"})", minutes(5)}}},
      {"deployment:requests:rate5m",
       40,
       minutes(5),
       {asker(Why::Records, "deployment:requests:rate5m", 31, minutes(5))}},
      {"ALERTS", 3, minutes(5), {{Why::Own, "", 0, "", "", minutes(5)}}},
      {"old_total", 2, Duration(0), {}},
      {"up", 1, minutes(5), {reads("ProxyDown", 52, minutes(5))}},
      {"request_errors_total", 0, minutes(10), {reads("SuccessRateLow", 10, minutes(10))}},
  };
}

inline source::TargetStatus target(const std::string& job, const std::string& address,
                                   source::Health health) {
  source::TargetStatus out;
  out.target.job = job;
  out.target.discovered_labels = Labels{{"__address__", address}, {"job", job}};
  out.target.labels = Labels{{"instance", address}, {"job", job}};
  out.target.url = "http://" + address + "/metrics";
  out.target.interval = std::chrono::seconds(10);
  out.target.timeout = std::chrono::seconds(5);
  out.health = health;
  out.last_scrape = FakeBackend::kNow - std::chrono::seconds(4);
  out.last_duration = Duration(12);
  return out;
}

}  // namespace tocsin::testing
