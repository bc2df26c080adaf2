// SPDX-License-Identifier: Apache-2.0
//
// Which versions of Linkerd export a metric, as far as that differs between the versions that are
// still to be met: 2.10 to 2.20. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "tocsin/diagnostics.h"
#include "tocsin/rule_set.h"

namespace tocsin::rule {

// Versions are the minor ones: 16 is Linkerd 2.16.
struct MetricVersions {
  std::string_view prefix;  // Of the names of its series.
  int since = 0;            // 0: all before, too.
  int until = 0;            // The last one; 0: still there.
  std::string_view now;     // What it is called afterwards, or what there is instead; may be empty.
};
// Null for a metric that all versions have, or that is not Linkerd's.
const MetricVersions* versions_of(std::string_view series_name);

// "2.16", "16", "stable-2.14.10", "enterprise-2.18.1", and "edge-25.4.1": an edge release counts as
// the stable one that it led to, or as the newest that is known. Nothing where it is no version of
// Linkerd 2.
std::optional<int> linkerd_minor(std::string_view text);

// A warning for each metric that the rules with an `expr` read and that this version does not have,
// unless the rule reads another one instead with `or`.
Diagnostics check_versions(const RuleSet& rules, int minor);

}  // namespace tocsin::rule
