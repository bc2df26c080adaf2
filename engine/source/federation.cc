// SPDX-License-Identifier: Apache-2.0
#include "source/federation.h"

#include <algorithm>
#include <map>
#include <set>

#include "net/url.h"

namespace tocsin::source {
namespace {

// A selector as the set of its matchers' texts: fewer matchers select more.
using Selector = std::set<std::string>;

// Whether the other side may know the label by another value: one that the target adds, or a bound,
// which Prometheus 2 spells "1" and we, like Prometheus 3, "1.0".
bool is_ours_alone(const Matcher& matcher, const Labels& target_labels) {
  const std::string& name = matcher.name();
  if (name == "le" || name == "quantile") return true;
  return name != "job" && name != "instance" && target_labels.has(name);
}

bool includes(const Selector& wide, const Selector& narrow) {
  return std::includes(narrow.begin(), narrow.end(), wide.begin(), wide.end());
}

void add(std::vector<Selector>& selectors, Selector added) {
  const auto is_covered = [&](const Selector& other) { return includes(other, added); };
  if (std::any_of(selectors.begin(), selectors.end(), is_covered)) return;
  std::erase_if(selectors, [&](const Selector& other) { return includes(added, other); });
  selectors.push_back(std::move(added));
}

std::string text_of(const Selector& selector) {
  std::string out;
  for (const std::string& matcher : selector) {
    out += (out.empty() ? "{" : ",") + matcher;
  }
  return out + "}";
}

}  // namespace

bool asks_for_needs(const ScrapeConfig& config) {
  return config.metrics_path.ends_with("/federate") && !config.params.contains("match[]");
}

std::vector<std::string> federation_selectors(const std::vector<promql::Need>& needs,
                                              const Labels& target_labels) {
  std::map<std::string, std::vector<Selector>> by_name;
  for (const promql::Need& need : needs) {
    Selector selector;
    bool selects = false;  // Prometheus refuses a selector that matches everything.
    for (const Matcher& matcher : need.matchers) {
      if (is_ours_alone(matcher, target_labels)) continue;
      selector.insert(matcher.text());
      selects |= !matcher.matches_empty();
    }
    const std::string name(metric_name_of(need.matchers).value_or(""));
    if (selects) add(by_name[name], std::move(selector));
  }
  std::vector<std::string> out;
  for (const auto& [name, selectors] : by_name) {
    std::transform(selectors.begin(), selectors.end(), std::back_inserter(out), text_of);
  }
  return out;
}

std::string federation_url(const std::string& url, const std::vector<std::string>& selectors) {
  net::Params params;
  for (const std::string& selector : selectors) params.emplace_back("match[]", selector);
  if (params.empty()) return url;
  return url + (url.find('?') == std::string::npos ? "?" : "&") + net::format_params(params);
}

}  // namespace tocsin::source
