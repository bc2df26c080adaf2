// SPDX-License-Identifier: Apache-2.0
#include "source/scrape_job.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "source/federation.h"

namespace tocsin::source {
namespace {

std::string key_of(const Target& target) {
  return target.url + " " + target.labels.text() + " " + std::to_string(target.interval.count()) +
         " " + std::to_string(target.timeout.count());
}

std::shared_ptr<const SampleRules> make_rules(const ScrapeConfig& config,
                                              std::shared_ptr<const KeepFilter> filter) {
  auto rules = std::make_shared<SampleRules>();
  // A federated series carries its own job and instance: without them it would become the
  // federating target's.
  rules->honor_labels = config.honor_labels || asks_for_needs(config);
  rules->honor_timestamps = config.honor_timestamps;
  rules->limits = config.limits;
  rules->relabel = *Relabeler::compile(config.metric_relabel_configs);
  rules->filter = std::move(filter);
  return rules;
}

}  // namespace

ScrapeJob::ScrapeJob(const ScrapeParts& parts, TargetStores& stores,
                     std::shared_ptr<ScrapeStats> stats, ParseTargetGroups parse)
    : parts_(parts), stores_(stores), stats_(std::move(stats)), parse_(std::move(parse)) {}

ScrapeJob::~ScrapeJob() {
  while (!loops_.empty()) stop_loop(loops_.begin());
}

void ScrapeJob::halt() {
  discovery_.reset();
  for (const auto& [key, loop] : loops_) loop->stop();
  loops_.clear();
}

void ScrapeJob::apply(const ScrapeConfig& config, std::shared_ptr<const KeepFilter> filter) {
  const bool is_same = discovery_ && config == config_;
  if (is_same && rules_->filter == filter) return;
  config_ = config;
  relabeler_ = *Relabeler::compile(config.relabel_configs);
  rules_ = make_rules(config, std::move(filter));
  if (discovered_) synchronize();
  if (is_same) return;
  discovery_ =
      std::make_unique<Discovery>(parts_, config, parse_, discovered_.value_or(Discovered{}).groups,
                                  [this](const Discovered& discovered) { take(discovered); });
  discovery_->start();
}

void ScrapeJob::take(const Discovered& discovered) {
  discovered_ = discovered;
  for (TargetStatus& gone : gone_) gone.last_error = discovered.unread;
  synchronize();
  note_remembered();
  on_progress_();
}

// Makes the loops be those of the targets: first the gone ones, so that a target whose address
// changed can take over the series of its labels.
void ScrapeJob::synchronize() {
  std::map<std::string, Target> wanted;
  for (Target& target : make_targets()) wanted.emplace(key_of(target), std::move(target));
  stop_unwanted(wanted);
  for (auto& [key, target] : wanted) {
    if (!loops_.contains(key)) start_loop(key, std::move(target));
  }
  for (const auto& [key, loop] : loops_) loop->use(orders_for(loop->status().target));
  note_scraped();
}

// A target that goes while others stay or come is a rollout; when none is left, or not every source
// could be read, it may be discovery that has gone wrong.
void ScrapeJob::stop_unwanted(const std::map<std::string, Target>& wanted) {
  std::vector<TargetStatus> stopped;
  for (auto it = loops_.begin(); it != loops_.end();) {
    const auto here = it++;
    if (wanted.contains(here->first)) continue;
    stopped.push_back(here->second->status());
    stop_loop(here);
  }
  if (stopped.empty() || (!wanted.empty() && discovered_->unread.empty())) return;
  gone_ = gone_targets();  // Those that are held still.
  gone_since_ = parts_.clock.now();
  for (TargetStatus& status : stopped) {
    if (!status.last_scrape) continue;
    std::erase_if(gone_,
                  [&](const auto& gone) { return gone.target.labels == status.target.labels; });
    status.is_gone = true;
    status.last_error = discovered_->unread;
    gone_.push_back(std::move(status));
  }
}

// Nobody knows any more which targets those were: one stands for all of them.
void ScrapeJob::note_remembered() {
  const auto before = std::exchange(remembered_, std::nullopt);
  if (!before || (!loops_.empty() && discovered_->unread.empty())) return;
  TargetStatus all;
  all.target.job = config_.job_name;
  all.target.labels = Labels{{"job", config_.job_name}};
  all.is_gone = true;
  all.last_error = discovered_->unread;
  if (!before->metrics.empty()) {
    all.metrics = std::make_shared<const MetricNames>(before->metrics);
  }
  gone_ = {std::move(all)};
  gone_since_ = before->lost.value_or(parts_.clock.now());
}

void ScrapeJob::append_seen(JobsSeen& out) const {
  if (remembered_) {
    out.emplace(config_.job_name, *remembered_);
    return;
  }
  JobSeen seen;
  const auto add = [&seen](const std::shared_ptr<const MetricNames>& metrics) {
    if (metrics) seen.metrics.insert(metrics->begin(), metrics->end());
  };
  if (const auto gone = gone_targets(); !gone.empty()) {
    seen.lost = gone_since_;
    for (const TargetStatus& status : gone) add(status.metrics);
  } else if (loops_.empty()) {
    return;
  }
  for (const auto& [key, loop] : loops_) add(loop->status().metrics);
  out.emplace(config_.job_name, std::move(seen));
}

void ScrapeJob::note_clock_step(Duration step) {
  gone_since_ += step;
  if (remembered_ && remembered_->lost) *remembered_->lost += step;
}

void ScrapeJob::note_scraped() {
  if (!loops_.empty() && is_warm() && discovered_->unread.empty()) gone_.clear();
}

std::vector<TargetStatus> ScrapeJob::gone_targets() const {
  return parts_.clock.now() - gone_since_ < kHold ? gone_ : std::vector<TargetStatus>{};
}

std::vector<Target> ScrapeJob::make_targets() {
  std::vector<Target> targets;
  std::map<std::string, std::string> complaints;
  dropped_.clear();
  for (const TargetGroup& group : discovered_->groups) {
    for (const std::string& address : group.targets) {
      auto made = make_target(config_, relabeler_, address, group);
      if (!made) {
        complaints[address] = made.error().message;
      } else if (auto* dropped = std::get_if<DroppedTarget>(&*made)) {
        dropped_.push_back(std::move(*dropped));
      } else {
        targets.push_back(std::move(std::get<Target>(*made)));
      }
    }
  }
  for (const auto& [address, complaint] : complaints) {
    if (complaints_[address] == complaint) continue;
    log::warn("target cannot be scraped",
              {{"job", config_.job_name}, {"address", address}, {"error", complaint}});
  }
  complaints_ = std::move(complaints);
  return targets;
}

void ScrapeJob::start_loop(const std::string& key, Target target) {
  auto store = stores_.obtain(target.labels, target.interval);
  if (!store) {
    log::warn("another target has the same labels; this one is not scraped",
              {{"job", config_.job_name}, {"target", target.url}});
    return;
  }
  auto loop = std::make_shared<ScrapeLoop>(parts_, std::move(target), std::move(store), stats_);
  loop->use(orders_for(loop->status().target));
  loop->on_first_scrape([this] {
    note_scraped();
    on_progress_();
  });
  loop->start();
  loops_.emplace(key, std::move(loop));
}

void ScrapeJob::stop_loop(Loops::iterator it) {
  it->second->stop();
  stores_.retire(it->second->status().target.labels);
  loops_.erase(it);
}

ScrapeOrders ScrapeJob::orders_for(const Target& target) const {
  ScrapeOrders orders{.rules = rules_,
                      .client = config_.client,
                      .max_body_bytes = config_.limits.body_bytes,
                      .url = target.url,
                      .refusal = refusal()};
  if (asks_for_needs(config_)) {
    orders.url =
        federation_url(target.url, federation_selectors(rules_->filter->needs(), target.labels));
  }
  return orders;
}

std::string ScrapeJob::refusal() const {
  const std::size_t limit = config_.limits.targets;
  if (limit == 0 || loops_.size() <= limit) return {};
  return "target_limit exceeded (number of targets: " + std::to_string(loops_.size()) +
         ", limit: " + std::to_string(limit) + ")";
}

void ScrapeJob::append_status(std::vector<TargetStatus>& active,
                              std::vector<DroppedTarget>& dropped) const {
  for (const auto& [key, loop] : loops_) active.push_back(loop->status());
  dropped.insert(dropped.end(), dropped_.begin(), dropped_.end());
}

bool ScrapeJob::is_warm() const {
  return discovered_ && std::all_of(loops_.begin(), loops_.end(), [](const auto& loop) {
           return loop.second->status().last_scrape.has_value();
         });
}

}  // namespace tocsin::source
