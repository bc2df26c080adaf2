// SPDX-License-Identifier: Apache-2.0
//
// ScrapeLoop scrapes one target at its slots: the moments that lie a target's own offset after the
// multiples of its interval. A page is stamped with its slot. One scrape at a time: a slot that
// comes while the one before is still under way is missed, and counted.
//
// Loop thread only. Pages are read and stored by workers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/executor.h"
#include "net/http_client.h"
#include "source/scrape_stats.h"
#include "source/target.h"
#include "source/target_store.h"
#include "tocsin/clock.h"

namespace tocsin::source {

// What everything that scrapes works with. All must outlive it.
struct ScrapeParts {
  const Clock& clock;
  Scheduler& scheduler;
  net::Executor& loop;
  net::Executor& workers;
  net::HttpSender& http;
  store::Store& store;
  // Called by the worker that wrote a page of that moment; the next one is due after `interval`.
  // May be null.
  std::function<void(Timestamp at, Duration interval)> after_page = {};
};

// What a reload may change about a target that stays.
struct ScrapeOrders {
  std::shared_ptr<const SampleRules> rules;
  net::ClientConfig client;
  std::size_t max_body_bytes = 0;
  std::string url;
  std::string refusal;  // Not empty: every scrape fails with this, and nothing is asked.
};

class ScrapeLoop : public std::enable_shared_from_this<ScrapeLoop> {
 public:
  ScrapeLoop(const ScrapeParts& parts, Target target, std::shared_ptr<TargetStore> store,
             std::shared_ptr<ScrapeStats> stats);
  ScrapeLoop(const ScrapeLoop&) = delete;
  ScrapeLoop& operator=(const ScrapeLoop&) = delete;

  // Takes effect from the next slot.
  void use(ScrapeOrders orders);
  void start();
  void stop();

  const TargetStatus& status() const { return status_; }
  const std::shared_ptr<TargetStore>& target_store() const { return store_; }

  // Called after the first scrape, whatever came of it.
  void on_first_scrape(std::function<void()> callback) { on_first_scrape_ = std::move(callback); }

 private:
  void schedule();
  void run_slot(Timestamp slot);
  void introduce_and_send(Timestamp slot);
  void send(Timestamp slot, Result<net::HttpRequest> request);
  net::HttpRequest make_request() const;
  void store_page(Timestamp slot, net::HttpResult response);
  void finish(Timestamp slot, const ScrapeReport& report);
  void note_health(const ScrapeReport& report);

  const ScrapeParts parts_;
  const std::shared_ptr<TargetStore> store_;
  const std::shared_ptr<ScrapeStats> stats_;
  ScrapeOrders orders_;
  TargetStatus status_;
  std::function<void()> on_first_scrape_;
  std::optional<Scheduler::TaskId> timer_;
  std::optional<net::HttpSender::RequestId> request_;
  std::chrono::nanoseconds started_{0};
  std::size_t last_body_bytes_ = 0;
  bool busy_ = false;
  bool stopped_ = false;
};

// The first slot after `now`.
Timestamp next_slot(std::uint64_t hash, Duration interval, Timestamp now);

}  // namespace tocsin::source
