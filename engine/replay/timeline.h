// SPDX-License-Identifier: Apache-2.0
//
// The timeline of a replay as one HTML page that needs nothing else: a row for each rule that gave
// alerts, a bar for each alert, from when it became pending to its end. Pure.
#pragma once

#include <string>

#include "replay/outcome.h"

namespace tocsin::replay {

std::string timeline_html(const Outcome& outcome);

}  // namespace tocsin::replay
