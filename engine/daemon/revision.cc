// SPDX-License-Identifier: Apache-2.0
#include "daemon/revision.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/file.h"

namespace tocsin::daemon {
namespace fs = std::filesystem;
namespace {

constexpr int kMostLinks = 5;  // Of references that name each other.

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Empty where there is no such file.
std::string first_line(const fs::path& path) {
  std::string bytes = read_file(path.string()).value_or("");
  bytes.resize(std::min(bytes.find_first_of("\r\n"), bytes.size()));
  return bytes;
}

// What follows `prefix`, if `text` begins with it.
std::optional<std::string> after(const std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

// Where Git keeps what belongs to a work tree: its .git, or what the file .git names.
fs::path git_folder(const fs::path& work_tree) {
  const fs::path git = work_tree / ".git";
  std::error_code ignored;
  if (fs::is_directory(git, ignored)) return git;
  const auto elsewhere = after(first_line(git), "gitdir: ");
  return elsewhere ? work_tree / *elsewhere : git;
}

// References are shared by the worktrees of a repository.
fs::path common_folder(const fs::path& git) {
  const std::string common = first_line(git / "commondir");
  return common.empty() ? git : git / common;
}

std::string packed_reference(const fs::path& git, const std::string& name) {
  const std::string packed = read_file((git / "packed-refs").string()).value_or("");
  const std::size_t at = packed.find(" " + name + "\n");
  if (at == std::string::npos) return "";
  const std::size_t begin = packed.rfind('\n', at) + 1;  // npos + 1 is the beginning.
  return packed.substr(begin, at - begin);
}

std::string commit_of(const fs::path& work_tree) {
  const fs::path git = git_folder(work_tree);
  const fs::path common = common_folder(git);
  std::string at = first_line(git / "HEAD");
  for (int i = 0; i < kMostLinks; ++i) {
    const auto name = after(at, "ref: ");
    if (!name) return at;
    at = first_line(is_there(git / *name) ? git / *name : common / *name);
    if (at.empty()) return packed_reference(common, *name);
  }
  return "";
}

// The folder of `path` and those above it, from there on up.
template <class Visit>
void for_each_folder_above(const std::string& path, Visit visit) {
  std::error_code error;
  fs::path folder = fs::canonical(path, error);
  if (error) return;
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    if (visit(folder)) return;
  }
}

}  // namespace

std::string revision_of(const std::string& path) {
  std::string out;
  for_each_folder_above(path, [&](const fs::path& folder) {
    if (is_there(folder / ".revision")) {
      out = first_line(folder / ".revision");
    } else if (is_there(folder / ".git")) {
      out = commit_of(folder);
    }
    return !out.empty();
  });
  return out;
}

bool is_being_checked_out(const std::string& path) {
  bool out = false;
  for_each_folder_above(path, [&](const fs::path& folder) {
    if (!is_there(folder / ".git")) return false;
    out = is_there(git_folder(folder) / "index.lock");
    return true;
  });
  return out;
}

}  // namespace tocsin::daemon
