// SPDX-License-Identifier: Apache-2.0
//
// Scraper is scrape_configs at work: the door through which the daemon has targets discovered,
// scraped and stored. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "source/keep_filter.h"
#include "source/scrape_job.h"
#include "source/scrape_stats.h"

namespace tocsin::source {

class Scraper {
 public:
  Scraper(const ScrapeParts& parts, ParseTargetGroups parse);
  ~Scraper();
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

  // Scrapes what `configs` say and stores what `needs` ask for. May be called again with a new
  // configuration: targets that it does not change are scraped on without a gap. Fails, and changes
  // nothing, when a relabel rule does not compile or two jobs have the same name.
  //
  // `needs` should name only series that are scraped, not those that recording rules write: the
  // same series must not come from two sides.
  Result<void> apply(const std::vector<ScrapeConfig>& configs, std::vector<promql::Need> needs);

  // Stops scraping. Nothing is marked stale: the process ends, not the targets.
  void stop();

  std::vector<TargetStatus> targets() const;
  std::vector<DroppedTarget> dropped_targets() const;
  // Those that are there, and those of jobs that have lost all they had; see ScrapeJob.
  std::vector<TargetStatus> targets_to_see() const;
  // The jobs that have targets, or had them a while ago; for the next process, which is to remember
  // them before its first apply(), lest it take a discovery that fails for targets taken away.
  JobsSeen jobs_seen() const;
  void remember(JobsSeen jobs) { remembered_ = std::move(jobs); }
  // The clock was set by so much; see ScrapeJob.
  void note_clock_step(Duration step);
  const ScrapeStats& stats() const { return *stats_; }

  // Whether every job has discovered its targets and scraped each of them once.
  bool first_pass_done() const { return first_pass_done_; }
  // Called once, when that is so; at once, if it is so already.
  void on_first_pass(std::function<void()> callback);

 private:
  void note_progress();

  const ScrapeParts parts_;
  const ParseTargetGroups parse_;
  std::shared_ptr<ScrapeStats> stats_ = std::make_shared<ScrapeStats>();
  std::shared_ptr<const KeepFilter> filter_;
  TargetStores stores_;
  std::map<std::string, std::unique_ptr<ScrapeJob>> jobs_;  // By job_name.
  JobsSeen remembered_;
  bool applied_ = false;
  bool first_pass_done_ = false;
  std::vector<std::function<void()>> on_first_pass_;
};

}  // namespace tocsin::source
