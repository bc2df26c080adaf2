// SPDX-License-Identifier: Apache-2.0
//
// A simulated mesh that is written down at once, as `tocsin run --record` would have written it
// down in the course of days.
#pragma once

#include <string>
#include <vector>

#include "simulate/mesh_config.h"

namespace CLI {
class App;
}

namespace tocsin::cli {

struct MeshRecordOptions {
  std::string folder;  // Empty: nothing is recorded.
  std::string length = "1h";
  std::string interval = "15s";
  std::string start = "2026-01-05T00:00:00Z";
  std::vector<std::string> rules;  // What they read is kept; none: everything is.
};

void add_mesh_record_options(CLI::App& command, MeshRecordOptions& options);

// Gives the exit status.
int record_mesh(simulate::MeshConfig config, const MeshRecordOptions& options);

}  // namespace tocsin::cli
