// SPDX-License-Identifier: Apache-2.0
//
// Sightings remembers which metrics each target has, as far as they have been seen: what tells
// whether a target that is down could have given a rule its series.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "source/target.h"
#include "tocsin/labels.h"

namespace tocsin::replay {

class Sightings {
 public:
  void note(const Labels& labels) {
    source::MetricNames& names = names_[key_of(labels)];
    const std::string_view name = labels.metric_name();
    if (is_report(name)) return;
    if (names.find(name) == names.end()) names.emplace(name);
  }

  // Of the target whose `up` has these labels; null: none was seen.
  std::shared_ptr<const source::MetricNames> of(const Labels& up) const {
    const auto it = names_.find(key_of(up));
    return it == names_.end() ? nullptr : std::make_shared<source::MetricNames>(it->second);
  }

 private:
  // What a scrape says of itself, which no page has: it is there while the target is down.
  static bool is_report(std::string_view name) {
    return name == "up" || name.starts_with("scrape_");
  }

  static std::pair<std::string, std::string> key_of(const Labels& labels) {
    return {std::string(labels.get("job")), std::string(labels.get("instance"))};
  }

  std::map<std::pair<std::string, std::string>, source::MetricNames> names_;
};

}  // namespace tocsin::replay
