// SPDX-License-Identifier: Apache-2.0
//
// examples/meshes/demo.yaml, in the program: the build makes demo_mesh.cc out of it.
#pragma once

#include <string_view>

namespace tocsin::simulate {

extern const std::string_view kDemoMesh;

}  // namespace tocsin::simulate
