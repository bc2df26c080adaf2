// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "cli/command.h"

namespace tocsin::cli {

bool is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

}  // namespace tocsin::cli
