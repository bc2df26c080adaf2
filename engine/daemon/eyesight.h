// SPDX-License-Identifier: Apache-2.0
//
// What Tocsin cannot see at the moment, and which alerts that concerns. An alert whose series has
// disappeared is over only if the targets that the series could come from have been seen since.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "source/target.h"
#include "tocsin/labels.h"

namespace tocsin::daemon {

// Why the disappearance of an alert with these labels proves nothing: a target that it may be about
// is down. A target is about something else if both name the namespace, the workload, the
// component or the job, and name another.
std::optional<std::string> why_blind(const std::vector<source::TargetStatus>& targets,
                                     const Labels& alert);

}  // namespace tocsin::daemon
