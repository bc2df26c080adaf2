// SPDX-License-Identifier: Apache-2.0
//
// Tocsin's own metrics, as the page of /metrics in Prometheus' text format. Their names are a
// promise to users. Pure.
#pragma once

#include <string>

#include "api/process.h"
#include "api/snapshot.h"

namespace tocsin::api {

std::string metrics_text(const Snapshot& snapshot, const ProcessUsage& process);

}  // namespace tocsin::api
