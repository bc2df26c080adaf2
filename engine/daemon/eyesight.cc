// SPDX-License-Identifier: Apache-2.0
#include "daemon/eyesight.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tocsin::daemon {
namespace {

// Labels that say what a target or an alert is about.
constexpr std::array<std::string_view, 10> kSubject{
    "namespace", "deployment", "statefulset",           "daemonset", "k8s_job",
    "cronjob",   "replicaset", "replicationcontroller", "component", "job"};

// What an alert about an edge calls its client's labels, with the name behind it.
constexpr std::string_view kClient = "client_";

bool agree(const Labels& target, const Labels& alert, std::string_view prefix) {
  return std::none_of(kSubject.begin(), kSubject.end(), [&](std::string_view name) {
    const std::string_view a = target.get(name);
    const std::string_view b = alert.get(std::string(prefix) + std::string(name));
    return !a.empty() && !b.empty() && a != b;
  });
}

bool may_feed(const source::TargetStatus& target, const Sources& sources) {
  if (sources.any || !target.metrics) return true;
  return std::any_of(sources.metrics.begin(), sources.metrics.end(), [&](const auto& name) {
    if (target.metrics->find(name) != target.metrics->end()) return true;
    return target.is_gone && source::is_report(name);
  });
}

alert::Obstacle obstacle_of(const source::TargetStatus& status) {
  const source::Target& target = status.target;
  if (status.is_gone) {
    const std::string job = "the job '" + target.job + "'";
    return {"job " + target.job,
            status.last_error.empty()
                ? "there is no target of " + job + " any more"
                : "targets of " + job + " cannot be looked for: " + status.last_error};
  }
  return {"target " + target.url, target.url + " cannot be scraped: " + status.last_error};
}

}  // namespace

bool may_be_about(const Labels& target, const Labels& alert) {
  return agree(target, alert, "") ||
         (alert.has("client_namespace") && agree(target, alert, kClient));
}

Eyesight::Eyesight(std::vector<source::TargetStatus> targets) : unseen_(std::move(targets)) {
  std::erase_if(unseen_, [](const auto& target) {
    return target.health != source::Health::Down && !target.is_gone;
  });
}

std::optional<alert::Obstacle> Eyesight::why_blind(const Sources& sources,
                                                   const Labels& alert) const {
  for (const source::TargetStatus& status : unseen_) {
    const bool concerns = status.speaks_for_others || may_be_about(status.target.labels, alert);
    if (!concerns || !may_feed(status, sources)) continue;
    return obstacle_of(status);
  }
  return std::nullopt;
}

}  // namespace tocsin::daemon
