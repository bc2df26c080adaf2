// SPDX-License-Identifier: Apache-2.0
//
// From the `mesh` of a rule test to the mesh that is simulated for it.
#pragma once

#include "ruletest/test_file.h"
#include "simulate/mesh_config.h"
#include "tocsin/result.h"

namespace tocsin::ruletest {

// Reads the mesh file, if one is named. Fails with what is wrong with it, and with Invalid when
// there is no such fault or workload; the message says which ones there are.
Result<simulate::MeshConfig> mesh_of(const InputMesh& input);

}  // namespace tocsin::ruletest
