// SPDX-License-Identifier: Apache-2.0
//
// The files that tests read: those of the source tree, and those that are only on some machines.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "base/file.h"

namespace tocsin {

// Ends the test when there is no such file.
inline std::string bytes_of(const std::filesystem::path& path) {
  auto bytes = read_file(path.string());
  INFO(path.string());
  REQUIRE(bytes);
  return std::move(*bytes);
}

// A file or folder beside the source tree. Nothing, and a line that says so, where it is not at
// hand; the test is then to be left out.
inline std::optional<std::filesystem::path> shared(const std::string& name) {
  auto path = std::filesystem::path(TOCSIN_SHARED_DIR) / name;
  if (std::filesystem::exists(path)) return path;
  std::cout << "skipped: not at hand: " << name << "\n";
  return std::nullopt;
}

}  // namespace tocsin
