// SPDX-License-Identifier: Apache-2.0
//
// Files as they were in a commit, from Git itself.
#pragma once

#include <string>
#include <vector>

#include "tocsin/result.h"
#include "tocsin/rule_set.h"

namespace tocsin::cli {

// What is at `path`, a file or a folder relative to the current one, in the commit, branch or tag
// `revision`. Fails with what git says.
Result<std::vector<rule::SourceFile>> files_in_git(const std::string& revision,
                                                   const std::string& path);

}  // namespace tocsin::cli
