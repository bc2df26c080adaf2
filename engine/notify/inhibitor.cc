// SPDX-License-Identifier: Apache-2.0
#include "notify/inhibitor.h"

namespace tocsin::notify {
namespace {

constexpr std::size_t kFewNotes = 1000;

std::string key_of(const InhibitRule& rule, const Labels& labels) {
  std::string key;
  labels.key_of_kept(rule.equal, key);
  return key;
}

}  // namespace

void Inhibitor::use(std::vector<InhibitRule> rules) {
  rules_.clear();
  for (InhibitRule& rule : rules) rules_.push_back({std::move(rule), {}});
  for (const auto& [labels, until] : firing_) index(labels);
}

void Inhibitor::note_firing(const Labels& labels, Timestamp until, Timestamp now) {
  const auto [it, is_new] = firing_.insert_or_assign(labels, until);
  if (is_new) index(labels);
  // Each costs a little of the cleaning, which alerts need that ended without a word.
  if (++notes_ > kFewNotes + firing_.size() / 2) drop_outdated(now);
}

void Inhibitor::note_resolved(const Labels& labels) {
  if (firing_.erase(labels) > 0) drop(labels);
}

void Inhibitor::index(const Labels& labels) {
  for (IndexedRule& indexed : rules_) {
    if (!matches_all(indexed.rule.source, labels)) continue;
    Sources& sources = indexed.sources[key_of(indexed.rule, labels)];
    const bool both = matches_all(indexed.rule.target, labels);
    (both ? sources.two_sided : sources.one_sided).insert(labels);
  }
}

void Inhibitor::drop(const Labels& labels) {
  for (IndexedRule& indexed : rules_) {
    const auto it = indexed.sources.find(key_of(indexed.rule, labels));
    if (it == indexed.sources.end()) continue;
    it->second.one_sided.erase(labels);
    it->second.two_sided.erase(labels);
    if (it->second.one_sided.empty() && it->second.two_sided.empty()) indexed.sources.erase(it);
  }
}

void Inhibitor::drop_outdated(Timestamp now) {
  notes_ = 0;
  std::vector<Labels> outdated;
  for (const auto& [labels, until] : firing_) {
    if (until < now) outdated.push_back(labels);
  }
  for (const Labels& labels : outdated) note_resolved(labels);
}

std::optional<Labels> Inhibitor::first_firing(const std::unordered_set<Labels>& sources,
                                              Timestamp now) const {
  for (const Labels& source : sources) {
    if (firing_.at(source) >= now) return source;
  }
  return std::nullopt;
}

std::optional<Labels> Inhibitor::source_for(const Labels& labels, Timestamp now) const {
  for (const IndexedRule& indexed : rules_) {
    if (!matches_all(indexed.rule.target, labels)) continue;
    const auto it = indexed.sources.find(key_of(indexed.rule, labels));
    if (it == indexed.sources.end()) continue;
    if (auto found = first_firing(it->second.one_sided, now)) return found;
    if (matches_all(indexed.rule.source, labels)) continue;
    if (auto found = first_firing(it->second.two_sided, now)) return found;
  }
  return std::nullopt;
}

}  // namespace tocsin::notify
