// SPDX-License-Identifier: Apache-2.0
#include "daemon/self_watch.h"

#include <algorithm>

#include "tocsin/exposition.h"

namespace tocsin::daemon {
namespace {

constexpr std::string_view kOwnPrefix = "tocsin_";

}  // namespace

SelfWatch::SelfWatch(std::vector<promql::Need> needs) : filter_(needs) {
  for (const promql::Need& need : needs) {
    const auto name = metric_name_of(need.matchers);
    if (name && name->starts_with(kOwnPrefix)) history_ = std::max(history_, need.history);
  }
}

promql::Vector SelfWatch::series(const std::string& page, Timestamp at,
                                 const std::string& instance) const {
  promql::Vector out;
  exposition::PageReader reader(page, exposition::Dialect::Prometheus);
  exposition::PageSample sample;
  while (reader.next(sample)) {
    auto labels = exposition::decode_labels(sample);
    if (!labels || !labels->metric_name().starts_with(kOwnPrefix)) continue;
    Labels series = labels->with("job", "tocsin").with("instance", instance);
    if (filter_.wants(series)) out.push_back({std::move(series), {at, sample.value}});
  }
  return out;
}

}  // namespace tocsin::daemon
