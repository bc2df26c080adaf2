// SPDX-License-Identifier: Apache-2.0
//
// The pages that can be scraped at a moment of a test: of a simulated mesh, or captured ones.
// Pure. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulate/mesh_config.h"
#include "tocsin/clock.h"
#include "tocsin/labels.h"

namespace tocsin::ruletest {

class PageSource {
 public:
  struct Target {
    std::string url;  // Names it; the same as long as it is the same target.
    Labels labels;
  };

  virtual ~PageSource() = default;
  // Time does not go back.
  virtual void advance(Timestamp now) = 0;
  // Those that discovery would report.
  virtual std::vector<Target> targets() const = 0;
  // Nothing: the target does not answer.
  virtual std::optional<std::string> page(const Target& target) const = 0;
};

// A simulated mesh that begins at `start`.
std::unique_ptr<PageSource> mesh_pages(simulate::MeshConfig config, Timestamp start);

// One target, whose pages are served one after the other, `interval` apart; the last one stays.
struct CapturedPages {
  Labels labels;
  std::vector<std::string> pages;
};
std::unique_ptr<PageSource> captured_pages(CapturedPages captured, Timestamp start,
                                           Duration interval);

}  // namespace tocsin::ruletest
