// SPDX-License-Identifier: Apache-2.0
//
// The tables of the state's file, and the steps by which they became what they are.
#pragma once

#include "state/sqlite.h"

namespace tocsin::state {

// Brings the file to the newest version; a file without tables is of version 0. Fails with
// InvalidArgument if a newer Tocsin wrote it, and with Parse if its tables are not those of the
// version that it claims to be; then nothing is changed.
Result<void> migrate(const Connection& db);

}  // namespace tocsin::state
