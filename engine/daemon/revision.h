// SPDX-License-Identifier: Apache-2.0
//
// What Git calls the state of a file: so that who is woken by a rule knows which one it was. Reads
// files; runs nothing.
#pragma once

#include <string>

namespace tocsin::daemon {

// The commit of the work tree that `path` lies in (a clone, a worktree of git-sync), or the first
// line of the file `.revision` in its folder or one above, whichever is nearer. Symbolic links are
// followed. Empty where there is neither.
std::string revision_of(const std::string& path);

// Whether Git is writing to that work tree at this moment.
bool is_being_checked_out(const std::string& path);

}  // namespace tocsin::daemon
