// SPDX-License-Identifier: Apache-2.0
//
// Rules as somebody names them on the command line: a file, a folder, a pattern, or
// git:REVISION:PATH.
#pragma once

#include <string>
#include <vector>

#include "tocsin/result.h"
#include "tocsin/rule_set.h"

namespace tocsin::cli {

// The rule files among them; tests, meshes and other YAML are read past. Fails where there is no
// file, or no such revision.
Result<std::vector<rule::SourceFile>> rule_files_from(const std::string& source);
// The same of several sources, each file once. Fails where one of them has no rule file.
Result<std::vector<rule::SourceFile>> rule_files_from(const std::vector<std::string>& sources);

// Loads them. What is wrong in the files is in the diagnostics.
rule::Loaded load_rules(const std::vector<rule::SourceFile>& files);

}  // namespace tocsin::cli
