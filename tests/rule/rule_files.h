// SPDX-License-Identifier: Apache-2.0
//
// Rule files as literals, for the tests of this folder.
#pragma once

#include <string>

#include "tocsin/rule_set.h"

namespace tocsin::rule {

inline Loaded load_text(const std::string& text, const LoadOptions& options = {}) {
  const SourceFile file{"f.yaml", text};
  return load(std::span(&file, 1), options);
}

// A group with one alert: `body` are the lines of the rule behind `alert: A`.
inline Loaded load_alert(const std::string& body, const LoadOptions& options = {}) {
  return load_text("groups:\n- name: g\n  rules:\n  - alert: A\n    " + body + "\n", options);
}

// The last rule of the only group: the alert behind what it has recorded.
inline Rule last_rule(const Loaded& loaded) { return loaded.rules.groups.at(0).rules.back(); }

}  // namespace tocsin::rule
