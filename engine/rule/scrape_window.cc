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

// Leaves out the others, if there are any that fit.
void keep_if_any(std::vector<ScrapedJob>& jobs, const auto& fits) {
  if (std::any_of(jobs.begin(), jobs.end(), fits)) std::erase_if(jobs, std::not_fn(fits));
}

}  // namespace

ShortestWindow shortest_window(std::span<const ScrapedJob> jobs, std::string_view metric,
                               const Matchers& matchers) {
  if (jobs.empty()) {
    return {kScrapes * kUsualInterval, "a scrape every " + format_duration(kUsualInterval) +
                                           " is assumed, for want of a configuration"};
  }
  std::vector<ScrapedJob> from(jobs.begin(), jobs.end());
  keep_if_any(from, [&](const ScrapedJob& job) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& m) { return m.name() != "job" || m.matches(job.name); });
  });
  if (find_linkerd_metric(metric) != nullptr) {
    const std::string_view word = is_traffic_metric(metric) ? "linkerd-proxy" : "linkerd";
    keep_if_any(from,
                [&](const ScrapedJob& job) { return job.name.find(word) != std::string::npos; });
  }
  const auto slowest = std::max_element(
      from.begin(), from.end(),
      [](const ScrapedJob& a, const ScrapedJob& b) { return a.interval < b.interval; });
  return {kScrapes * slowest->interval, "job '" + slowest->name + "' is scraped every " +
                                            format_duration(slowest->interval) + ", as " +
                                            slowest->said_by + " says"};
}

}  // namespace tocsin::rule
