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

bool may_concern(const Labels& target, const Labels& alert) {
  return std::none_of(kSubject.begin(), kSubject.end(), [&](std::string_view name) {
    const std::string_view a = target.get(name);
    const std::string_view b = alert.get(name);
    return !a.empty() && !b.empty() && a != b;
  });
}

}  // namespace

std::optional<std::string> why_blind(const std::vector<source::TargetStatus>& targets,
                                     const Labels& alert) {
  for (const source::TargetStatus& status : targets) {
    if (status.health != source::Health::Down) continue;
    if (!may_concern(status.target.labels, alert)) continue;
    return status.target.url + " cannot be scraped: " + status.last_error;
  }
  return std::nullopt;
}

}  // namespace tocsin::daemon
