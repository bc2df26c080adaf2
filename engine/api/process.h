// SPDX-License-Identifier: Apache-2.0
//
// What the kernel counts about this process: the process_* metrics. Read from /proc; any thread.
#pragma once

#include <optional>

namespace tocsin::api {

// Absent where the system does not tell.
struct ProcessUsage {
  std::optional<double> cpu_seconds;
  std::optional<double> start_seconds;  // Since 1970.
  std::optional<double> resident_bytes;
  std::optional<double> virtual_bytes;
  std::optional<double> open_files;
  std::optional<double> max_files;
};

ProcessUsage process_usage();

}  // namespace tocsin::api
