// SPDX-License-Identifier: Apache-2.0
//
// Discovery says which target groups a job has: its static_configs, its file_sd_configs (watched)
// and its http_sd_configs (asked again and again). What cannot be read keeps its last good answer.
//
// Loop thread only; files are read by workers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "source/scrape_config.h"
#include "source/scrape_loop.h"

namespace tocsin::source {

struct Discovered {
  std::vector<TargetGroup> groups;
  // Which source could not be read even once, and why; empty if each has been.
  std::string unread;

  bool operator==(const Discovered&) const = default;
};

class Discovery {
 public:
  using OnGroups = std::function<void(const Discovered&)>;

  // Calls `on_groups` once every source has answered, and whenever one changes; for a job with
  // static_configs alone, from start(). `known` is the last good answer of the same sources, from
  // before a reload.
  Discovery(const ScrapeParts& parts, const ScrapeConfig& config, ParseTargetGroups parse,
            const std::vector<TargetGroup>& known, OnGroups on_groups);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  void start();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::source
