// SPDX-License-Identifier: Apache-2.0
#include "rule/kubernetes.h"

#include <algorithm>
#include <string_view>

namespace tocsin::rule {

yaml::Node Object::groups() const {
  if (kind.empty()) return node.get("groups");
  return is_prometheus_rule() ? node.get("spec").get("groups") : yaml::Node();
}

std::string Object::name() const {
  const yaml::Node metadata = node.get("metadata");
  const std::string space = metadata.get("namespace").text();
  const std::string own = metadata.get("name").text();
  return space.empty() || own.empty() ? own : space + "/" + own;
}

bool has_rules(const yaml::Document& document) {
  if (!document.root().get("tests").is_null()) return false;
  const auto objects = objects_of(document);
  return std::any_of(objects.begin(), objects.end(), [](const Object& object) {
    return object.is_prometheus_rule() || !object.groups().is_null();
  });
}

std::vector<Object> objects_of(const yaml::Document& document) {
  constexpr std::string_view kList = "List";
  const yaml::Node root = document.root();
  const std::string kind = root.get("kind").text();
  const yaml::Node items = root.get("items");
  if (!kind.ends_with(kList) || !items.is_sequence()) return {{root, kind}};
  std::vector<Object> out;
  for (const yaml::Node& item : items.items()) {
    const std::string own = item.get("kind").text();
    // The kind of what is in a list of one kind may be left out.
    out.push_back({item, own.empty() ? kind.substr(0, kind.size() - kList.size()) : own, true});
  }
  return out;
}

}  // namespace tocsin::rule
