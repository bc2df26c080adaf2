// SPDX-License-Identifier: Apache-2.0
//
// The mesh that `simulate` and `demo` are asked for.
#pragma once

#include <optional>
#include <string>

#include "simulate/mesh_config.h"

namespace tocsin::cli {

// Reads `path`; the demo's mesh where it is empty. Nothing, and the complaints on standard error,
// when the file is wrong.
std::optional<simulate::MeshConfig> read_mesh_file(const std::string& path);

}  // namespace tocsin::cli
