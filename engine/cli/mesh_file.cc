// SPDX-License-Identifier: Apache-2.0
#include "cli/mesh_file.h"

#include <iostream>

#include "base/file.h"
#include "cli/command.h"
#include "yaml/document.h"

namespace tocsin::cli {

std::optional<simulate::MeshConfig> read_mesh_file(const std::string& path) {
  if (path.empty()) return simulate::MeshConfig::demo();
  const auto bytes = read_file(path);
  if (!bytes) {
    std::cerr << bytes.error().message << '\n';
    return std::nullopt;
  }
  Diagnostics diagnostics;
  const auto document = yaml::Document::parse(path, *bytes, diagnostics);
  simulate::MeshConfig config = simulate::read_mesh(document, diagnostics);
  std::cerr << diagnostics.text(is_terminal());
  if (diagnostics.has_errors()) return std::nullopt;
  return config;
}

}  // namespace tocsin::cli
