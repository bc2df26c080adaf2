// SPDX-License-Identifier: Apache-2.0
//
// Whole files in, whole files out. Paths are the user's; errors name them.
#pragma once

#include <string>
#include <vector>

#include "tocsin/result.h"

namespace tocsin {

// The bytes of the file. "-" is standard input.
Result<std::string> read_file(const std::string& path);

// Replaces the file in one step: a reader sees the old bytes or the new ones, never a part.
Result<void> write_file(const std::string& path, const std::string& bytes);

// The files that match a shell pattern, sorted; `**` matches any number of folders. A pattern
// without wildcards is returned as it is, whether the file exists or not.
std::vector<std::string> glob_files(const std::string& pattern);

// `path`, relative to the folder of `base_file`, unless it is absolute.
std::string resolve_beside(const std::string& base_file, const std::string& path);

}  // namespace tocsin
