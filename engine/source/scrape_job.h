// SPDX-License-Identifier: Apache-2.0
//
// ScrapeJob is one entry of scrape_configs at work: it keeps a ScrapeLoop for each target that
// discovery names, and leaves those that a reload does not touch alone. Loop thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "source/discovery.h"
#include "source/scrape_loop.h"
#include "source/target_stores.h"

namespace tocsin::source {

class ScrapeJob {
 public:
  ScrapeJob(const ScrapeParts& parts, TargetStores& stores, std::shared_ptr<ScrapeStats> stats,
            ParseTargetGroups parse);
  // Stops every target and marks its series stale.
  ~ScrapeJob();
  ScrapeJob(const ScrapeJob&) = delete;
  ScrapeJob& operator=(const ScrapeJob&) = delete;

  // `config` has been checked: its relabel_configs compile.
  void apply(const ScrapeConfig& config, std::shared_ptr<const KeepFilter> filter);

  // Stops scraping without a trace in the store: the process ends, the targets do not.
  void halt();

  void append_status(std::vector<TargetStatus>& active, std::vector<DroppedTarget>& dropped) const;

  // The targets that discovery took away when it left the job none: what they told of may go on
  // unseen. Until those that come have been scraped, or for kHold.
  std::vector<TargetStatus> gone_targets() const;

  // A process before this one has seen targets of the job, and had lost them all at `since`, if it
  // had. Should discovery find none now, or not get to know what one of its sources says, they
  // count as gone. Call before apply().
  void remember(Timestamp since, MetricNames metrics) { remembered_ = {since, std::move(metrics)}; }
  // For remember() of the next process: adds the job, unless it never had targets or has lost them
  // too long ago.
  void append_seen(JobsSeen& out) const;

  // The clock was set by so much: what is gone has been gone as long as before.
  void note_clock_step(Duration step);

  // Whether discovery has answered and every target was scraped once.
  bool is_warm() const;
  // Called whenever is_warm() may have changed.
  void on_progress(std::function<void()> callback) { on_progress_ = std::move(callback); }

 private:
  using Loops = std::map<std::string, std::shared_ptr<ScrapeLoop>>;  // By url and labels.

  void take(const Discovered& discovered);
  void synchronize();
  std::vector<Target> make_targets();
  void start_loop(const std::string& key, Target target);
  void stop_loop(Loops::iterator it);
  void stop_unwanted(const std::map<std::string, Target>& wanted);
  void note_remembered();
  void note_scraped();
  ScrapeOrders orders_for(const Target& target) const;
  std::string refusal() const;

  const ScrapeParts parts_;
  TargetStores& stores_;
  const std::shared_ptr<ScrapeStats> stats_;
  const ParseTargetGroups parse_;
  ScrapeConfig config_;
  Relabeler relabeler_;
  std::shared_ptr<const SampleRules> rules_;
  std::unique_ptr<Discovery> discovery_;
  std::optional<Discovered> discovered_;
  Loops loops_;
  std::vector<DroppedTarget> dropped_;
  std::vector<TargetStatus> gone_;
  Timestamp gone_since_;
  std::optional<JobSeen> remembered_;              // Until discovery has answered.
  std::map<std::string, std::string> complaints_;  // By address: what was wrong with it.
  std::function<void()> on_progress_ = [] {};
};

}  // namespace tocsin::source
