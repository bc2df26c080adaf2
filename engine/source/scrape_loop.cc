// SPDX-License-Identifier: Apache-2.0
#include "source/scrape_loop.h"

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"

namespace tocsin::source {
namespace {

constexpr std::string_view kAccept =
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
// For jobs that set no body_size_limit: what no honest page reaches.
constexpr std::size_t kMaxBodyBytes = std::size_t{256} << 20;

std::uint64_t hash_of(const Target& target) { return hash_bytes(target.url, target.labels.hash()); }

Result<FetchedPage> page_of(net::HttpResult response) {
  if (!response) return fail(response.error());
  if (response->status != 200) {
    return fail(ErrorCode::Unavailable,
                "server returned HTTP status " + std::to_string(response->status));
  }
  return FetchedPage{std::move(response->body), std::string(response->header("Content-Type"))};
}

bool has_secret_files(const net::ClientConfig& client) {
  return (client.basic_auth && !(client.basic_auth->username_file.empty() &&
                                 client.basic_auth->password_file.empty())) ||
         (client.authorization && !client.authorization->credentials_file.empty());
}

Result<net::HttpRequest> introduced(const net::ClientConfig& client, net::HttpRequest request) {
  if (auto done = net::introduce(client, request); !done) return fail(done.error());
  return request;
}

}  // namespace

Timestamp next_slot(std::uint64_t hash, Duration interval, Timestamp now) {
  const std::int64_t step = interval.count();
  const auto offset = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(step));
  const std::int64_t slots = (to_millis(now) - offset) / step;
  return from_millis((slots + 1) * step + offset);
}

ScrapeLoop::ScrapeLoop(const ScrapeParts& parts, Target target, std::shared_ptr<TargetStore> store,
                       std::shared_ptr<ScrapeStats> stats)
    : parts_(parts), store_(std::move(store)), stats_(std::move(stats)) {
  status_.target = std::move(target);
}

void ScrapeLoop::use(ScrapeOrders orders) {
  orders_ = std::move(orders);
  status_.speaks_for_others = orders_.rules && orders_.rules->honor_labels;
}

void ScrapeLoop::start() { schedule(); }

void ScrapeLoop::stop() {
  stopped_ = true;
  if (timer_) parts_.scheduler.cancel(*timer_);
  if (request_) parts_.http.cancel(*request_);
  timer_.reset();
  request_.reset();
}

void ScrapeLoop::schedule() {
  const Target& target = status_.target;
  const Timestamp slot = next_slot(hash_of(target), target.interval, parts_.clock.now());
  timer_ = parts_.scheduler.at(slot, [weak = weak_from_this(), slot] {
    if (const auto self = weak.lock()) self->run_slot(slot);
  });
}

void ScrapeLoop::run_slot(Timestamp slot) {
  schedule();
  if (busy_) {
    ++stats_->missed_slots;
    return;
  }
  busy_ = true;
  started_ = parts_.clock.ticks();
  if (!orders_.refusal.empty()) {
    store_page(slot, fail(ErrorCode::Limit, orders_.refusal));
  } else if (has_secret_files(orders_.client)) {
    introduce_and_send(slot);
  } else {
    send(slot, introduced(orders_.client, make_request()));
  }
}

// Reading secrets may block, so a worker does it.
void ScrapeLoop::introduce_and_send(Timestamp slot) {
  net::run_on(
      parts_.workers, parts_.loop,
      [client = orders_.client, request = make_request()] { return introduced(client, request); },
      [weak = weak_from_this(), slot](Result<net::HttpRequest> request) {
        const auto self = weak.lock();
        if (self && !self->stopped_) self->send(slot, std::move(request));
      });
}

net::HttpRequest ScrapeLoop::make_request() const {
  const Target& target = status_.target;
  net::HttpRequest request;
  request.url = orders_.url;
  request.timeout = target.timeout;
  request.connect_timeout = target.timeout;
  request.likely_body_bytes = last_body_bytes_ + last_body_bytes_ / 16;
  request.max_body_bytes = orders_.max_body_bytes > 0 ? orders_.max_body_bytes : kMaxBodyBytes;
  request.headers = {
      {"Accept", std::string(kAccept)},
      {"X-Prometheus-Scrape-Timeout-Seconds", format_value(to_seconds(target.timeout))}};
  return request;
}

void ScrapeLoop::send(Timestamp slot, Result<net::HttpRequest> request) {
  if (!request) {
    store_page(slot, fail(request.error()));
    return;
  }
  request_ = parts_.http.send(std::move(*request),
                              [weak = weak_from_this(), slot](net::HttpResult response) {
                                const auto self = weak.lock();
                                if (!self || self->stopped_) return;
                                self->request_.reset();
                                self->store_page(slot, std::move(response));
                              });
}

void ScrapeLoop::store_page(Timestamp slot, net::HttpResult response) {
  const std::chrono::duration<double> took = parts_.clock.ticks() - started_;
  last_body_bytes_ = response ? response->body.size() : 0;
  auto attempt =
      std::make_shared<Attempt>(Attempt{slot, took.count(), page_of(std::move(response))});
  net::run_on(
      parts_.workers, parts_.loop,
      [attempt, store = store_, rules = orders_.rules, after = parts_.after_page,
       interval = status_.target.interval] {
        auto report = store->accept(*attempt, rules);
        if (after) after(attempt->at, interval);
        return report;
      },
      [weak = weak_from_this(), slot](const ScrapeReport& report) {
        const auto self = weak.lock();
        if (self && !self->stopped_) self->finish(slot, report);
      });
}

void ScrapeLoop::finish(Timestamp slot, const ScrapeReport& report) {
  busy_ = false;
  const std::chrono::duration<double> took = parts_.clock.ticks() - started_;
  const bool first = !status_.last_scrape;
  note_health(report);
  status_.last_scrape = slot;
  status_.last_duration = std::chrono::duration_cast<Duration>(took);
  status_.last_samples = report.scraped;
  status_.last_kept = report.kept;
  status_.history = report.history;
  status_.metrics = report.metrics;

  ++stats_->scrapes;
  stats_->failures += report.error.empty() ? 0 : 1;
  stats_->samples_scraped += report.scraped;
  stats_->samples_appended += report.appended;
  stats_->drops.duplicate += report.drops.duplicate;
  stats_->drops.out_of_order += report.drops.out_of_order;
  stats_->drops.too_far_ahead += report.drops.too_far_ahead;
  stats_->duration_seconds.observe(took.count());
  if (first && on_first_scrape_) on_first_scrape_();
}

void ScrapeLoop::note_health(const ScrapeReport& report) {
  const Health before = status_.health;
  status_.health = report.error.empty() ? Health::Up : Health::Down;
  status_.last_error = report.error;
  const Target& target = status_.target;
  if (status_.health == Health::Down && before != Health::Down) {
    log::warn("target is down",
              {{"job", target.job}, {"target", target.url}, {"error", report.error}});
  } else if (status_.health == Health::Up && before == Health::Down) {
    log::info("target is up again", {{"job", target.job}, {"target", target.url}});
  }
}

}  // namespace tocsin::source
