// SPDX-License-Identifier: Apache-2.0
//
// Notices that files have changed, by looking at their size and time of change: it works for
// ConfigMaps, whose files are swapped behind symbolic links, and for files that come and go.
#pragma once

#include <string>
#include <vector>

namespace tocsin::daemon {

// A text that differs when any of the files does. Files that do not exist count too.
std::string fingerprint_files(const std::vector<std::string>& paths);

}  // namespace tocsin::daemon
