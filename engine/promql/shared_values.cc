// SPDX-License-Identifier: Apache-2.0
#include "promql/shared_values.h"

#include <algorithm>

namespace tocsin::promql {

bool SharedValues::may_share(const std::vector<Need>& needs) const {
  return std::all_of(needs.begin(), needs.end(), [this](const Need& need) {
    const auto name = std::find_if(need.matchers.begin(), need.matchers.end(),
                                   [](const Matcher& m) { return m.name() == kMetricName; });
    // Without a name it may read anything.
    return name != need.matchers.end() &&
           std::none_of(written_.begin(), written_.end(),
                        [&](const std::string& written) { return name->matches(written); });
  });
}

const Frame* SharedValues::find(const std::string& text, Timestamp at) {
  Part& part = parts_[text];
  if (part.at != at) part = {at, 0, part.asked, std::nullopt};
  ++part.asked;
  return part.value ? &*part.value : nullptr;
}

void SharedValues::keep(const std::string& text, const Frame& value) {
  Part& part = parts_[text];
  if (part.asked_before != 1) part.value = value;
}

}  // namespace tocsin::promql
