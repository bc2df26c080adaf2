// SPDX-License-Identifier: Apache-2.0
#include "source/sample_labels.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tocsin::source {
namespace {

constexpr std::string_view kExportedPrefix = "exported_";

// Whether `name=""` stands in the text, as a label of its own.
bool is_emptied(std::string_view raw, std::string_view name) {
  const std::string pattern = std::string(name) + "=\"\"";
  for (std::size_t at = raw.find(pattern); at != std::string_view::npos;
       at = raw.find(pattern, at + 1)) {
    if (at == 0 || raw[at - 1] == ',' || raw[at - 1] == ' ') return true;
  }
  return false;
}

}  // namespace

Labels merge_target_labels(const Labels& scraped, const Labels& target) {
  const Labels joined = scraped.joined(target);
  if (joined.size() == scraped.size() + target.size()) return joined;
  LabelsBuilder builder(joined);
  std::vector<std::pair<std::string, std::string>> conflicts;
  for (const LabelView& label : target) {
    if (const auto own = scraped.get(label.name); !own.empty()) {
      conflicts.emplace_back(label.name, own);
    }
  }
  std::stable_sort(conflicts.begin(), conflicts.end(),
                   [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); });
  for (const auto& [name, value] : conflicts) {
    std::string free_name = std::string(kExportedPrefix) + name;
    while (builder.has(free_name)) free_name.insert(0, kExportedPrefix);
    builder.set(free_name, value);
  }
  return builder.build();
}

Labels merge_honoring_labels(const Labels& scraped, std::string_view raw, const Labels& target) {
  LabelsBuilder builder(scraped);
  for (const LabelView& label : target) {
    if (!scraped.has(label.name) && !is_emptied(raw, label.name)) {
      builder.set(label.name, label.value);
    }
  }
  return builder.build();
}

std::optional<std::string> exceeded_label_limit(const ScrapeLimits& limits, const Labels& labels) {
  if (limits.labels == 0 && limits.label_name_length == 0 && limits.label_value_length == 0) {
    return std::nullopt;
  }
  const auto over = [](std::size_t limit, std::size_t size) { return limit > 0 && size > limit; };
  const std::string metric(labels.metric_name());
  if (over(limits.labels, labels.size())) {
    return "label_limit exceeded (metric: " + metric +
           ", number of labels: " + std::to_string(labels.size()) +
           ", limit: " + std::to_string(limits.labels) + ")";
  }
  for (const LabelView& label : labels) {
    if (over(limits.label_name_length, label.name.size())) {
      return "label_name_length_limit exceeded (metric: " + metric +
             ", label name: " + std::string(label.name) +
             ", limit: " + std::to_string(limits.label_name_length) + ")";
    }
    if (over(limits.label_value_length, label.value.size())) {
      return "label_value_length_limit exceeded (metric: " + metric +
             ", label name: " + std::string(label.name) +
             ", length: " + std::to_string(label.value.size()) +
             ", limit: " + std::to_string(limits.label_value_length) + ")";
    }
  }
  return std::nullopt;
}

}  // namespace tocsin::source
