// SPDX-License-Identifier: Apache-2.0
#include "daemon/witness.h"

#include <algorithm>
#include <cmath>

#include "alert/rule_life.h"
#include "daemon/eyesight.h"
#include "tocsin/duration.h"

namespace tocsin::daemon {
namespace {

// A target that was down a moment ago may have come back between the rule's question and this one.
const std::string kDown = "up == 0 or min_over_time(up[1m]) == 0";
const std::string kNewest = "max by (job, namespace) (timestamp(up))";
const std::string kSamples = "max by (job) (count_over_time(up[5m]))";
constexpr double kWindowSeconds = 300;

// A job of which nothing came for so many of its intervals has stopped being scraped; windows that
// see fewer samples than that are beyond anybody's advice. What comes late is not missing.
constexpr double kMostIntervals = 2.5;
constexpr double kMostLateSeconds = 30;

// A job that a look has seen within this time is there; groups are evaluated more often.
constexpr Duration kLookedAtEvery = std::chrono::minutes(5);

// Where series come from changes when somebody configures something.
constexpr Duration kAskAgainAfter = std::chrono::minutes(10);

// Prometheus writes these of a target that is down, too.
bool reads_only_reports(const Sources& sources) {
  return !sources.any && std::all_of(sources.metrics.begin(), sources.metrics.end(),
                                     [](const auto& name) { return source::is_report(name); });
}

// By convention, what that Prometheus has recorded out of whatever it has.
bool is_recorded(const std::string& metric) { return metric.find(':') != std::string::npos; }

bool is_old(const std::optional<Timestamp>& asked, Timestamp at) {
  return !asked || at - *asked >= kAskAgainAfter;
}

std::string length_text(double seconds) {
  return format_duration(std::chrono::seconds(std::llround(seconds)));
}

std::string down_reason(const std::string& job, const std::vector<Labels>& down) {
  std::string out = "Prometheus cannot scrape " + std::string(down.front().get("instance")) +
                    " of the job '" + job + "'";
  if (down.size() > 1) out += ", and " + std::to_string(down.size() - 1) + " more";
  return out;
}

}  // namespace

struct Witness::Look {
  std::vector<Reader> readers;
  Timestamp at;
  std::function<void()> then;
  Sights sights;
  std::string error;
  std::size_t open = 0;  // Questions.
  void (Witness::*next)(const LookPtr&) = nullptr;
};

void Witness::leave_out(LocalNames local_names, std::set<std::string> own_jobs) {
  local_names_ = std::move(local_names);
  own_jobs_ = std::move(own_jobs);
}

source::JobsSeen Witness::jobs_seen(Timestamp now) const {
  source::JobsSeen out;
  for (const auto& [name, job] : jobs_) {
    const Duration age = now - job.last_seen;
    if (age > source::kHold) continue;
    source::JobSeen seen;
    if (age >= kLookedAtEvery) seen.lost = job.last_seen;
    out.emplace(name, std::move(seen));
  }
  return out;
}

void Witness::remember(const source::JobsSeen& jobs, Timestamp now) {
  for (const auto& [name, job] : jobs) {
    jobs_[name].last_seen = std::min(job.lost.value_or(now), now);
  }
}

void Witness::note_clock_step(Duration step) {
  for (auto& [name, job] : jobs_) job.last_seen += step;
}

bool Witness::reads_elsewhere(const Sources& sources) const {
  return sources.any || std::any_of(sources.metrics.begin(), sources.metrics.end(),
                                    [&](const auto& name) { return !local_names_.contains(name); });
}

std::vector<std::string> Witness::selectors_of(const Sources& sources) const {
  std::vector<std::string> out;
  for (const std::string& name : sources.metrics) {
    if (local_names_.contains(name)) continue;
    out.push_back("{" + Matcher::equal(kMetricName, name).text() + "}");
  }
  return out;
}

void Witness::look(std::vector<Reader> readers, Timestamp at, std::function<void()> then) {
  std::erase_if(readers, [&](const Reader& reader) { return !reads_elsewhere(reader.sources); });
  if (readers.empty()) return then();
  auto look = std::make_shared<Look>();
  look->readers = std::move(readers);
  look->at = at;
  look->then = std::move(then);
  ask_up(look);
}

// ---- The questions. Each step begins when the one before has all its answers.

void Witness::finish_one(const LookPtr& look) {
  if (--look->open == 0) (this->*look->next)(look);
}

void Witness::ask_query(const LookPtr& look, const std::string& expr,
                        std::function<void(const promql::Vector&)> take) {
  ++look->open;
  testimony_.query(
      expr, look->at, [this, look, take = std::move(take)](Result<promql::Answer> answer) {
        const auto vector = answer ? alert::as_vector(answer->value) : fail(answer.error());
        if (vector) {
          take(*vector);
        } else {
          look->error = vector.error().message;
        }
        finish_one(look);
      });
}

void Witness::ask_up(const LookPtr& look) {
  look->next = &Witness::ask_origins;
  look->open = 1;  // For this function.
  ask_query(look, kDown, [this, look](const auto& down) { take_down(*look, down); });
  ask_query(look, kNewest, [this, look](const auto& newest) { take_newest(*look, newest); });
  ask_query(look, kSamples, [look](const auto& samples) {
    for (const promql::Element& element : samples) {
      look->sights[std::string(element.labels.get("job"))].samples = element.sample.value;
    }
  });
  finish_one(look);
}

void Witness::take_down(Look& look, const promql::Vector& down) {
  for (const promql::Element& element : down) {
    auto& known = look.sights[std::string(element.labels.get("job"))].down;
    Labels labels = element.labels.without(kMetricName);
    if (std::find(known.begin(), known.end(), labels) == known.end()) {
      known.push_back(std::move(labels));
    }
  }
}

void Witness::take_newest(Look& look, const promql::Vector& newest) {
  for (const promql::Element& element : newest) {
    const std::string job(element.labels.get("job"));
    JobSight& sight = look.sights[job];
    sight.newest = std::max(sight.newest, element.sample.value);
    if (own_jobs_.contains(job)) continue;
    Job& known = jobs_[job];
    known.last_seen = std::max(known.last_seen, look.at);
    known.namespaces.emplace(element.labels.get("namespace"));
  }
}

void Witness::ask_origins(const LookPtr& look) {
  look->next = &Witness::ask_namespaces;
  look->open = 1;
  for (const Reader& reader : look->readers) {
    Origin& origin = origins_[reader.rule_id];
    if (reader.sources.any || !is_old(origin.asked, look->at)) continue;
    ++look->open;
    testimony_.label_values("job", selectors_of(reader.sources), look->at,
                            [this, look, &reader](Result<std::set<std::string>> jobs) {
                              Origin& known = origins_[reader.rule_id];
                              if (jobs && jobs->empty()) {
                                ask_series(look, reader);
                              } else {
                                // Where nobody says where series come from, they may come from
                                // anywhere.
                                known.has_series = true;
                                if (jobs) known.jobs.insert(jobs->begin(), jobs->end());
                                if (jobs) known.asked = look->at;
                              }
                              finish_one(look);
                            });
  }
  finish_one(look);
}

// Series without a job are series, too.
void Witness::ask_series(const LookPtr& look, const Reader& reader) {
  ++look->open;
  testimony_.label_values(std::string(kMetricName), selectors_of(reader.sources), look->at,
                          [this, look, &reader](Result<std::set<std::string>> names) {
                            Origin& origin = origins_[reader.rule_id];
                            origin.has_series |= !names || !names->empty();
                            if (names && origin.has_series) origin.asked = look->at;
                            finish_one(look);
                          });
}

void Witness::ask_namespaces(const LookPtr& look) {
  look->next = &Witness::conclude;
  look->open = 1;
  for (auto& [name, job] : jobs_) {
    // While targets are down, what they speak of may be gone.
    const auto sight = look->sights.find(name);
    if (sight == look->sights.end() || !is_old(job.asked, look->at)) continue;
    if (job.asked && !sight->second.down.empty()) continue;
    const bool is_read = std::any_of(
        look->readers.begin(), look->readers.end(), [&, &job_name = name](const Reader& reader) {
          return reader.sources.any || origins_[reader.rule_id].jobs.contains(job_name);
        });
    if (!is_read) continue;
    ++look->open;
    testimony_.label_values("namespace", {"{" + Matcher::equal("job", name).text() + "}"}, look->at,
                            [this, look, &job = job](Result<std::set<std::string>> namespaces) {
                              if (namespaces) {
                                job.asked = look->at;
                                job.speaks_for_others =
                                    !std::includes(job.namespaces.begin(), job.namespaces.end(),
                                                   namespaces->begin(), namespaces->end());
                              }
                              finish_one(look);
                            });
  }
  finish_one(look);
}

// ---- The verdict.

void Witness::conclude(const LookPtr& look) {
  std::vector<Trouble> troubles;
  for (const auto& [job, sight] : look->sights) {
    if (own_jobs_.contains(job)) continue;
    if (auto trouble = trouble_of(job, sight, look->at)) troubles.push_back(std::move(*trouble));
  }
  const auto is_there = [&](const std::string& job) {
    const auto sight = look->sights.find(job);
    return sight != look->sights.end() && sight->second.newest > 0;
  };
  const bool sees_anything =
      std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& job) { return is_there(job.first); });
  for (const auto& [name, job] : jobs_) {
    if (own_jobs_.contains(name) || is_there(name)) continue;
    if (sees_anything && look->at - job.last_seen > source::kHold) continue;
    troubles.push_back({name, {}, "Prometheus has no target of the job '" + name + "' any more"});
  }
  troubles_ = std::move(troubles);
  has_up_ = std::any_of(look->sights.begin(), look->sights.end(),
                        [](const auto& sight) { return sight.second.newest > 0; });
  error_ = look->error;
  look->then();
}

std::optional<Witness::Trouble> Witness::trouble_of(const std::string& job, const JobSight& sight,
                                                    Timestamp at) const {
  if (sight.newest > 0) {
    const double age = to_seconds(at) - sight.newest;
    const double interval = (kWindowSeconds - age) / std::max(sight.samples, 1.0);
    if (age > std::max(kMostIntervals * interval, kMostLateSeconds)) {
      return Trouble{
          job, {}, "Prometheus has not scraped the job '" + job + "' for " + length_text(age)};
    }
  }
  if (sight.down.empty()) return std::nullopt;
  return Trouble{job, sight.down, down_reason(job, sight.down)};
}

bool Witness::may_feed(const Trouble& trouble, const Reader& reader) const {
  if (!trouble.down.empty() && reads_only_reports(reader.sources)) return false;
  const auto& metrics = reader.sources.metrics;
  if (reader.sources.any || std::any_of(metrics.begin(), metrics.end(), is_recorded)) return true;
  const auto origin = origins_.find(reader.rule_id);
  if (origin == origins_.end() || origin->second.jobs.empty()) return true;
  // Series of a job without targets come by way of another.
  return std::any_of(origin->second.jobs.begin(), origin->second.jobs.end(), [&](const auto& job) {
    return job == trouble.job || (!jobs_.contains(job) && !own_jobs_.contains(job));
  });
}

bool Witness::concerns(const Trouble& trouble, const Labels& alert) const {
  const auto job = jobs_.find(trouble.job);
  if (job != jobs_.end() && job->second.speaks_for_others) return true;
  if (trouble.down.empty()) return may_be_about(Labels{{"job", trouble.job}}, alert);
  return std::any_of(trouble.down.begin(), trouble.down.end(),
                     [&](const Labels& target) { return may_be_about(target, alert); });
}

std::optional<alert::Obstacle> Witness::why_blind(const Reader& reader, const Labels& alert) const {
  if (!reads_elsewhere(reader.sources)) return std::nullopt;
  if (!error_.empty()) {
    return alert::Obstacle{"prometheus", "Prometheus does not say what it can see: " + error_};
  }
  for (const Trouble& trouble : troubles_) {
    if (!may_feed(trouble, reader) || !concerns(trouble, alert)) continue;
    return alert::Obstacle{"job " + trouble.job, trouble.reason};
  }
  const auto origin = origins_.find(reader.rule_id);
  const bool has_series =
      reader.sources.any || (origin != origins_.end() && origin->second.has_series);
  if (has_up_ || has_series) return std::nullopt;
  return alert::Obstacle{"prometheus",
                         "Prometheus has no targets, and nothing of what the rule reads"};
}

}  // namespace tocsin::daemon
