// SPDX-License-Identifier: Apache-2.0
//
// A target: what discovery found, made into something that can be scraped, and what came of it.
// Values; any thread.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "source/scrape_config.h"
#include "tocsin/labels.h"

namespace tocsin::source {

struct Target {
  std::string job;           // The scrape pool: the config's job_name.
  Labels discovered_labels;  // Before relabelling, defaults included.
  Labels labels;             // What its series get.
  std::string url;
  Duration interval;
  Duration timeout;

  bool operator==(const Target&) const = default;
};

struct DroppedTarget {
  std::string job;
  Labels discovered_labels;
};

enum class Health { Unknown, Up, Down };
std::string_view health_name(Health health);  // "unknown", "up", "down"

// What is written of every target that is scraped, whatever its page says.
inline constexpr std::array<std::string_view, 5> kReportNames = {
    "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added"};
bool is_report(std::string_view metric);

// A job that has had no target for so long was taken away on purpose.
inline constexpr Duration kHold = std::chrono::hours(1);

using MetricNames = std::set<std::string, std::less<>>;

// A job that has targets, or has lost all of them.
struct JobSeen {
  std::optional<Timestamp> lost;  // Since when.
  MetricNames metrics;            // That its targets were seen to have; empty: nobody knows.

  bool operator==(const JobSeen&) const = default;
};
using JobsSeen = std::map<std::string, JobSeen>;  // By job_name.

struct TargetStatus {
  Target target;
  Health health = Health::Unknown;
  std::string last_error;  // Empty when up.
  std::optional<Timestamp> last_scrape;
  Duration last_duration{0};
  std::size_t last_samples = 0;  // Lines of the last page.
  std::size_t last_kept = 0;     // Those of them that were written to the store.
  Duration history{0};           // How long its series are kept.
  // The metrics that it was ever seen to have, as far as anybody asks for them; null before its
  // first page.
  std::shared_ptr<const MetricNames> metrics;
  // Its series keep their own labels (honor_labels): its own say nothing of what they are about.
  bool speaks_for_others = false;
  // One of those that a job had when it lost them all, or that discovery cannot look for since a
  // source of the job was never read; last_error says why not.
  bool is_gone = false;
};

// Applies the job's defaults and relabel_configs to one discovered address. Fails when what comes
// out cannot be scraped (no address, a bad interval).
Result<std::variant<Target, DroppedTarget>> make_target(const ScrapeConfig& config,
                                                        const Relabeler& relabeler,
                                                        const std::string& address,
                                                        const TargetGroup& group);

}  // namespace tocsin::source
