// SPDX-License-Identifier: Apache-2.0
//
// Rules as somebody names them on the command line: a file, a folder, a pattern, or
// git:REVISION:PATH.
#pragma once

#include <string>

#include "tocsin/result.h"
#include "tocsin/rule_set.h"

namespace tocsin::cli {

// Loads the rule files among them; tests, meshes and other YAML are read past. Fails where there is
// no file, or no such revision. What is wrong in the files is in the diagnostics.
Result<rule::Loaded> load_rules_from(const std::string& source);

}  // namespace tocsin::cli
