// SPDX-License-Identifier: Apache-2.0
//
// Inhibitor knows which alerts fire and, from alertmanager.yml's inhibit_rules, whom they silence:
// an alert that matches a rule's target side is held back while another one that matches its source
// side fires and has the same values of the labels in `equal`. What matches both sides inhibits
// nothing that does as well, itself included. A label that is absent is an empty one.
//
// Sources are indexed by the values of `equal`: the cost of an answer is that of matching the
// rules, however many alerts fire. Pure; one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tocsin/clock.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"

namespace tocsin::notify {

struct InhibitRule {
  Matchers source;
  Matchers target;
  std::vector<std::string> equal;

  bool operator==(const InhibitRule&) const = default;
};

class Inhibitor {
 public:
  // The alerts that are known go on under the new rules.
  void use(std::vector<InhibitRule> rules);
  bool has_rules() const { return !rules_.empty(); }

  // An alert that fires, to be believed until `until`.
  void note_firing(const Labels& labels, Timestamp until, Timestamp now);
  void note_resolved(const Labels& labels);

  // One that inhibits the alert with these labels; nothing if none does.
  std::optional<Labels> source_for(const Labels& labels, Timestamp now) const;

  std::size_t firing_count() const { return firing_.size(); }

 private:
  struct Sources {
    std::unordered_set<Labels> one_sided;
    std::unordered_set<Labels> two_sided;  // Match the target side, too.
  };
  struct IndexedRule {
    InhibitRule rule;
    std::unordered_map<std::string, Sources> sources;  // By the values of `equal`.
  };

  void index(const Labels& labels);
  void drop(const Labels& labels);
  void drop_outdated(Timestamp now);
  std::optional<Labels> first_firing(const std::unordered_set<Labels>& sources,
                                     Timestamp now) const;

  std::vector<IndexedRule> rules_;
  std::unordered_map<Labels, Timestamp> firing_;  // Until when.
  std::size_t notes_ = 0;                         // Since the outdated were dropped.
};

}  // namespace tocsin::notify
