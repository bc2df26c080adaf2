// SPDX-License-Identifier: Apache-2.0
//
// Tocsin's own metrics, as the page of /metrics in Prometheus' text format. Their names are a
// promise to users. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/process.h"
#include "api/snapshot.h"

namespace tocsin::api {

// The names of all metrics that there can be, without those of the process.
std::vector<std::string_view> metric_names();

std::string metrics_text(const Snapshot& snapshot, const ProcessUsage& process);

}  // namespace tocsin::api
