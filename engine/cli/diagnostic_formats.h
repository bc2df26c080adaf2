// SPDX-License-Identifier: Apache-2.0
//
// Diagnostics for programs: what CI systems and editors read.
#pragma once

#include <string>
#include <string_view>

#include "tocsin/diagnostics.h"

namespace tocsin::cli {

// All of them have every diagnostic, in the order in which they were found.
//
// json: a list of objects, with "severity", "code", "file", "line", "column", "length", "message",
// "context" and "hint". github: workflow commands, which GitHub shows beside the lines of a pull
// request. checkstyle: the XML that Jenkins, GitLab's converters and others read.
std::string as_json(const Diagnostics& diagnostics);
std::string as_github(const Diagnostics& diagnostics);
std::string as_checkstyle(const Diagnostics& diagnostics);

}  // namespace tocsin::cli
