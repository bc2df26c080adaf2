// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tocsin/clock.h"
#include "tocsin/result.h"

namespace tocsin::archive {

// From when to when the records of a file are; no times where none can be read.
struct Extent {
  Timestamp oldest{};
  Timestamp newest{};
};
// Reads a little of the file. Fails with Io when it cannot be read, with Parse when it is no
// archive.
Result<Extent> extent_of(const std::string& path);

}  // namespace tocsin::archive
