// SPDX-License-Identifier: Apache-2.0
#include "notify/route.h"

namespace tocsin::notify {
namespace {

std::string key_of(const RouteConfig& route) {
  std::string out;
  for (const Matcher& matcher : route.matchers) out += (out.empty() ? "" : ",") + matcher.text();
  return "{" + out + "}";
}

Labels group_labels(const RouteConfig& route, const Labels& labels) {
  const bool by_all = route.group_by.size() == 1 && route.group_by[0] == "...";
  return by_all ? labels : labels.keep_only(route.group_by);
}

// Adds the destinations below `route`; false when it does not match.
bool collect(const RouteConfig& route, const std::string& parent_key, const Labels& labels,
             std::vector<Destination>& out) {
  if (!matches_all(route.matchers, labels)) return false;
  const std::string key = parent_key.empty() ? key_of(route) : parent_key + "/" + key_of(route);
  bool taken = false;
  for (const RouteConfig& child : route.routes) {
    if (!collect(child, key, labels, out)) continue;
    taken = true;
    if (!child.continue_matching) break;
  }
  if (!taken) out.push_back({&route, key, group_labels(route, labels)});
  return true;
}

}  // namespace

std::vector<Destination> destinations_of(const RouteConfig& root, const Labels& labels) {
  std::vector<Destination> out;
  collect(root, "", labels, out);
  return out;
}

}  // namespace tocsin::notify
