// SPDX-License-Identifier: Apache-2.0
//
// Counts what is allocated. A test that links allocations.cc has its operator new replaced.
#pragma once

#include <cstddef>

namespace tocsin::testing {

// How often this thread has called operator new so far.
std::size_t allocations();

}  // namespace tocsin::testing
