// SPDX-License-Identifier: Apache-2.0
//
// A folder of a test's own, which goes when the test ends.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

namespace tocsin::testing {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  std::vector<std::string> files() const { return glob_files(path_ + "/*"); }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const std::string& file : files()) sum += std::filesystem::file_size(file);
    return sum;
  }

 private:
  std::string path_;
};

}  // namespace tocsin::testing
