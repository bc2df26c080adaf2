// SPDX-License-Identifier: Apache-2.0
#include "rule/scrape_window.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "rule/linkerd_catalog.h"
#include "tocsin/duration.h"

namespace tocsin::rule {
namespace {

constexpr Duration kUsualInterval = std::chrono::seconds(15);
constexpr int kScrapes = 4;

// Recorded by rules, or written by Tocsin itself.
bool is_made_here(std::string_view metric) {
  return metric.find(':') != std::string_view::npos || metric.starts_with("tocsin_") ||
         metric.starts_with("ALERTS");
}

// What the name of the jobs has in it that bring Linkerd's metrics; nothing for those of others.
std::string_view job_word_of(std::string_view metric) {
  if (find_linkerd_metric(metric) == nullptr) return {};
  return is_traffic_metric(metric) ? "linkerd-proxy" : "linkerd";
}

}  // namespace

ShortestWindow shortest_window(std::span<const ScrapedJob> jobs, std::string_view metric,
                               const Matchers& matchers) {
  if (jobs.empty()) {
    return {kScrapes * kUsualInterval, "a scrape every " + format_duration(kUsualInterval) +
                                           " is assumed, for want of a configuration"};
  }
  if (is_made_here(metric)) return {};
  std::vector<ScrapedJob> from(jobs.begin(), jobs.end());
  std::erase_if(from, [&](const ScrapedJob& job) {
    return std::any_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& m) { return m.name() == "job" && !m.matches(job.name); });
  });
  if (from.empty()) return {};
  const auto has_word = [word = job_word_of(metric)](const ScrapedJob& job) {
    return !word.empty() && job.name.find(word) != std::string::npos;
  };
  const bool names_its_job = std::any_of(matchers.begin(), matchers.end(),
                                         [](const Matcher& m) { return m.name() == "job"; });
  const bool is_in_known_jobs = std::any_of(from.begin(), from.end(), has_word);
  if (is_in_known_jobs) std::erase_if(from, std::not_fn(has_word));
  const auto is_faster = [](const ScrapedJob& a, const ScrapedJob& b) {
    return a.interval < b.interval;
  };
  const auto job = names_its_job || is_in_known_jobs
                       ? std::max_element(from.begin(), from.end(), is_faster)
                       : std::min_element(from.begin(), from.end(), is_faster);
  return {kScrapes * job->interval, "job '" + job->name + "' is scraped every " +
                                        format_duration(job->interval) + ", as " + job->said_by +
                                        " says"};
}

}  // namespace tocsin::rule
