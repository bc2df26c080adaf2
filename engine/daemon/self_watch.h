// SPDX-License-Identifier: Apache-2.0
//
// SelfWatch lets rules ask about Tocsin itself: what it says on /metrics, as far as a rule reads
// it, becomes series of the store, without a scrape. The same names and labels as a Prometheus that
// scrapes Tocsin has; job and instance say which one it is. Pure.
#pragma once

#include <string>
#include <vector>

#include "source/keep_filter.h"
#include "tocsin/promql.h"

namespace tocsin::daemon {

class SelfWatch {
 public:
  // `needs` are those of the rules.
  explicit SelfWatch(std::vector<promql::Need> needs);

  // Whether any rule reads a metric of Tocsin's own.
  bool is_asked() const { return history_.count() > 0; }
  // How far back they read.
  Duration history() const { return history_; }

  // The series of a page of /metrics that rules read.
  promql::Vector series(const std::string& page, Timestamp at, const std::string& instance) const;

 private:
  source::KeepFilter filter_;
  Duration history_{0};
};

}  // namespace tocsin::daemon
