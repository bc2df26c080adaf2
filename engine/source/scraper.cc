// SPDX-License-Identifier: Apache-2.0
#include "source/scraper.h"

#include <algorithm>
#include <set>

namespace tocsin::source {
namespace {

bool is_same(const promql::Need& a, const promql::Need& b) {
  return a.history == b.history && a.matchers == b.matchers;
}

bool are_same(const std::vector<promql::Need>& a, const std::vector<promql::Need>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same);
}

Result<void> check(const std::vector<ScrapeConfig>& configs) {
  std::set<std::string> names;
  for (const ScrapeConfig& config : configs) {
    const std::string job = "job '" + config.job_name + "'";
    if (!names.insert(config.job_name).second) {
      return fail(ErrorCode::InvalidArgument, job + " is there twice");
    }
    for (const auto* rules : {&config.relabel_configs, &config.metric_relabel_configs}) {
      if (const auto compiled = Relabeler::compile(*rules); !compiled) {
        return fail(compiled.error().in(job));
      }
    }
  }
  return {};
}

}  // namespace

Scraper::Scraper(const ScrapeParts& parts, ParseTargetGroups parse)
    : parts_(parts), parse_(std::move(parse)), stores_(parts) {}

Scraper::~Scraper() { stop(); }

Result<void> Scraper::apply(const std::vector<ScrapeConfig>& configs,
                            std::vector<promql::Need> needs) {
  if (auto checked = check(configs); !checked) return checked;
  // The same filter object says to everybody that nothing changed.
  if (!filter_ || !are_same(filter_->needs(), needs)) {
    filter_ = std::make_shared<const KeepFilter>(std::move(needs));
  }
  std::erase_if(jobs_, [&](const auto& job) {
    return std::none_of(configs.begin(), configs.end(),
                        [&](const ScrapeConfig& config) { return config.job_name == job.first; });
  });
  const Timestamp now = parts_.clock.now();
  for (const ScrapeConfig& config : configs) {
    auto& job = jobs_[config.job_name];
    if (!job) {
      job = std::make_unique<ScrapeJob>(parts_, stores_, stats_, parse_);
      job->on_progress([this] { note_progress(); });
      if (const auto known = remembered_.extract(config.job_name); !known.empty()) {
        job->remember(std::min(known.mapped().lost.value_or(now), now),
                      std::move(known.mapped().metrics));
      }
    }
    job->apply(config, filter_);
  }
  remembered_.clear();
  applied_ = true;
  note_progress();
  return {};
}

void Scraper::note_clock_step(Duration step) {
  for (const auto& [name, job] : jobs_) job->note_clock_step(step);
}

void Scraper::stop() {
  for (const auto& [name, job] : jobs_) job->halt();
  jobs_.clear();
}

std::vector<TargetStatus> Scraper::targets() const {
  std::vector<TargetStatus> active;
  std::vector<DroppedTarget> dropped;
  for (const auto& [name, job] : jobs_) job->append_status(active, dropped);
  return active;
}

std::vector<DroppedTarget> Scraper::dropped_targets() const {
  std::vector<TargetStatus> active;
  std::vector<DroppedTarget> dropped;
  for (const auto& [name, job] : jobs_) job->append_status(active, dropped);
  return dropped;
}

std::vector<TargetStatus> Scraper::targets_to_see() const {
  std::vector<TargetStatus> out = targets();
  for (const auto& [name, job] : jobs_) {
    for (TargetStatus& status : job->gone_targets()) out.push_back(std::move(status));
  }
  return out;
}

JobsSeen Scraper::jobs_seen() const {
  JobsSeen out;
  for (const auto& [name, job] : jobs_) job->append_seen(out);
  return out;
}

void Scraper::on_first_pass(std::function<void()> callback) {
  if (first_pass_done_) {
    callback();
  } else {
    on_first_pass_.push_back(std::move(callback));
  }
}

void Scraper::note_progress() {
  if (first_pass_done_ || !applied_) return;
  const auto is_warm = [](const auto& job) { return job.second->is_warm(); };
  if (!std::all_of(jobs_.begin(), jobs_.end(), is_warm)) return;
  first_pass_done_ = true;
  for (auto& callback : std::exchange(on_first_pass_, {})) callback();
}

}  // namespace tocsin::source
