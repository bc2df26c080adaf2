// SPDX-License-Identifier: Apache-2.0
//
// Discovery says which target groups a job has: its static_configs, its file_sd_configs (watched)
// and its http_sd_configs (asked again and again). What cannot be read keeps its last good answer.
//
// Loop thread only; files are read by workers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "source/scrape_config.h"
#include "source/scrape_loop.h"

namespace tocsin::source {

class Discovery {
 public:
  using OnGroups = std::function<void(const std::vector<TargetGroup>&)>;

  // Calls `on_groups` once every source has answered, and whenever one changes; for a job with
  // static_configs alone, from start().
  Discovery(const ScrapeParts& parts, const ScrapeConfig& config, ParseTargetGroups parse,
            OnGroups on_groups);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  void start();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::source
